"""Is it whole again, and what is still owed: asked of the API and of the timeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bundle.timeline import Entry, TimelineWriter
from gameday.cluster import Cluster
from gameday.healing import CALM_LOOKS, not_whole, rollbacks_owed
from tests.gameday.kubernetes import Objects


def timeline(root: Path, *entries: tuple[str, str, dict[str, Any]]) -> Path:
    """A bundle folder with these entries."""
    writer = TimelineWriter(root / "timeline.jsonl")
    for at, (kind, event, attributes) in enumerate(entries):
        writer.append(Entry(kind=kind, event=event, earliest_ns=at, latest_ns=at, attributes=attributes))
    writer.close()
    return root


INJECTING = ("fault", "injecting", {"activity": "break-it"})


@pytest.mark.parametrize(
    ("entries", "owed"),
    [
        ([], ()),  # nothing was injected
        ([INJECTING], ("the experiment's rollback undo did not run",)),
        ([INJECTING, ("rollback", "begin", {})], ("the experiment's rollback undo did not run",)),
        ([INJECTING, ("rollback", "end", {"status": "succeeded", "failed": []})], ()),
        (
            [INJECTING, ("rollback", "end", {"status": "failed", "failed": ["undo"]})],
            ("the experiment's rollback undo did not succeed",),
        ),
    ],
)
def test_a_rollback_is_owed_until_it_is_known_to_have_succeeded(
    tmp_path: Path, entries: list[tuple[str, str, dict[str, Any]]], owed: tuple[str, ...]
) -> None:
    assert rollbacks_owed(timeline(tmp_path, *entries), ["undo"]) == owed


def test_an_experiment_without_rollbacks_owes_none(tmp_path: Path) -> None:
    assert rollbacks_owed(timeline(tmp_path, INJECTING), []) == ()


def test_what_is_not_whole_is_told_with_its_figures(cluster: Cluster, objects: Objects) -> None:
    objects.deployment("web", 3)  # no controller runs here: it never gets its pods
    looks: list[float] = []
    lines = not_whole([cluster], 2.0, lambda s: bool(looks.append(s)))
    assert lines == ("deployment web in us-east-1: 0 of 3 replicas ready",)
    assert len(looks) == 4


def test_it_is_whole_only_when_it_stays_so_for_several_looks(cluster: Cluster, objects: Objects) -> None:
    """A status shows the loss of a pod only after a moment: one look right after an abort would miss it."""
    objects.deployment("web", 0)
    path = "/apis/apps/v1/namespaces/tars/deployments/web"
    cluster.merge_patch(f"{path}/status", {"status": {"observedGeneration": 1}})
    looks: list[float] = []

    def wait(seconds: float) -> bool:
        looks.append(seconds)
        if len(looks) == 2:
            cluster.merge_patch(path, {"spec": {"replicas": 1}})
        return False

    assert not_whole([cluster], 5.0, wait) == ("deployment web in us-east-1: 0 of 1 replicas ready",)
    cluster.merge_patch(path, {"spec": {"replicas": 0}})
    cluster.merge_patch(f"{path}/status", {"status": {"observedGeneration": 3}})
    looks.clear()
    assert not_whole([cluster], 5.0, lambda s: bool(looks.append(s))) == ()
    assert len(looks) == CALM_LOOKS - 1


def test_whoever_does_not_want_to_wait_is_told_what_is_open(cluster: Cluster, objects: Objects) -> None:
    objects.deployment("web", 3)
    assert len(not_whole([cluster], 60.0, lambda _: True)) == 1
