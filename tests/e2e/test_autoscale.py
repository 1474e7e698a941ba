"""The peak on a whole sandbox with short periods: hardened follows it, naive does not, and the cluster's events agree.

Long: `make test-drills` runs it, `make test` does not.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bundle.reader import Bundle
from bundle.timeline import Entry
from tests.e2e.sandbox import REPOSITORY, Sandbox, objective, sandbox, verdict_of

pytestmark = [pytest.mark.drills, pytest.mark.timeout(600)]

PEAK = REPOSITORY / "experiments" / "autoscale-peak.yaml"
LOAD = REPOSITORY / "loadprofiles" / "peak.py"
SHORT_PERIODS = (
    "--horizontal-pod-autoscaler-sync-period=2s",
    "--horizontal-pod-autoscaler-downscale-stabilization=15s",
    "--horizontal-pod-autoscaler-initial-readiness-delay=5s",
    "--horizontal-pod-autoscaler-cpu-initialization-period=10s",
    "--metric-resolution=2s",
)
PEAK_S = 90
"""Longer than the promised minute, so that an autoscaler that does nothing has failed by then."""
SHORT = ("--duration", str(PEAK_S), "--warm-up", "3", "--baseline", "8", "--cool-down", "2")
S = 1_000_000_000


@pytest.fixture(scope="module", params=["hardened", "naive"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Sandbox]]:
    """A sandbox of each manner whose autoscalers don't take minutes."""
    folder = tmp_path_factory.mktemp(request.param)
    with sandbox(folder, request.param, "127.73", SHORT_PERIODS) as up:
        yield request.param, up


def run(where: Sandbox, runs: Path, *options: str) -> subprocess.CompletedProcess[str]:
    words = ("run", str(PEAK), "--load", str(LOAD), "--context", "us-east-1", "--runs", str(runs))
    return where.run(*words, *(options or SHORT), timeout_s=400)


def got(where: Sandbox, what: str) -> list[dict[str, Any]]:
    """What kubectl gets in the namespace."""
    command = ["kubectl", "get", what, "-n", "tars", "--context", "us-east-1", "-o", "json"]
    done = subprocess.run(command, env=where.environment, capture_output=True, check=True)
    items: list[dict[str, Any]] = json.loads(done.stdout)["items"]
    return items


def standing(where: Sandbox) -> dict[str, Any]:
    """What each deployment and autoscaler is told to be, and how many of its replicas there are."""
    return {
        f"{item['kind']} {item['metadata']['name']}": (
            item["spec"],
            item["status"].get("readyReplicas"),
            item["status"].get("desiredReplicas"),
        )
        for what in ("deployments", "horizontalpodautoscalers")
        for item in got(where, what)
    }


def test_hardened_follows_the_peak_and_naive_does_not(
    running: tuple[str, Sandbox], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manner, where = running
    before = standing(where)
    done = run(where, tmp_path)
    verdict = verdict_of(tmp_path)
    with capsys.disabled():
        measured = [f"{o['name']} {o['verdict']} ({o['measure']['value']})" for o in verdict["objectives"]]
        print(f"\n{manner} autoscale-peak: {verdict['verdict']} {', '.join(measured)}")
    assert standing(where) == before
    bundle = Bundle.open(tmp_path / "latest")
    rescales = rescaled(where)
    if manner == "naive":
        assert (done.returncode, verdict["verdict"]) == (1, "fail"), done.stdout + done.stderr
        assert objective(verdict, "scale-up-begins")["verdict"] == "fail"
        assert "no more replicas were desired" in objective(verdict, "scale-up-begins")["measure"]["evidence"][0]
        assert rescales == []
        return
    assert (done.returncode, verdict["verdict"]) == (0, "pass"), done.stdout + done.stderr
    stages = {stage["name"] for stage in objective(verdict, "scaled-up")["measure"]["stages"]}
    assert stages == {"metric over target", "desired changed", "pods created", "ready", "serving", "SLI good"}
    agrees_with_the_cluster(bundle, rescales)


def rescaled(where: Sandbox) -> list[tuple[str, int]]:
    """What the autoscaler told of its rescales by events, in order: the message, and the second in which."""
    return sorted(
        (
            (event["message"], round(datetime.fromisoformat(event["firstTimestamp"]).timestamp()))
            for event in got(where, "events")
            if (event["reason"], event["involvedObject"]["name"]) == ("SuccessfulRescale", "eval-engine")
        ),
        key=lambda told: told[1],
    )


def agrees_with_the_cluster(bundle: Bundle, rescales: list[tuple[str, int]]) -> None:
    """Each change of what is desired lies where an event says so, and each new pod where it says that it was created.

    An event is written just before the status is, and tells the second only.
    """
    readings = [e for e in bundle.timeline if e.kind == "hpa" and isinstance(e.attributes.get("desired"), int)]
    changes = [after for before, after in pairwise(readings) if desired(before) != desired(after)]
    assert len(changes) == len(rescales) >= 2, (changes, rescales)
    for change, (message, second) in zip(changes, rescales, strict=True):
        assert f"New size: {desired(change)};" in message
        assert second * S <= change.latest_ns
        assert change.earliest_ns <= (second + 2) * S
    assert desired(changes[-1]) == desired(readings[0])


def desired(reading: Entry) -> int:
    count = reading.attributes["desired"]
    assert isinstance(count, int)
    return count


def test_what_cannot_be_shown_is_refused_before_anything_is_touched(
    running: tuple[str, Sandbox], tmp_path: Path
) -> None:
    manner, where = running
    if manner == "naive":
        pytest.skip("the same in either manner")
    other = Sandbox(where.state, {**where.environment, "GAMEDAY_SCALED": "dashboard-api"})
    done = run(other, tmp_path / "runs")
    assert (done.returncode, "no HorizontalPodAutoscaler scales it" in done.stderr) == (2, True), done.stderr
    assert not list((tmp_path / "runs").glob("*/manifest.json"))


def test_a_step_too_small_for_the_autoscaler_shows_nothing(running: tuple[str, Sandbox], tmp_path: Path) -> None:
    manner, where = running
    if manner == "naive":
        pytest.skip("the same in either manner")
    done = run(where, tmp_path, *SHORT[2:], "--duration", "15", "--rate", "15", "--recovery-max", "5")
    verdict = verdict_of(tmp_path)
    assert (done.returncode, verdict["verdict"]) == (3, "invalid"), done.stdout + done.stderr
    (proof,) = [check for check in verdict["validity"] if check["name"] == "fault-proven"]
    assert "there was nothing to scale up for" in proof["says"]
