"""Planted truth of closed workloads: in 250 drills none passes that an open workload shows to have failed.

The truth is that of a twin: the same service with the same outage, under an open workload of 400 requests/s.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from bundle.reader import Bundle
from scorer.budget import budget_burn
from scorer.error_rate import availability, error_rate
from scorer.facts import Facts, read_facts
from scorer.failed_requests import failed_requests
from scorer.latency import latency_p95
from scorer.objective import grade
from scorer.planted import Outage, Plan, Truth, plant
from scorer.recovery import recovery_user
from scorer.score import score
from scorer.targets import Targets
from scorer.verdict import Grade, Measure

USERS = {
    "ten that ask ten times a second": Plan(users=10, pace_s=0.1),
    "a hundred that ask once a second": Plan(users=100, pace_s=1.0),
    "a hundred that wait a while": Plan(users=100, wait_s=1.0),
    "three that never wait": Plan(users=3),
    "three that the service soon serves faster": Plan(users=3, speed=0.6, sped_from_s=4.0),
}
KINDS: dict[str, Callable[[float], tuple[Outage, ...]]] = {
    "a stall": lambda end: (Outage(0, end, held="answered"),),
    "everything hangs and fails": lambda end: (Outage(0, end, held="failed"),),
    "a third hangs and fails": lambda end: (Outage(0, end, 1 / 3, held="failed"),),
    "one in nine hangs and fails": lambda end: (Outage(0, end, 1 / 9, held="failed"),),
    "everything fails at once": lambda end: (Outage(0, end),),
    "a third fails at once": lambda end: (Outage(0, end, 1 / 3),),
    "everything is slow": lambda end: (Outage(0, end, 1.0, 400.0),),
    "a stall long after the fault": lambda end: (Outage(6, 6 + end, held="answered"),),
    "everything hangs long after the fault": lambda end: (Outage(6, 6 + end, held="failed"),),
    "none": lambda _: (),
}
EACH = 5


@dataclass(frozen=True)
class Case:
    """A drill, its truth, and what the scorer made of it."""

    who: str
    kind: str
    truth: Truth
    facts: Facts
    failed_share: float
    slow_share: float
    """Failed or slower than 150 ms."""
    p95_ms: float

    @property
    def failed(self) -> float:
        """How many requests of an open workload at the baseline's rate fail."""
        baseline, window = self.facts.before_fault, self.facts.window
        assert baseline is not None
        assert window is not None
        sent = len(self.facts.requests.due_within(baseline.start_ns, baseline.end_ns))
        return sent / baseline.seconds * window.seconds * self.failed_share


def case_of(root: Path, who: str, kind: str, plan: Plan) -> Case:
    truth = plant(root / "closed", plan)
    plant(root / "open", replace(plan, users=None, rate_per_s=400.0, late_ms=1e-6))
    judged = read_facts(Bundle.open(root / "open")).judged
    good = judged.ok & (judged.latency_ns <= 150_000_000)
    latencies = np.sort(np.where(judged.ok, judged.latency_ns / 1e6, np.inf))
    return Case(
        who,
        kind,
        truth,
        read_facts(Bundle.open(root / "closed")),
        judged.bad / len(judged),
        float(np.mean(~good)),
        float(latencies[int(0.95 * len(latencies))]),
    )


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[Case]:
    root = tmp_path_factory.mktemp("closed")
    found = []
    for who, users in USERS.items():
        for kind, outages in KINDS.items():
            for number in range(EACH):
                rng = np.random.default_rng([zlib.crc32((who + kind).encode()), number])
                plan = replace(
                    users,
                    outages=outages(float(rng.uniform(0.5, 5))),
                    seed=int(rng.integers(1 << 30)),
                    after_s=float(rng.choice([10.0, 16.0])),
                    baseline_s=float(rng.choice([5.0, 15.0])),
                    fault_ms=float(rng.choice([0.0, 40.0])),
                )
                found.append(case_of(root / str(len(found)), who, kind, plan))
    return found


def passes(measure: Measure, truth: float, side: str = "at most") -> bool:
    """Whether a promise passes that the truth misses by a tenth of what is bad of it."""
    missed = 0.9 * truth if side == "at most" else 100 - 0.9 * (100 - truth)
    return (
        grade(measure.low, measure.high, missed, missed, "at most" if side == "at most" else "at least") is Grade.PASS
    )


