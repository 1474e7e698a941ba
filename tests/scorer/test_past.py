"""The newest game day against the past: exact by enumeration, by simulation on unkind data, and by property."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import combinations
from math import inf, nan
from random import Random

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.special import bdtr

from scorer.passrate import DrillRun
from scorer.past import Change, Comparison, Reading, Worse, compare, needed_beside, rank_sum_chances, readings
from scorer.verdict import Grade, Measure, Objective, Verdict

Draw = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]
MISSING = Reading(0, -inf, inf)
UNKIND: dict[str, Draw] = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "heavy tails": lambda rng, shape: rng.standard_cauchy(size=shape),
    "skewed": lambda rng, shape: rng.lognormal(0, 1.5, size=shape),
    "tied": lambda rng, shape: rng.poisson(1, size=shape).astype(np.float64),
    "mostly zero": lambda rng, shape: np.where(rng.random(shape) < 0.1, rng.exponential(size=shape), 0.0),
}


def known(values: Sequence[float]) -> list[Reading]:
    return [Reading(at, float(value), float(value)) for at, value in enumerate(values)]


def against(
    past: Sequence[float | Reading],
    newest: Sequence[float | Reading],
    *,
    worse: Worse = "higher",
    margin: float | None = None,
    confidence: float = 0.95,
) -> Comparison:
    sides = (
        [one if isinstance(one, Reading) else Reading(at, float(one), float(one)) for at, one in enumerate(side)]
        for side in (past, newest)
    )
    return compare("recovery", *sides, unit="s", worse=worse, margin=margin, confidence=confidence)


def bounds(comparison: Comparison) -> tuple[float, float]:
    low, high = comparison.shift.low, comparison.shift.high
    return -inf if low is None else low, inf if high is None else high


@pytest.mark.parametrize(("past", "newest"), [(1, 1), (4, 4), (5, 2), (2, 5), (6, 1), (3, 0)])
def test_the_chances_of_rank_sums_are_those_of_all_orders(past: int, newest: int) -> None:
    counts = np.zeros(past * newest + 1)
    for above in combinations(range(past + newest), newest):
        counts[sum(above) - newest * (newest - 1) // 2] += 1
    assert rank_sum_chances(past, newest) == pytest.approx(np.cumsum(counts) / counts.sum())


@pytest.mark.parametrize(("past", "newest", "critical"), [(5, 5, 4), (8, 8, 15), (10, 4, 7), (20, 20, 138)])
def test_the_chances_of_rank_sums_give_the_published_critical_values(past: int, newest: int, critical: int) -> None:
    """The tables of Mann and Whitney, one-sided at 5 %."""
    chances = rank_sum_chances(past, newest)
    assert chances[critical] <= 0.05 < chances[critical + 1]


def test_a_textbook_example() -> None:
    """Permeability of membranes, Hollander and Wolfe (1973), p. 69: one-sided p = 0.1272, shift 0.305."""
    at_term = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
    found = against([1.15, 0.88, 0.90, 0.74, 1.21], at_term)
    assert found.p_worse == pytest.approx(0.1272, abs=5e-5)
    assert found.shift.value == pytest.approx(0.305)
    assert found.change is Change.WITHIN_NOISE


@pytest.mark.parametrize(
    "values",
    [(1, 2, 3, 4, 5, 6, 7, 8), (0, 0, 0, 0, 1, 1, 2, 9), (0, 0, 0, 0, 0, 0, 0, 1), (5,) * 8, (1, 1, 1, 1, 2, 2, 2, 2)],
)
def test_of_all_orders_of_the_same_values_at_most_5_per_cent_show_a_regression(values: tuple[float, ...]) -> None:
    """Exactly, and with each of the bounds: a shift of 0 is the truth."""
    splits = [
        against([values[i] for i in range(8) if i not in chosen], [values[i] for i in chosen])
        for chosen in combinations(range(8), 4)
    ]
    assert sum(found.change is Change.REGRESSION for found in splits) <= 0.05 * len(splits)
    assert sum(bounds(found)[0] > 0 for found in splits) <= 0.05 * len(splits)
    assert sum(bounds(found)[1] < 0 for found in splits) <= 0.05 * len(splits)


@pytest.mark.parametrize("kind", UNKIND)
@pytest.mark.parametrize(("past", "newest"), [(4, 4), (12, 3), (30, 1)])
def test_a_noisy_metric_is_no_regression(kind: str, past: int, newest: int) -> None:
    """No more false alarms than a rate of 5 % gives in 999 of 1,000 such tests."""
    values = UNKIND[kind](np.random.default_rng(6), (600, past + newest))
    alarms = sum(against(row[:past], row[past:]).change is Change.REGRESSION for row in values)
    assert alarms <= next(count for count in range(600) if bdtr(count, 600, 0.05) >= 0.999)


@pytest.mark.parametrize(
    ("past", "newest", "shift", "power"), [(8, 4, 2, 0.75), (12, 4, 2, 0.85), (30, 4, 2, 0.9), (30, 1, 3, 0.75)]
)
def test_a_shift_that_matters_is_found(past: int, newest: int, shift: float, power: float) -> None:
    """Shifts in standard deviations of normal values."""
    values = np.random.default_rng(6).normal(size=(300, past + newest)) + np.repeat([0, shift], [past, newest])
    assert np.mean([against(row[:past], row[past:]).change is Change.REGRESSION for row in values]) >= power


@pytest.mark.parametrize(
    ("past", "newest", "says"),
    [
        (
            [1, 2, 3, 4],
            [99],
            "4 past and 1 newest values can't show any shift; it takes 19 past ones, or 3 newest ones",
        ),
        ([1, 2], [8, 9], "2 past and 2 newest values can't show any shift; it takes 5 past ones, or 5 newest ones"),
        ([1] * 18, [99], "18 past and 1 newest values can't show any shift; it takes 19 past ones, or 2 newest ones"),
        (
            [1, MISSING, MISSING, *[2] * 18],
            [99],
            "21 past and 1 newest values can't show any shift; too many of them are missing or open",
        ),
    ],
)
def test_too_few_values_are_inconclusive_and_say_what_it_takes(
    past: list[float | Reading], newest: list[float | Reading], says: str
) -> None:
    found = against(past, newest, margin=None)
    assert found.change is Change.INCONCLUSIVE
    assert found.says == f"recovery: {says}"


@pytest.mark.parametrize(("others", "needed"), [(1, 19), (2, 5), (3, 3), (4, 3), (5, 2), (18, 2), (19, 1)])
def test_so_many_values_can_show_a_shift_and_one_fewer_cannot(others: int, needed: int) -> None:
    assert needed_beside(others, 0.95) == needed
    assert rank_sum_chances(others, needed)[0] <= 0.05 + 1e-12
    assert rank_sum_chances(others, needed - 1)[0] > 0.05


@pytest.mark.parametrize(
    ("newest", "change", "says"),
    [
        ([], Change.MISSING, "recovery: missing from 0 of 0 newest runs; whether it changed can't be told"),
        ([MISSING], Change.MISSING, "recovery: missing from 1 of 1 newest runs; whether it changed can't be told"),
        (
            [1, 1, 1, MISSING],
            Change.MISSING,
            "recovery: missing from 1 of 4 newest runs; whether it changed can't be told",
        ),
        ([9, 9, 9, 9, MISSING], Change.REGRESSION, "recovery: regression, shifted by +8 s (+8 to +8 s)"),
    ],
)
def test_a_metric_that_went_missing_is_never_no_change(
    newest: list[float | Reading], change: Change, says: str
) -> None:
    found = against([1] * 30, newest, margin=100)
    assert found.change is change
    assert found.says == says


def test_game_days_before_the_metric_was_seen_are_left_out_and_later_gaps_are_not() -> None:
    late, gap = [MISSING] * 5 + known(range(20)), [*known(range(20)), MISSING]
    assert against([Reading(at, r.low, r.high) for at, r in enumerate(late)], [99]).change is Change.REGRESSION
    assert against([Reading(at, r.low, r.high) for at, r in enumerate(gap)], [99]).change is Change.INCONCLUSIVE
    assert against([MISSING] * 5, [99]).change is Change.NEW


def test_no_change_is_shown_only_within_a_margin_that_was_given() -> None:
    past, newest = [10, 11, 12, 13] * 5, [10, 11, 12, 13]
    assert against(past, newest).change is Change.WITHIN_NOISE
    assert against(past, newest, margin=0.9).change is Change.WITHIN_NOISE
    assert against(past, newest, margin=1).change is Change.NO_CHANGE
    assert against(past, [12.5] * 4, margin=3).change is Change.NO_CHANGE


def test_what_never_recovered_is_longer_than_all_that_did_within_that_time() -> None:
    found = against([3, 4, 5, 4], [Reading(9, 600, inf)] * 4)
    assert found.change is Change.REGRESSION
    assert (found.shift.value, *bounds(found)) == (None, 595, inf)
    assert found.says == "recovery: regression, shifted by open (+595 to unbounded s)"
    assert against([3, 4, 5, 700], [Reading(9, 600, inf)] * 4).change is Change.WITHIN_NOISE


def test_which_side_is_worse_turns_a_regression_into_an_improvement() -> None:
    past, newest = [99.1, 99.2, 99.3, 99.4], [90, 91, 92, 93]
    assert against(past, newest, worse="lower").change is Change.REGRESSION
    assert against(past, newest, worse="higher").change is Change.IMPROVEMENT
    assert against(past, newest, worse="lower").p_worse == pytest.approx(1 / 70)
    assert against(past, newest).relative == pytest.approx(-7.75 / 99.25)


def test_the_readings_of_a_drill_are_its_valid_measures_oldest_first() -> None:
    runs = [
        drill_run(3, measure(5.0)),
        drill_run(1, measure(4.0), where="measures"),
        drill_run(2, measure(9.0), grade=Grade.INVALID),
        drill_run(4, None),
    ]
    assert readings(runs, "recovery") == [
        Reading(1, 4, 4),
        Reading(2, -inf, inf),
        Reading(3, 5, 5),
        Reading(4, -inf, inf),
    ]


@pytest.mark.parametrize(
    ("value", "low", "high", "n", "reading"),
    [
        (5.0, 4.0, 6.0, 9, (5, 5)),
        (None, 600.0, None, 9, (600, inf)),
        (None, None, 3.0, 9, (-inf, 3)),
        (None, 0.0, 100.0, 0, (-inf, inf)),
    ],
)
def test_a_measure_without_a_value_is_what_its_bounds_say(
    value: float | None, low: float | None, high: float | None, n: int, reading: tuple[float, float]
) -> None:
    found = Reading.of(1, measure(value, low, high, n))
    assert (found.low, found.high) == reading
    assert found.missing == (n == 0)


@pytest.mark.parametrize(("low", "high"), [(2, 1), (nan, 1), (1, nan), (inf, inf), (-inf, -inf)])
def test_what_is_no_interval_of_values_is_refused(low: float, high: float) -> None:
    with pytest.raises(ValueError, match="not an interval of values"):
        Reading(0, low, high)


def measure(value: float | None, low: float | None = None, high: float | None = None, n: int = 1) -> Measure:
    return Measure(name="recovery", value=value, low=low, high=high, unit="s", n=n, method="")


def drill_run(at_ns: int, of: Measure | None, *, where: str = "objectives", grade: Grade = Grade.PASS) -> DrillRun:
    objective = (
        None
        if of is None
        else Objective(
            name="recovery", title="", verdict=grade, comparison="at most", target=1, threshold=1, measure=of, says=""
        )
    )
    verdict = Verdict(
        schema=1,
        drill="pod-kill",
        title="",
        run=f"run-{at_ns}",
        verdict=grade,
        summary="",
        validity=(),
        objectives=(objective,) if objective is not None and where == "objectives" else (),
        measures=(of,) if of is not None and where == "measures" else (),
        targets_sha256="",
    )
    return DrillRun(at_ns, verdict)


figures = st.integers(-20, 20).map(float)
sides = st.lists(figures, min_size=1, max_size=8)


@given(sides, sides, st.randoms())
@settings(max_examples=60)
def test_bounds_hold_the_shift_whatever_the_order_of_the_values(
    past: list[float], newest: list[float], random: Random
) -> None:
    found = against(past, newest)
    low, high = bounds(found)
    assert found.shift.value is not None
    assert low <= found.shift.value <= high
    assert min(found.p_worse, found.p_better) > 0
    random.shuffle(past)
    random.shuffle(newest)
    assert against(past, newest) == found


@given(sides, sides, st.integers(-50, 50), st.sampled_from([0.5, 2.0, 4.0]))
@settings(max_examples=60)
def test_the_shift_moves_with_the_newest_values_and_scales_with_the_unit(
    past: list[float], newest: list[float], moved: float, factor: float
) -> None:
    found = against(past, newest)
    later = against(past, [value + moved for value in newest])
    scaled = against([factor * value for value in past], [factor * value for value in newest])
    assert bounds(later) == tuple(end + moved for end in bounds(found))
    assert bounds(scaled) == tuple(end * factor for end in bounds(found))
    assert (scaled.change, scaled.p_worse) == (found.change, found.p_worse)
    assert (later.p_worse <= found.p_worse) if moved >= 0 else (later.p_worse >= found.p_worse)


@given(sides, sides)
@settings(max_examples=60)
def test_with_the_sides_exchanged_the_shift_is_the_opposite(past: list[float], newest: list[float]) -> None:
    found, opposite = against(past, newest), against(newest, past)
    assert bounds(opposite) == tuple(-end for end in reversed(bounds(found)))
    assert opposite.p_better == pytest.approx(found.p_worse)


@given(sides, sides, st.data())
@settings(max_examples=60)
def test_to_know_less_of_a_value_never_narrows_the_bounds(
    past: list[float], newest: list[float], data: st.DataObject
) -> None:
    assume(len(past) > 1)
    found = against(past, newest)
    where = data.draw(st.integers(1, len(past) - 1))
    value = past[where]
    vague = data.draw(st.sampled_from([Reading(where, value - 5, inf), Reading(where, -inf, value), MISSING]))
    less = against([*past[:where], Reading(where, vague.low, vague.high), *past[where + 1 :]], newest)
    assert bounds(less)[0] <= bounds(found)[0]
    assert bounds(less)[1] >= bounds(found)[1]
    assert less.p_worse >= found.p_worse - 1e-12
    assert math.isfinite(less.p_better)
