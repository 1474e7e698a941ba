"""The 95th percentile of latency."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from bundle.reader import Bundle
from scorer.facts import read_facts
from scorer.latency import latency_p95
from scorer.planted import Outage, Plan, plant

PlantedBundle = Callable[..., Bundle]


def test_the_interval_holds_the_planted_percentile_in_nineteen_of_twenty_drills(tmp_path: Path) -> None:
    """Service times are lognormal with median 12 ms and sigma 0.3, and nothing else adds to them."""
    truth_ms = 12 * np.exp(0.3 * 1.6448536)
    above = below = 0
    for seed in range(60):
        plant(tmp_path / str(seed), Plan(seed=seed, outages=(), after_s=7.0, baseline_s=1.0, late_ms=1e-6))
        taken = latency_p95(read_facts(Bundle.open(tmp_path / str(seed))), 0.95)
        assert taken.low is not None
        assert taken.high is not None
        below += taken.high < truth_ms
        above += taken.low > truth_ms
    # Each bound errs in at most 5 %: of 60, more than 7 would happen once in 100.
    assert below <= 7
    assert above <= 7


def test_failed_requests_are_slower_than_any_answer(planted: PlantedBundle) -> None:
    few = latency_p95(read_facts(planted(Plan(outages=(Outage(0, 1, 0.5),)))), 0.95)
    many = latency_p95(read_facts(planted(Plan(outages=(Outage(0, 5),)))), 0.95)
    assert few.high is not None
    assert few.high < 40
    assert (many.value, many.low, many.high) == (None, 20_000, None)
    assert "so that the 95th percentile may have no answer" in many.evidence[0]


def test_unsent_arrivals_are_instant_in_one_bound_and_never_answered_in_the_other(planted: PlantedBundle) -> None:
    clean = latency_p95(read_facts(planted(Plan(outages=()))), 0.95)
    gap = latency_p95(read_facts(planted(Plan(outages=(), unsent=(10, 10.2)))), 0.95)
    assert clean.low is not None
    assert clean.high is not None
    assert gap.low is not None
    assert gap.high is not None
    assert gap.low < clean.low < clean.high < gap.high


def test_too_few_requests_leave_the_percentile_open(planted: PlantedBundle) -> None:
    taken = latency_p95(read_facts(planted(Plan(outages=(), rate_per_s=2.5))), 0.95)
    assert taken.high is None
    assert taken.evidence[0] == "50 requests are too few to bound the 95th percentile from above at 95 %"


def test_no_requests_have_no_latency(planted: PlantedBundle) -> None:
    bundle = planted()
    (bundle.root / "requests.parquet").unlink()
    taken = latency_p95(read_facts(bundle), 0.95)
    assert (taken.value, taken.low, taken.high) == (None, 0, None)