def test_no_share_or_count_or_latency_passes_that_an_open_workload_shows_to_have_failed(
    cases: list[Case], targets: Targets
) -> None:
    assert len(cases) >= 200
    for case in cases:
        where = (case.who, case.kind, case.truth)
        burn = next(m for m in budget_burn(case.facts, targets) if m.name == "burn-rate.api-latency")
        tolerated = targets.slos["api-latency"].tolerated
        if case.failed_share:
            assert not passes(error_rate(case.facts, 0.95), 100 * case.failed_share), where
            assert not passes(availability(case.facts, 0.95), 100 - 100 * case.failed_share, "at least"), where
            assert not passes(failed_requests(case.facts), case.failed), where
        if case.slow_share:
            assert not passes(burn, case.slow_share / tolerated), where
        assert not passes(latency_p95(case.facts, 0.95), case.p95_ms), where


def test_no_share_fails_that_an_open_workload_shows_to_have_held(cases: list[Case], targets: Targets) -> None:
    """What users who get errors at once send too much doesn't count against the service."""
    for case in cases:
        burn = next(m for m in budget_burn(case.facts, targets) if m.name == "burn-rate.api-latency")
        held = 1.1 * case.slow_share / targets.slos["api-latency"].tolerated
        assert grade(burn.low, burn.high, held, held, "at most") is not Grade.FAIL, (case.who, case.kind)


def test_recovery_is_held_by_its_interval_in_at_least_95_of_100_drills(cases: list[Case], targets: Targets) -> None:
    missed = []
    for case in cases:
        taken, truth = recovery_user(case.facts, targets), case.truth.recovery_s
        assert taken.low is not None
        # Who comes within 150 ms of a stall's end is answered in time: to such users it is over by then.
        over = None if truth is None else max(0.0, truth - 0.15) if "stall" in case.kind else truth
        holds = (
            taken.high is None
            if truth is None or over is None
            else (taken.low <= truth and (taken.high is None or over <= taken.high))
        )
        if not holds:
            missed.append((case.who, case.kind, truth, taken.low, taken.high))
    assert len(missed) <= 0.05 * len(cases), missed


@pytest.mark.parametrize(("users", "pace_s", "seen"), [(10, 0.1, 0.014), (100, 1.0, 0.125)])
def test_a_stall_of_3_s_in_10_is_not_made_small(
    tmp_path: Path, targets: Targets, users: int, pace_s: float, seen: float
) -> None:
    """An open workload sees 28.7 % of slow requests, where users who wait see a tenth or a half of that."""
    stall = (Outage(0, 3, held="answered"),)
    plan = Plan(users=users, pace_s=pace_s, baseline_s=20, after_s=10, fault_ms=0, outages=stall)
    case = case_of(tmp_path, "users", "a stall", plan)
    tolerated = targets.slos["api-latency"].tolerated
    burn = next(m for m in budget_burn(case.facts, targets) if m.name == "burn-rate.api-latency")
    assert burn.value is not None
    assert burn.low is not None
    assert burn.high is not None
    assert case.slow_share == pytest.approx(0.287, abs=0.001)
    assert burn.value * tolerated == pytest.approx(seen, abs=0.001)
    assert burn.low * tolerated <= case.slow_share <= burn.high * tolerated
    assert latency_p95(case.facts, 0.95).high is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("who", USERS)
def test_no_closed_loop_passes(tmp_path: Path, targets: Targets, who: str, kind: str) -> None:
    plant(tmp_path / "b", replace(USERS[who], outages=KINDS[kind](2.0)))
    assert score(Bundle.open(tmp_path / "b"), targets).verdict is not Grade.PASS


def test_the_test_itself_can_fail(cases: list[Case]) -> None:
    """Without what is omitted, with just the requests that were sent, many a promise would pass falsely."""
    naive = sum(
        passes(as_seen(error_rate(case.facts, 0.95)), 100 * case.failed_share) for case in cases if case.failed_share
    )
    assert naive > 20


def as_seen(measure: Measure) -> Measure:
    return measure.model_copy(update={"high": measure.value})
