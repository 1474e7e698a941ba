from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import islice, takewhile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.load.arrivals import MAX_RATE_PER_S, ConstantRate, Spacing, due_times_ns

MS = 1_000_000
rates = st.floats(0.01, MAX_RATE_PER_S)
spacings = st.sampled_from(Spacing)


def first(count: int, rate: float, spacing: Spacing = Spacing.UNIFORM, seed: str = "0") -> list[int]:
    return list(islice(due_times_ns(ConstantRate(rate), spacing, seed), count))


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
    *_, last = islice(due_times_ns(ConstantRate(300), Spacing.UNIFORM, "0"), 300_001)
    assert last == 1000 * 1_000_000_000


def test_a_rate_of_zero_ends_the_schedule_of_either_spacing() -> None:
    assert [first(1, 0, spacing) for spacing in Spacing] == [[], []]


@given(rates, spacings, st.text(max_size=5))
def test_due_times_never_go_back_and_are_the_same_for_the_same_seed(rate: float, spacing: Spacing, seed: str) -> None:
    due = first(200, rate, spacing, seed)
    assert due == sorted(due)
    assert due[0] >= 0
    assert due == first(200, rate, spacing, seed)


@given(st.floats(1, 1000), st.floats(0.1, 3))
def test_as_many_uniform_arrivals_come_in_a_time_as_the_rate_says(rate: float, elapsed_s: float) -> None:
    end_ns = elapsed_s * 1e9
    count = sum(1 for _ in takewhile(lambda due: due < end_ns, due_times_ns(ConstantRate(rate), Spacing.UNIFORM, "")))
    assert abs(count - rate * elapsed_s) <= 1


def test_poisson_gaps_are_exponential() -> None:
    """Mean and standard deviation of an exponential are both 1/rate; its median is ln 2 / rate. Seeded: never flaky."""
    gaps_s = np.diff(first(50_000, 200, Spacing.POISSON)) / 1e9
    assert gaps_s.mean() == pytest.approx(1 / 200, rel=0.02)
    assert gaps_s.std() == pytest.approx(1 / 200, rel=0.02)
    assert np.median(gaps_s) == pytest.approx(math.log(2) / 200, rel=0.02)


def test_another_seed_gives_other_poisson_arrivals() -> None:
    assert first(10, 100, Spacing.POISSON, "1") != first(10, 100, Spacing.POISSON, "2")


@pytest.mark.parametrize("rate", [-1, math.nan, math.inf, MAX_RATE_PER_S * 1.01])
def test_a_rate_that_makes_no_sense_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="a rate must be from 0 to 100000 arrivals a second"):
        ConstantRate(rate)


def test_another_shape_needs_only_the_inverse_of_its_expected_arrivals() -> None:
    """A ramp of +2/s each second expects t² arrivals by t, so the n-th is due at √n."""

    @dataclass
    class Ramp:
        def when_s(self, arrivals: float) -> float:
            return math.sqrt(arrivals)

    due = list(islice(due_times_ns(Ramp(), Spacing.UNIFORM, ""), 5))
    assert due == [round(math.sqrt(n) * 1e9) for n in range(5)]
