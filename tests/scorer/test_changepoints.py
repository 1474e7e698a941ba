"""Changes of level: none where there are none, and found where they were planted."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import bdtr

from scorer.changepoints import History, change_points, cut_test, locate
from scorer.past import Reading
from scorer.sequential import Floats


def history(values: Sequence[float] | Floats, *, seed: int = 0) -> History:
    return change_points([Reading(at, float(value), float(value)) for at, value in enumerate(values)], seed=seed)


def unkind(kind: str, shape: tuple[int, int]) -> Floats:
    rng = np.random.default_rng(6)
    drawn: Floats = {
        "normal": lambda: rng.normal(size=shape),
        "heavy tails": lambda: rng.standard_cauchy(size=shape),
        "skewed": lambda: rng.lognormal(0, 1.5, size=shape),
        "tied": lambda: rng.poisson(1, size=shape).astype(np.float64),
        "mostly zero": lambda: np.where(rng.random(shape) < 0.1, rng.exponential(size=shape), 0.0),
    }[kind]()
    return drawn


@pytest.mark.parametrize("kind", ["normal", "heavy tails", "skewed", "tied", "mostly zero"])
@pytest.mark.parametrize("values", [8, 12, 30])
def test_a_noisy_history_shows_no_change(kind: str, values: int) -> None:
    """No more false alarms than a rate of 5 % gives in 999 of 1,000 such tests."""
    alarms = sum(cut_test(row, np.random.PCG64(i), 199)[1] <= 0.05 for i, row in enumerate(unkind(kind, (400, values))))
    assert alarms <= next(count for count in range(400) if bdtr(count, 400, 0.05) >= 0.999)


@pytest.mark.parametrize(
    ("before", "after", "shift", "power"), [(4, 4, 4, 0.9), (6, 6, 3, 0.9), (15, 15, 2, 0.95), (26, 4, 3, 0.9)]
)
def test_a_change_that_matters_is_found(before: int, after: int, shift: float, power: float) -> None:
    """Shifts in standard deviations of normal values; near the end as well as half way."""
    rows = unkind("normal", (200, before + after)) + np.repeat([0.0, shift], [before, after])
    assert np.mean([cut_test(row, np.random.PCG64(i), 199)[1] <= 0.05 for i, row in enumerate(rows)]) >= power


@pytest.mark.parametrize("kind", ["normal", "heavy tails", "tied"])
def test_the_bounds_of_the_place_hold_the_planted_one(kind: str) -> None:
    rows = unkind(kind, (150, 20)) + np.repeat([0.0, 3.0], [12, 8])
    held = 0
    for i, row in enumerate(rows):
        first, last = locate(row, 10, 0.05, np.random.PCG64(i))
        held += first <= 12 <= last
    assert held >= 135  # 95 % of 150, less 3 standard deviations


def test_two_planted_changes_are_found_with_their_levels() -> None:
    noise = np.random.default_rng(6).normal(size=36)
    found = history(noise + np.repeat([10.0, 20.0, 5.0], 12))
    assert [change.at_ns for change in found.changes] == [12, 24]
    for change in found.changes:
        assert change.low_ns <= change.at_ns <= change.high_ns
    assert [change.before for change in found.changes] == pytest.approx([10, 20], abs=1)
    assert [change.after for change in found.changes] == pytest.approx([20, 5], abs=1)
    assert found.says == "2 changes of level shown in 36 values"


@pytest.mark.parametrize("values", [[], [1], [1, 1, 9, 9], [1, 1, 1, 9, 9, 9, 9]])
def test_too_few_values_say_so_rather_than_no_change(values: list[float]) -> None:
    found = history(values)
    assert (found.enough, found.changes) == (False, ())
    assert found.says == f"{len(values)} values: too few to show a change of level"


def test_eight_values_are_enough_for_the_plainest_change() -> None:
    found = history([1, 2, 3, 4, 11, 12, 13, 14])
    assert [change.at_ns for change in found.changes] == [4]
    assert found.says == "1 change of level shown in 8 values"


@pytest.mark.parametrize("values", [[5.0] * 30, [*[5.0] * 20, 1e9, *[5.0] * 9], [*[5.0] * 29, 1e9]])
def test_a_single_outlier_is_no_change_of_level(values: list[float]) -> None:
    found = history(values)
    assert found.changes == ()
    assert found.says == "no changes of level shown in 30 values"


def test_missing_readings_are_counted_and_open_ones_rank_by_the_bound_they_have() -> None:
    some = [Reading(at, 3.0 + at % 3, 3.0 + at % 3) for at in range(10)]
    some += [Reading(10, -inf, inf), *[Reading(at, 600, inf) for at in range(11, 21)]]
    found = change_points(some)
    assert [change.at_ns for change in found.changes] == [11]
    assert (found.values, found.missing) == (20, 1)
    assert found.says == "1 change of level shown in 20 values, 1 missing"


def test_readings_need_not_come_in_order() -> None:
    some = [Reading(at, float(at >= 10), float(at >= 10)) for at in range(20)]
    assert change_points(some[::-1]) == change_points(some)
    assert [change.at_ns for change in change_points(some).changes] == [10]


@given(st.lists(st.integers(0, 9), min_size=8, max_size=24), st.integers(0, 5))
@settings(max_examples=25)
def test_only_the_order_of_the_values_matters_and_the_same_seed_finds_the_same(values: list[int], seed: int) -> None:
    found, stretched = history(values, seed=seed), history([value**3 + 1.0 for value in values], seed=seed)
    assert history(values, seed=seed) == found
    assert [(c.at_ns, c.low_ns, c.high_ns, c.p_value) for c in stretched.changes] == [
        (c.at_ns, c.low_ns, c.high_ns, c.p_value) for c in found.changes
    ]


@given(st.lists(st.floats(-1e6, 1e6), min_size=8, max_size=24))
@settings(max_examples=25)
def test_changes_leave_two_values_on_each_side_and_lie_within_their_bounds(values: list[float]) -> None:
    found = history(values)
    places = [0, *(change.at_ns for change in found.changes), len(values)]
    assert all(later - earlier >= 2 for earlier, later in pairwise(places))
    for change in found.changes:
        assert change.low_ns <= change.at_ns <= change.high_ns
        assert 0 < change.p_value <= 0.05
