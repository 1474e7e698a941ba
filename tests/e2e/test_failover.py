"""The region failover on a whole sandbox: what hardened shows, what naive loses, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bundle.reader import Bundle
from tests.e2e.sandbox import REPOSITORY, Sandbox, objective, sandbox, verdict_of

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

FAILOVER = REPOSITORY / "experiments" / "region-failover.yaml"
WRITES_AND_READS = REPOSITORY / "loadprofiles" / "failover.py"
REGIONS = ("us-east-1", "us-west-2", "eu-central-1")
EVERYWHERE = tuple(word for region in REGIONS for word in ("--context", region))


def failover(where: Sandbox, runs: Path, *options: str) -> Any:
    """Run the drill."""
    words = ("run", str(FAILOVER), "--load", str(WRITES_AND_READS), "--runs", str(runs))
    return where.run(*words, *(options or EVERYWHERE))


def elections(where: Sandbox) -> dict[int, int]:
    """When which term's leader said that it leads, UTC nanoseconds by the agents' own logs."""
    lines = [
        line.split()
        for log in where.state.glob("regions/*/pods/tars_orchestration-agent-*/service/0.log")
        for line in log.read_text().splitlines()
    ]
    led = [(int(line[-1]), int(line[1])) for line in lines if line[0] == "raft" and line[2] == "leader"]
    assert len({term for term, _ in led}) == len(led), "two leaders of one term"
    return dict(led)


def test_hardened_loses_a_region_and_its_leader_and_nobody_notices(hardened: Sandbox, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    done = failover(hardened, runs)
    assert done.returncode == 0, done.stdout + done.stderr
    verdict = verdict_of(runs)
    assert verdict["verdict"] == "pass"
    assert objective(verdict, "failed-requests")["measure"]["high"] == 0
    assert objective(verdict, "writes-lost")["measure"]["high"] == 0
    bundle = Bundle.open(runs / "latest")
    seen = [entry for entry in bundle.timeline if entry.kind == "leader" and entry.event == "seen"]
    assert seen
    said = elections(hardened)
    for entry in seen:
        term = entry.attributes["term"]
        assert isinstance(term, int)
        # the agent writes its line just after it became leader, by a clock of its own
        spare_ns = abs(bundle.manifest.clock_drift_ns or 0) + 5_000_000
        assert entry.earliest_ns - spare_ns <= said[term] <= entry.latest_ns + spare_ns
    status = hardened.run("sandbox", "status", "--state", str(hardened.state), "--json")
    assert status.returncode == 0, status.stdout
    assert json.loads((bundle.root / "undo.json").read_text())["state"] == "undone"


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (("--context", "us-east-1"), 2, "at least two regions"),
        (("--context", "us-east-1", "--context", "mars"), 2, "no context 'mars'"),
    ],
)
def test_what_cannot_fail_over_is_refused_before_anything_is_touched(
    hardened: Sandbox, tmp_path: Path, options: tuple[str, ...], code: int, says: str
) -> None:
    done = failover(hardened, tmp_path / "runs", *options)
    assert done.returncode == code, done.stdout + done.stderr
    assert says in done.stderr
    assert not list((tmp_path / "runs").glob("*/manifest.json"))


def test_a_deployment_that_is_not_there_is_refused(hardened: Sandbox, tmp_path: Path) -> None:
    other = Sandbox(hardened.state, {**hardened.environment, "GAMEDAY_DEPLOYMENT": "no-such-agent"})
    done = failover(other, tmp_path / "runs")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "no deployment no-such-agent" in done.stderr


def test_naive_loses_acknowledged_writes_and_requests(tmp_path: Path) -> None:
    with sandbox(tmp_path, "naive", "127.71") as naive:
        runs = tmp_path / "runs"
        done = failover(naive, runs)
        assert done.returncode == 1, done.stdout + done.stderr
        verdict = verdict_of(runs)
        assert objective(verdict, "writes-lost")["measure"]["low"] > 0
        assert objective(verdict, "failed-requests")["measure"]["low"] > 0
