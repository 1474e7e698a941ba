"""Undoing: what differs from before the fault is set back, and what can't be is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bundle.manifest import Effect
from bundle.timeline import Entry, TimelineWriter
from gameday.chaosmesh import ChaosResource
from gameday.cluster import ApiError, Cluster
from gameday.errors import BadInput, GuardRefused
from gameday.guards import refuse_over_unfinished_undo
from gameday.undo import Undo
from tests.gameday.kubernetes import Objects

WEB = "/apis/apps/v1/namespaces/tars/deployments/web"


def scale(cluster: Cluster, replicas: int) -> None:
    """What a fault does."""
    cluster.merge_patch(WEB, {"spec": {"replicas": replicas}})


def replicas(cluster: Cluster) -> int:
    """How many replicas are asked for now."""
    return int(cluster.get(WEB)["spec"]["replicas"])


def test_replicas_that_the_fault_changed_are_set_back(cluster: Cluster, objects: Objects, tmp_path: Path) -> None:
    objects.deployment("web", 3)
    undo = Undo.arm(tmp_path, [cluster])
    scale(cluster, 0)
    assert undo.restore({"us-east-1": cluster}) == ()
    assert replicas(cluster) == 3
    assert Undo.load(tmp_path).record.state == "armed", "there may be more to wait for"
    undo.finish(())
    assert json.loads((tmp_path / "undo.json").read_text())["state"] == "undone"


def test_an_undo_record_is_enough_for_another_process(cluster: Cluster, objects: Objects, tmp_path: Path) -> None:
    """This is what `gameday recover` rests on after a kill -9."""
    objects.deployment("web", 3)
    Undo.arm(tmp_path, [cluster])
    scale(cluster, 0)
    undo = Undo.load(tmp_path)
    assert undo.record.state == "armed"
    assert undo.restore({"us-east-1": cluster}) == ()
    assert undo.restore({"us-east-1": cluster}) == ()  # twice does no harm
    assert replicas(cluster) == 3


def test_what_cannot_be_set_back_is_told_and_the_rest_is_set_back(
    cluster: Cluster, objects: Objects, tmp_path: Path
) -> None:
    objects.deployment("gone", 1)
    objects.deployment("web", 3)
    undo = Undo.arm(tmp_path, [cluster])
    scale(cluster, 0)
    objects.delete("deployments", "gone")
    (remains,) = undo.restore({"us-east-1": cluster})
    assert remains.startswith("deployment tars/gone in us-east-1: 1 replicas not restored")
    assert replicas(cluster) == 3
    undo.finish((remains,))
    assert Undo.load(tmp_path).record.state == "incomplete"


def test_a_record_that_is_missing_or_broken_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no fault was injected"):
        Undo.load(tmp_path)
    (tmp_path / "undo.json").write_text("{}")
    with pytest.raises(BadInput, match="cannot be read"):
        Undo.load(tmp_path)


def test_no_drill_starts_over_one_that_was_not_undone(cluster: Cluster, objects: Objects, tmp_path: Path) -> None:
    objects.deployment("web", 3)
    refuse_over_unfinished_undo(tmp_path)  # no runs at all
    run = tmp_path / "run-1"
    run.mkdir()
    undo = Undo.arm(run, [cluster])
    (tmp_path / "latest").symlink_to("run-1")
    with pytest.raises(GuardRefused, match=r"run-1: an earlier run has not been undone \(armed\)") as caught:
        refuse_over_unfinished_undo(tmp_path)
    assert caught.value.exit_code == 4
    undo.restore({"us-east-1": cluster})
    undo.finish(())
    refuse_over_unfinished_undo(tmp_path)


class Autoscaled:
    """A cluster of one deployment, web, which has an autoscaler; or where autoscalers are refused with a code."""

    context, namespace = "east", "tars"

    def __init__(self, replicas: int, refuses: int = 0) -> None:
        self.replicas, self.refuses = replicas, refuses

    def list(self, what: str) -> dict[str, Any]:
        if what == "deployments":
            return {"items": [{"metadata": {"name": "web"}, "spec": {"replicas": self.replicas}}]}
        if self.refuses:
            raise ApiError(self.refuses, "no")
        return {"items": [{"spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}}}]}

    def get(self, path: str) -> dict[str, Any]:
        assert path == WEB
        return {"spec": {"replicas": self.replicas}}

    def merge_patch(self, path: str, body: dict[str, Any]) -> None:
        assert path == WEB
        self.replicas = body["spec"]["replicas"]


SCALES_WEB = Effect(kind="replicas", activity="a", context="east", namespace="tars", name="web", count=1)


@pytest.mark.parametrize(
    ("effects", "left_with", "afterwards"),
    [
        ([], 5, 5),  # the autoscaler's own doing
        ([], 0, 2),  # an autoscaler does nothing at 0
        ([SCALES_WEB], 1, 2),
        ([SCALES_WEB.model_copy(update={"name": "other"})], 1, 1),
        ([SCALES_WEB.model_copy(update={"kind": "pods-replaced"})], 1, 1),
    ],
)
def test_what_an_autoscaler_sets_is_left_to_it_unless_the_fault_has_set_it(
    tmp_path: Path, effects: list[Effect], left_with: int, afterwards: int
) -> None:
    cluster = Autoscaled(2)
    Undo.arm(tmp_path, [cluster], effects=effects)  # type: ignore[list-item]  # all that is used of it
    cluster.replicas = left_with
    assert Undo.load(tmp_path).restore({"east": cluster}) == ()  # type: ignore[dict-item]
    assert cluster.replicas == afterwards


def test_where_autoscalers_are_not_served_every_deployment_is_set_back(tmp_path: Path) -> None:
    cluster = Autoscaled(2, refuses=404)
    Undo.arm(tmp_path, [cluster])  # type: ignore[list-item]
    cluster.replicas = 5
    assert Undo.load(tmp_path).restore({"east": cluster}) == ()  # type: ignore[dict-item]
    assert cluster.replicas == 2


@pytest.mark.parametrize("code", [403, 500])
def test_no_fault_is_armed_where_nobody_can_tell_what_autoscalers_set(tmp_path: Path, code: int) -> None:
    with pytest.raises(GuardRefused, match=f"context east, namespace tars: it can't be told .*: HTTP {code}: no"):
        Undo.arm(tmp_path, [Autoscaled(2, refuses=code)])  # type: ignore[list-item]
    assert not (tmp_path / "undo.json").exists()


def test_a_record_from_before_autoscalers_were_noted_is_still_understood(tmp_path: Path) -> None:
    before = {"context": "east", "namespace": "tars", "deployment": "web", "replicas": 2}
    (tmp_path / "undo.json").write_text(json.dumps({"state": "armed", "before": [before]}))
    cluster = Autoscaled(5)
    assert Undo.load(tmp_path).restore({"east": cluster}) == ()  # type: ignore[dict-item]
    assert cluster.replicas == 2, "it held only what no autoscaler sets"


SLOW = ChaosResource(activity="a", context="east", namespace="tars", resource="networkchaos", name="slow")


class ChaosMesh:
    """A cluster that has one chaos resource, which is gone after so many looks, or never, or can't be deleted.

    Where it is gone somebody else may have made `another`, the UID of one by that name.
    """

    def __init__(self, looks: int | None = 1, refuses: int = 0, uid: str = "ours", another: str = "") -> None:
        self.looks, self.refuses, self.uid, self.another = looks, refuses, uid, another
        self.deleted: list[str] = []

    def delete(self, path: str, *, uid: str) -> None:
        assert path == SLOW.path
        self.deleted.append(uid)
        if self.refuses:
            raise ApiError(self.refuses, "no")

    def get(self, path: str) -> dict[str, Any]:
        assert path == SLOW.path
        if self.looks is not None:
            self.looks -= 1
            if self.looks < 0 and not self.another:
                raise ApiError(404, "not found")
        return {"metadata": {"uid": self.uid if self.looks is None or self.looks >= 0 else self.another}}

    def list(self, _what: str) -> dict[str, Any]:
        return {"items": []}


def seen(root: Path, *entries: Entry) -> None:
    """What the timeline of the run holds."""
    timeline = TimelineWriter(root / "timeline.jsonl")
    for entry in entries:
        timeline.append(entry)
    timeline.close()


def creation(event: str, uid: str) -> Entry:
    """What the API server answered the activity."""
    return Entry("creation", event, 2, 2, uid=uid, attributes={"activity": "a"})


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gameday.undo.GONE_TIMEOUT_S", 0.3)
    monkeypatch.setattr("gameday.undo.LOOK_S", 0.01)


@pytest.mark.usefixtures("patience")
@pytest.mark.parametrize(
    ("mesh", "deleted", "remains"),
    [
        (ChaosMesh(), ["ours"], ""),
        (ChaosMesh(looks=3), ["ours"], ""),
        (ChaosMesh(looks=0), [], ""),
        (ChaosMesh(looks=3, another="theirs"), ["ours"], ""),
        (ChaosMesh(uid="theirs", looks=None), [], ""),
        (
            ChaosMesh(looks=None),
            ["ours"],
            "networkchaos tars/slow in east not removed: still there after 0.3 s; kubectl",
        ),
        (
            ChaosMesh(refuses=403, looks=None),
            ["ours"],
            "not removed: HTTP 403: no; kubectl --context east -n tars delete networkchaos slow",
        ),
    ],
)
def test_a_chaos_resource_that_the_run_made_is_removed_or_it_is_told_what_to_type(
    tmp_path: Path, mesh: ChaosMesh, deleted: list[str], remains: str
) -> None:
    seen(tmp_path, creation("made", "ours"))
    Undo.arm(tmp_path, [mesh], (SLOW,))  # type: ignore[list-item]  # all that is used of it
    told = Undo.load(tmp_path).restore({"east": mesh})  # type: ignore[dict-item]
    assert mesh.deleted == deleted
    assert [remains in line for line in told] == ([True] if remains else [])


def test_one_that_was_there_before_is_left_to_whoever_made_it(tmp_path: Path) -> None:
    mesh = ChaosMesh(looks=None, uid="theirs")
    seen(tmp_path, creation("refused", ""))
    Undo.arm(tmp_path, [mesh], (SLOW,))  # type: ignore[list-item]
    assert Undo.load(tmp_path).restore({"east": mesh}) == ()  # type: ignore[dict-item]
    assert mesh.deleted == []


def test_one_of_which_nobody_knows_whose_it_is_is_left_and_told(tmp_path: Path) -> None:
    mesh = ChaosMesh(looks=None)
    Undo.arm(tmp_path, [mesh], (SLOW,))  # type: ignore[list-item]
    (line,) = Undo.load(tmp_path).restore({"east": mesh})  # type: ignore[dict-item]
    assert line == (
        "networkchaos tars/slow in east is there, and nobody knows whether this run made it; "
        "if it did: kubectl --context east -n tars delete networkchaos slow"
    )
    assert mesh.deleted == []
    assert Undo.load(tmp_path).restore({"east": ChaosMesh(looks=0)}) == ()  # type: ignore[dict-item]
