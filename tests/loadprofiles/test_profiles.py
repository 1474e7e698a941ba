"""Every profile of the folder, as plain Locust runs it and as a drill would."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest

from bundle.rates import RateCurve, expected_between
from bundle.table import iter_table
from gameday.load.profile import check_profile
from gameday.load.schedule import Asked
from tests.gameday.load.target import Target

FOLDER = Path(__file__).parents[2] / "loadprofiles"
PROFILES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "traffic")

READS = {"GET /api/v1/agents", "GET /api/v1/dashboard"}
WRITES = {f"POST /api/v1/agents/{agent}/tasks" for agent in ("navigator", "analyst", "reviewer")}
EVALUATIONS = {"POST /api/v1/evaluations"}
MIXED = READS | WRITES | EVALUATIONS


@dataclass(frozen=True)
class Promise:
    """What a profile says of itself: how many arrivals it expects within its first seconds, and what it sends."""

    arrivals: float
    within_s: float
    length_s: float
    sends: frozenset[str]


PROMISES = {
    "steady": Promise(1000, 10, 0, frozenset(MIXED)),
    "peak": Promise(100 * 600 + 10 * 60, 660, 600, frozenset(MIXED)),
    "ramp": Promise(105 * 120 + 200 * 10, 130, 120, frozenset(MIXED)),
    "spike": Promise(50 * 60 + 200 * 30, 90, 60, frozenset(MIXED)),
    "latency-spike": Promise(50 * 120 + 25 * 60, 120, 90, frozenset(MIXED)),
    "writes": Promise(200, 10, 0, frozenset(WRITES)),
    "failover": Promise(400, 10, 0, frozenset({"GET /api/v1/agents"} | WRITES)),
}
KEEP_A_LEDGER = {"writes", "failover"}


def test_every_profile_is_tested_here() -> None:
    assert sorted(PROMISES) == PROFILES


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_has_the_rates_that_it_promises(name: str) -> None:
    facts, promise = check_profile(FOLDER / f"{name}.py"), PROMISES[name]
    assert facts.model == "open"
    assert expected_between(facts.curves, 0, promise.within_s) == pytest.approx(promise.arrivals)
    assert max(curve.length_s for curve in facts.curves) == promise.length_s


def test_a_profile_takes_the_rate_and_the_duration_that_are_asked_for() -> None:
    facts = check_profile(FOLDER / "peak.py", Asked(rate_per_s=50, duration_s=60))
    assert facts.curves == (RateCurve(((0, 50), (60, 50), (60, 5))),)


@pytest.fixture
def target() -> Iterator[Target]:
    server = Target()
    yield server
    server.close()


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_runs_under_plain_locust_and_sends_what_it_promises(
    name: str, target: Target, tmp_path: Path
) -> None:
    """Squeezed into two seconds where it has a length. How many come is for the schedule's tests: here, that all do."""
    command = [sys.executable, "-m", "locust", "-f", str(FOLDER / f"{name}.py"), "--headless", "--only-summary"]
    if PROMISES[name].length_s:
        command += ["--duration", "2"]
    done = subprocess.run(
        [*command, "-H", target.url, "--run-time", "3s", "--stop-timeout", "3", "--gameday-bundle", str(tmp_path)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert set(target.hits) <= PROMISES[name].sends
    assert {path.split()[0] for path in target.hits} == {path.split()[0] for path in PROMISES[name].sends}
    rows = pa.Table.from_batches(iter_table(tmp_path, "requests"))
    assert rows.num_rows == target.hits.total() > 20
    assert all(rows["ok"].to_pylist())
    assert len(target.keys) == len(set(target.keys)), "a key was used twice"
    ledger = [key for batch in iter_table(tmp_path, "ledger") for key in batch["key"].to_pylist()]
    assert sorted(ledger) == (sorted(target.keys) if name in KEEP_A_LEDGER else [])
