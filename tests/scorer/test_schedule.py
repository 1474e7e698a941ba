"""What was due by when, by a constant rate or by curves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundle.manifest import LoadRecord, Worker
from bundle.rates import RateCurve
from scorer.schedule import Schedule, schedule_of

S = 1_000_000_000
BEGAN_NS = 1_764_000_000 * S
RAMP = RateCurve(((0, 0), (10, 100)))
PAUSE = RateCurve(((0, 100), (5, 100), (5, 0), (15, 0), (15, 100)))


def curved(*curves: RateCurve, spacing: str = "uniform") -> Schedule:
    return Schedule(BEGAN_NS, spacing, curves=curves)


@pytest.mark.parametrize(
    ("schedule", "from_s", "to_s", "expected"),
    [
        (Schedule(BEGAN_NS, "uniform", rate_per_s=100), 3, 8, 500),
        (Schedule(BEGAN_NS, "uniform", rate_per_s=100), -5, 5, 1000),  # a constant rate began when it likes
        (curved(RateCurve.constant(100)), 3, 8, 500),
        (curved(RateCurve.constant(100)), -5, 5, 500),  # a curve begins at its first second
        (curved(RAMP), 0, 10, 500),
        (curved(RAMP), 10, 20, 1000),
        (curved(PAUSE), 4, 16, 200),
        (curved(PAUSE), 6, 14, 0),
        (curved(RAMP, RateCurve.constant(30)), 0, 10, 800),
    ],
)
def test_arrivals_are_expected_by_the_area_under_all_curves(
    schedule: Schedule, from_s: int, to_s: int, expected: float
) -> None:
    assert schedule.expected(BEGAN_NS + from_s * S, BEGAN_NS + to_s * S) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("schedule", "at_least"),
    [
        (Schedule(0, "uniform", rate_per_s=100), 999),
        (curved(RateCurve.constant(60), RateCurve.constant(40)), 998),  # each class may begin where it likes
        (Schedule(0, "poisson", rate_per_s=100), 874),  # 1000 - 4 · √1000
        (Schedule(0, "replayed", rate_per_s=100), 874),
        (Schedule(0, "", rate_per_s=100), 874),
        (Schedule(0, "poisson", rate_per_s=0.1), 0),
    ],
)
def test_fewer_than_expected_may_have_been_due(schedule: Schedule, at_least: int) -> None:
    assert schedule.at_least(BEGAN_NS, BEGAN_NS + 10 * S) == at_least


@pytest.mark.parametrize(
    ("schedule", "workers", "recorded", "lost"),
    [
        (Schedule(0, "uniform", rate_per_s=100), 1, 1000, 0),
        (Schedule(0, "uniform", rate_per_s=100), 1, 989, 10),  # whether the edge held one more, nobody knows
        (Schedule(0, "uniform", rate_per_s=100), 4, 989, 7),  # nor do four workers whose clocks aren't exact
        (curved(RateCurve.constant(60), RateCurve.constant(40)), 1, 989, 9),
        (curved(PAUSE), 1, 490, 9),
        (Schedule(0, "poisson", rate_per_s=100), 1, 500, 0),
        (Schedule(0, "uniform", rate_per_s=100), 1, 2000, 0),
    ],
)
def test_what_is_not_among_the_rows_is_lost_where_the_spacing_tells(
    schedule: Schedule, workers: int, recorded: int, lost: int
) -> None:
    dues = np.zeros(recorded, dtype=np.int64)
    assert schedule.lost(len(dues), BEGAN_NS, BEGAN_NS + 10 * S, workers) == lost


def test_gaps_of_many_poisson_arrivals_are_longer_by_nature() -> None:
    assert Schedule(0, "uniform", rate_per_s=1).natural_gap(10**6) == 12
    assert curved(*[RateCurve.constant(1)] * 10).natural_gap(10**6) == 20
    assert Schedule(0, "poisson", rate_per_s=1).natural_gap(10**6) == pytest.approx(np.log(1.6e10))


def test_a_gap_of_expected_arrivals_is_natural_whatever_the_curve() -> None:
    """By the time-rescaling theorem: gaps of a Poisson process on a curve are exponential in expected arrivals."""
    rng = np.random.default_rng(7)
    curve = RateCurve(((0, 5), (30, 400), (30, 0), (40, 0), (40, 50), (80, 3)))
    positions = np.cumsum(rng.exponential(1.0, 4000))
    dues = BEGAN_NS + np.array([round(curve.when_s(position) * 1e9) for position in positions.tolist()])
    gaps = np.diff(curved(curve, spacing="poisson").arrivals(dues))
    assert gaps.mean() == pytest.approx(1, abs=0.05)
    assert np.mean(gaps > 2) == pytest.approx(np.exp(-2), abs=0.02)


def test_nobody_is_busy_while_nothing_is_expected() -> None:
    schedule = curved(PAUSE)
    assert schedule.busy_s(BEGAN_NS + 4 * S, BEGAN_NS + 16 * S) == pytest.approx(2, abs=0.02)
    assert schedule.busy_s(BEGAN_NS + 6 * S, BEGAN_NS + 14 * S) == 0
    assert schedule.busy_s(BEGAN_NS + 20 * S, BEGAN_NS + 21 * S) == 1


@given(
    st.floats(0.1, 5000), st.integers(0, 100 * S), st.integers(1, 1000 * S), st.sampled_from(["uniform", "poisson", ""])
)
def test_a_constant_curve_is_a_constant_rate(rate: float, from_ns: int, length_ns: int, spacing: str) -> None:
    rated = Schedule(BEGAN_NS + 5, spacing, rate_per_s=rate)
    curve = replace(rated, began_ns=BEGAN_NS, rate_per_s=0.0, curves=(RateCurve.constant(rate),))
    span = (BEGAN_NS + 5 + from_ns, BEGAN_NS + 5 + from_ns + length_ns)
    assert curve.expected(*span) == pytest.approx(rated.expected(*span), rel=1e-9, abs=1e-5)
    assert abs(curve.at_least(*span) - rated.at_least(*span)) <= 1
    assert curve.natural_gap(10) == rated.natural_gap(10)


LOAD = LoadRecord(model="open", rate_per_s=10, spacing="uniform")


@pytest.mark.parametrize(
    ("load", "says"),
    [
        (None, "its rate is not above 0 or was not recorded"),
        (LOAD.model_copy(update={"rate_per_s": None}), "its rate is not above 0 or was not recorded"),
        (LOAD.model_copy(update={"rate_per_s": 0}), "its rate is not above 0 or was not recorded"),
        (LOAD.model_copy(update={"rate_per_s": float("nan")}), "its rate is not above 0 or was not recorded"),
        (LOAD.model_copy(update={"rate_per_s": float("inf")}), "its rate is not above 0 or was not recorded"),
        (LOAD.model_copy(update={"model": "closed"}), "its rate is not above 0 or was not recorded"),
        (LOAD.model_copy(update={"lacks": ("schedule",)}), "its rate is not above 0 or was not recorded"),
        (LOAD.model_copy(update={"curves": (RAMP,)}), "when its curves began was not recorded"),
    ],
)
def test_a_load_without_a_schedule_says_what_it_lacks(load: LoadRecord | None, says: str) -> None:
    with pytest.raises(LookupError, match=says):
        schedule_of(load, 0)


@pytest.mark.parametrize(
    ("changes", "coarse_s"),
    [
        ({}, 0),
        ({"spacing": "replayed"}, 2),  # the curve of replayed arrivals is drawn second by second
        ({"spacing": ""}, 2),
        ({"lacks": ("start-resolution",), "workers": (Worker(name="w", clock_uncertainty_ns=S),)}, 2),
    ],
)
def test_gaps_that_the_record_cannot_resolve_are_no_gaps(changes: dict[str, object], coarse_s: float) -> None:
    load = LOAD.model_copy(update={"curves": (RAMP,), "began_ns": BEGAN_NS, **changes})
    assert schedule_of(load, 0).coarse_s == coarse_s
