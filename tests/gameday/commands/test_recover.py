"""`gameday recover` says what it set back, and what it left to whom."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundle.timeline import Entry, TimelineWriter
from gameday.chaosmesh import ChaosResource
from gameday.cli import invoke
from gameday.cluster import Cluster
from gameday.undo import Replicas, Undo, UndoRecord
from tests.gameday.kubernetes import Objects


@pytest.fixture
def bundle(tmp_path: Path, cluster: Cluster, objects: Objects) -> Path:
    """A run that was killed, which left `web` with 5 replicas and not the 3 that it had."""
    assert cluster
    objects.deployment("web", 5)
    return tmp_path


def killed(bundle: Path, *, autoscaled: bool) -> None:
    """The undo record of that run."""
    web = Replicas(context="us-east-1", namespace="tars", deployment="web", replicas=3, autoscaled=autoscaled)
    Undo(bundle, UndoRecord(state="armed", before=(web,))).finish(("the harness was killed",))


def test_it_says_that_every_deployment_is_as_it_was(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    killed(bundle, autoscaled=False)
    assert invoke(["recover", str(bundle)]) == 0
    assert capsys.readouterr().out == f"{bundle}: every deployment has the replicas it had before the fault\n"


def test_it_does_not_say_so_of_what_an_autoscaler_has_set(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    killed(bundle, autoscaled=True)
    assert invoke(["recover", str(bundle)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{bundle}: deployment tars/web in us-east-1 has the replicas that its autoscaler sets",
        f"{bundle}: every other deployment has the replicas it had before the fault",
    ]


@pytest.mark.parametrize(
    ("event", "uid", "says"),
    [("made", "uid-1", "of this run is gone"), ("refused", "", "was there before, and is left alone")],
)
def test_it_says_of_a_chaos_resource_whether_it_was_the_runs(
    bundle: Path, capsys: pytest.CaptureFixture[str], event: str, uid: str, says: str
) -> None:
    slow = ChaosResource(activity="a", context="us-east-1", namespace="tars", resource="networkchaos", name="slow")
    timeline = TimelineWriter(bundle / "timeline.jsonl")
    timeline.append(Entry("creation", event, 1, 1, uid=uid, attributes={"activity": "a"}))
    timeline.close()
    Undo(bundle, UndoRecord(state="armed", before=(), chaos=(slow,))).finish(("the harness was killed",))
    assert invoke(["recover", str(bundle)]) == 0
    assert f"{bundle}: networkchaos tars/slow in us-east-1 {says}\n" in capsys.readouterr().out
