from __future__ import annotations

import math
from itertools import islice, takewhile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundle.rates import MAX_RATE_PER_S, RateCurve
from gameday.load.arrivals import RecordedArrivals, Spacing, due_times_ns

MS = 1_000_000
rates = st.floats(0.01, MAX_RATE_PER_S)
spacings = st.sampled_from(Spacing)


def first(count: int, rate: float, spacing: Spacing = Spacing.UNIFORM, seed: str = "0") -> list[int]:
    return list(islice(due_times_ns(RateCurve.constant(rate), spacing, seed), count))


@pytest.mark.parametrize(
    ("rate", "expected_ms"),
    [
        (100, [0, 10, 20, 30]),  # the first is due at once, the others at even gaps
        (1, [0, 1000, 2000]),
        (0.5, [0, 2000]),  # fewer than one a second
        (3, [0, 333.333333, 666.666667, 1000]),  # rounding does not add up
        (0, []),  # nothing is ever due, not even at the start
    ],
)
def test_uniform_arrivals_are_due_at_even_gaps(rate: float, expected_ms: list[float]) -> None:
    assert first(len(expected_ms) or 3, rate) == [round(ms * MS) for ms in expected_ms]


def test_the_millionth_arrival_is_due_where_multiplication_puts_it() -> None:
    """No error adds up over a long run."""
    *_, last = islice(due_times_ns(RateCurve.constant(300), Spacing.UNIFORM, "0"), 300_001)
    assert last == 1000 * 1_000_000_000


def test_a_rate_of_zero_ends_the_schedule_of_either_spacing() -> None:
    assert [first(1, 0, spacing) for spacing in Spacing] == [[], [], []]


@given(rates, spacings, st.text(max_size=5))
def test_due_times_never_go_back_and_are_the_same_for_the_same_seed(rate: float, spacing: Spacing, seed: str) -> None:
    due = first(200, rate, spacing, seed)
    assert due == sorted(due)
    assert due[0] >= 0
    assert due == first(200, rate, spacing, seed)


@given(st.floats(1, 1000), st.floats(0.1, 3))
def test_as_many_uniform_arrivals_come_in_a_time_as_the_rate_says(rate: float, elapsed_s: float) -> None:
    end_ns = elapsed_s * 1e9
    count = sum(
        1 for _ in takewhile(lambda due: due < end_ns, due_times_ns(RateCurve.constant(rate), Spacing.UNIFORM, ""))
    )
    assert abs(count - rate * elapsed_s) <= 1


def test_poisson_gaps_are_exponential() -> None:
    """Mean and standard deviation of an exponential are both 1/rate; its median is ln 2 / rate. Seeded: never flaky."""
    gaps_s = np.diff(first(50_000, 200, Spacing.POISSON)) / 1e9
    assert gaps_s.mean() == pytest.approx(1 / 200, rel=0.02)
    assert gaps_s.std() == pytest.approx(1 / 200, rel=0.02)
    assert np.median(gaps_s) == pytest.approx(math.log(2) / 200, rel=0.02)


def test_another_seed_gives_other_poisson_arrivals() -> None:
    assert first(10, 100, Spacing.POISSON, "1") != first(10, 100, Spacing.POISSON, "2")


def test_a_ramp_sends_more_and_more() -> None:
    """A ramp of +2/s each second expects t² arrivals by t, so the n-th is due at √n."""
    due = list(islice(due_times_ns(RateCurve(((0, 0), (10, 20))), Spacing.UNIFORM, ""), 5))
    assert due == [round(math.sqrt(n) * 1e9) for n in range(5)]


@pytest.mark.parametrize("spacing", [Spacing.UNIFORM, Spacing.POISSON])
def test_a_curve_that_ends_at_rate_zero_ends_the_schedule(spacing: Spacing) -> None:
    curve = RateCurve(((0, 100), (1, 100), (1, 0)))
    due = list(due_times_ns(curve, spacing, "1"))
    assert due[-1] < 1e9
    assert len(due) == pytest.approx(100, abs=0 if spacing is Spacing.UNIFORM else 40)


def test_the_arrivals_of_a_poisson_process_follow_its_curve() -> None:
    """In each second as many as the curve expects, give or take four standard deviations. Seeded: never flaky."""
    curve = RateCurve(((0, 100), (5, 1000), (5, 0), (6, 0), (6, 300), (8, 300), (8, 0)))
    due_s = np.array(list(due_times_ns(curve, Spacing.POISSON, "7"))) / 1e9
    expected = np.diff(curve.expected(np.arange(9)))
    assert np.all(np.abs(np.histogram(due_s, np.arange(9))[0] - expected) <= 4 * np.sqrt(expected))


def test_recorded_arrivals_come_when_they_came() -> None:
    recorded = RecordedArrivals((0, 0.5, 0.5, 2))
    assert list(due_times_ns(recorded, Spacing.REPLAYED, "")) == [0, 500 * MS, 500 * MS, 2000 * MS]
    assert list(due_times_ns(recorded.scaled(2), Spacing.REPLAYED, "")) == [0, 250 * MS, 250 * MS, 1000 * MS]
    assert recorded.stretched(3).length_s == 6
    assert recorded.highest_per_s == 2


def test_the_curve_of_recorded_arrivals_holds_all_of_them() -> None:
    curve = RecordedArrivals((0, 0.5, 0.5, 2.25)).curve()
    assert curve.expected([0, 1, 2, 3, 9]).tolist() == [0, 3, 3, 4, 4]


@pytest.mark.parametrize("times_s", [(), (1.0, 2.0), (0.0, 2.0, 1.0), (0.0, math.nan), (0.0, math.inf)])
def test_recorded_arrivals_that_make_no_sense_are_refused(times_s: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="recorded arrivals"):
        RecordedArrivals(times_s)
