"""The peak on a whole sandbox with short periods: hardened follows it, naive does not, and the cluster's events agree.

Long: `make test-drills` runs it once in each manner, REPEAT=5 five times in a row; `make test` does not.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

from bundle.reader import Bundle
from bundle.timeline import Entry
from tests.e2e.inventory import clusters_of, inventory, settled
from tests.e2e.sandbox import REPOSITORY, Sandbox, objective, sandbox, verdict_of

pytestmark = [pytest.mark.drills, pytest.mark.timeout(600)]

PEAK = REPOSITORY / "experiments" / "autoscale-peak.yaml"
LOAD = REPOSITORY / "loadprofiles" / "peak.py"
TIMES = range(int(os.environ.get("REPEAT", "1")))
SHORT_PERIODS = (
    "--horizontal-pod-autoscaler-sync-period=2s",
    "--horizontal-pod-autoscaler-downscale-stabilization=15s",
    "--horizontal-pod-autoscaler-initial-readiness-delay=5s",
    "--horizontal-pod-autoscaler-cpu-initialization-period=10s",
    "--metric-resolution=2s",
)
SHORT = ("--warm-up", "3", "--baseline", "8", "--cool-down", "2")
PEAK_S = {"hardened": 40, "naive": 80}
"""An autoscaler that does nothing has failed only once the promised minute is over; who follows needs less."""
ON_HARDENED = pytest.mark.parametrize("running", ["hardened"], indirect=True)
S = 1_000_000_000
EVENT_LATE_NS = 1 * S
"""How long after an event, which tells its second only, the status may follow that says the same."""


@pytest.fixture(scope="module", params=["hardened", "naive"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Sandbox]]:
    """A sandbox of each manner whose autoscalers don't take minutes."""
    folder = tmp_path_factory.mktemp(request.param)
    with sandbox(folder, request.param, "127.73", SHORT_PERIODS) as up:
        yield request.param, up


def run(where: Sandbox, runs: Path, *options: str) -> subprocess.CompletedProcess[str]:
    words = ("run", str(PEAK), "--load", str(LOAD), "--context", "us-east-1", "--runs", str(runs))
    return where.run(*words, *SHORT, *options, timeout_s=400)


@pytest.mark.parametrize("_time", TIMES)
def test_hardened_follows_the_peak_and_naive_does_not(
    running: tuple[str, Sandbox], _time: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manner, where = running
    before = inventory(where)
    done = run(where, tmp_path, "--duration", str(PEAK_S[manner]))
    verdict = verdict_of(tmp_path)
    with capsys.disabled():
        measured = [f"{o['name']} {o['verdict']} ({o['measure']['value']})" for o in verdict["objectives"]]
        print(f"\n{manner} autoscale-peak: {verdict['verdict']} {', '.join(measured)}")
    assert settled(where, before) == before
    bundle = Bundle.open(tmp_path / "latest")
    if manner == "hardened":
        assert (done.returncode, verdict["verdict"]) == (0, "pass"), done.stdout + done.stderr
        stages = {stage["name"] for stage in objective(verdict, "scaled-up")["measure"]["stages"]}
        assert stages == {"metric over target", "desired changed", "pods created", "ready", "serving", "SLI good"}
        assert len(changes_of(bundle)) >= 2
    else:
        assert (done.returncode, verdict["verdict"]) == (1, "fail"), done.stdout + done.stderr
        begins = objective(verdict, "scale-up-begins")
        assert begins["verdict"] == "fail"
        assert begins["measure"]["evidence"][0].startswith("no more replicas were desired in the")
        assert changes_of(bundle) == []
    agrees_with_the_events(bundle, where)


def changes_of(bundle: Bundle) -> list[Entry]:
    """The readings of the autoscaler at which it desired another number of replicas."""
    readings = [e for e in bundle.timeline if e.kind == "hpa" and isinstance(e.attributes.get("desired"), int)]
    return [
        after for before, after in pairwise(readings) if before.attributes["desired"] != after.attributes["desired"]
    ]


@dataclass(frozen=True)
class Rescale:
    """An event of the autoscaler: to how many replicas, when first and last (seconds, UTC)."""

    size: int
    first_s: int
    last_s: int

    def tells_of(self, change: Entry, since_s: int) -> bool:
        """Whether it may be the change, which it told of since then and no later than it was told last."""
        near = since_s * S <= change.latest_ns and change.earliest_ns <= (self.last_s + 1) * S + EVENT_LATE_NS
        return near and change.attributes["desired"] == self.size


def agrees_with_the_events(bundle: Bundle, where: Sandbox) -> None:
    """Each change of what was desired lies where an event says so, and each event of the drill's time is a change."""
    (region,) = [cluster for cluster in clusters_of(where) if cluster.context == "us-east-1"]
    rescales = [
        Rescale(
            size=int(event["message"].removeprefix("New size: ").partition(";")[0]),
            first_s=round(datetime.fromisoformat(event["firstTimestamp"]).timestamp()),
            last_s=round(datetime.fromisoformat(event["lastTimestamp"]).timestamp()),
        )
        for event in region.get("/api/v1/namespaces/tars/events")["items"]
        if (event["reason"], event["involvedObject"]["name"]) == ("SuccessfulRescale", "eval-engine")
    ]
    changes = changes_of(bundle)
    for change in changes:
        assert any(rescale.tells_of(change, rescale.first_s) for rescale in rescales), (change, rescales)
    for rescale in rescales:
        if rescale.last_s * S >= bundle.manifest.phases[0].start_ns:
            assert any(rescale.tells_of(change, rescale.last_s) for change in changes), (rescale, changes)


@ON_HARDENED
def test_a_deployment_that_nothing_scales_is_refused_before_anything_is_touched(
    running: tuple[str, Sandbox], tmp_path: Path
) -> None:
    _, where = running
    done = run(Sandbox(where.state, {**where.environment, "GAMEDAY_SCALED": "dashboard-api"}), tmp_path / "runs")
    assert (done.returncode, "no HorizontalPodAutoscaler scales it" in done.stderr) == (2, True), done.stderr
    assert not list((tmp_path / "runs").glob("*/manifest.json"))


@ON_HARDENED
def test_a_step_too_small_for_the_autoscaler_shows_nothing(running: tuple[str, Sandbox], tmp_path: Path) -> None:
    _, where = running
    done = run(where, tmp_path, "--duration", "10", "--rate", "15", "--recovery-max", "5")
    verdict = verdict_of(tmp_path)
    assert (done.returncode, verdict["verdict"]) == (3, "invalid"), done.stdout + done.stderr
    (proof,) = [check for check in verdict["validity"] if check["name"] == "fault-proven"]
    assert "there was nothing to scale up for" in proof["says"]
