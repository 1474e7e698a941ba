"""Bounds for any number of looks: proved by exact enumeration, and by simulation where trials differ."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betaincinv

from scorer.intervals import clopper_pearson, trials_needed
from scorer.sequential import Floats, always_valid, log_wealth, upper_bounds

WEEKS = 200
SHARES = (0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99)


def clopper_pearson_high(bad: Floats, trials: int) -> Floats:
    """The upper bounds at 95 %, for each number of bad trials."""
    highs: Floats = np.where(bad < trials, betaincinv(bad + 1, np.maximum(trials - bad, 1), 0.95), 1.0)
    return highs


def ever_wrong(chances: Floats, *, every: int = 1, always: bool = True) -> float:
    """The probability that at one of the looks, one in `every` trials, the upper bound lies below the truth. Exact.

    The trials are bad with these chances, and the truth is their mean so far. All numbers of bad trials are carried
    along with their probabilities; a history whose bound was wrong leaves.
    """
    right, wrong = np.array([1.0]), 0.0
    for trials, (chance, truth) in enumerate(zip(chances, means(chances), strict=True), start=1):
        right = np.append(right * (1 - chance), 0.0) + np.append(0.0, right * chance)
        if trials % every:
            continue
        bad = np.arange(trials + 1.0)
        errs = log_wealth(bad, trials, truth) >= np.log(20) if always else clopper_pearson_high(bad, trials) < truth
        wrong += right[errs].sum()
        right[errs] = 0.0
    return wrong


def means(chances: Floats) -> Floats:
    """The mean of the first one, two, three, ... chances."""
    running: Floats = np.cumsum(chances) / np.arange(1, len(chances) + 1)
    return running


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("drills_a_week", [1, 3])
def test_looking_200_times_errs_in_at_most_5_per_cent_of_all_histories(share: float, drills_a_week: int) -> None:
    assert ever_wrong(np.full(WEEKS * drills_a_week, share), every=drills_a_week) <= 0.05


@pytest.mark.parametrize(("share", "drills_a_week", "wrong"), [(0.05, 1, 0.117), (0.05, 3, 0.190), (0.5, 1, 0.245)])
def test_looking_200_times_at_clopper_pearson_errs_far_more_often(
    share: float, drills_a_week: int, wrong: float
) -> None:
    """Or else there would be no need for this."""
    found = ever_wrong(np.full(WEEKS * drills_a_week, share), every=drills_a_week, always=False)
    assert found == pytest.approx(wrong, abs=0.005)


@pytest.mark.parametrize(
    "chances",
    [
        pytest.param(0.5 * 0.97 ** np.arange(WEEKS), id="hardening"),
        pytest.param(0.02 + 0.003 * np.arange(WEEKS), id="decaying"),
        pytest.param(np.resize([0.001, 0.02, 0.9], WEEKS), id="a mix of drills"),
        pytest.param(np.repeat([0.02, 0.4], WEEKS // 2), id="a change"),
    ],
)
def test_drills_may_differ(chances: Floats) -> None:
    assert ever_wrong(chances) <= 0.05
    assert ever_wrong(1 - chances) <= 0.05


@pytest.mark.parametrize(("after_good", "after_bad"), [(0.4, 0.02), (0.02, 0.4), (0.98, 0.6), (0.6, 0.98)])
def test_the_next_drill_may_be_chosen_by_how_the_last_one_came_out(after_good: float, after_bad: float) -> None:
    """The truth is then the mean of the chances of those that were run: it is another one in each history. Exact."""
    good_last, bad_last = np.array([1.0]), np.array([0.0])  # by number of bad trials, and by how the last came out
    wrong = 0.0
    for trials in range(1, WEEKS + 1):
        good_last, bad_last = (
            np.append(good_last * (1 - after_good) + bad_last * (1 - after_bad), 0.0),
            np.append(0.0, good_last * after_good + bad_last * after_bad),
        )
        bad = np.arange(trials + 1.0)
        for last, states in enumerate((good_last, bad_last)):
            chosen_after_bad = np.clip(bad - last, 0, trials - 1)  # what the last one led to is still to come
            truth = (chosen_after_bad * after_bad + (trials - chosen_after_bad) * after_good) / trials
            errs = log_wealth(bad, trials, truth) >= np.log(20)
            wrong += states[errs].sum()
            states[errs] = 0.0
    assert wrong <= 0.05
    assert good_last.sum() + bad_last.sum() + wrong == pytest.approx(1)


@pytest.mark.parametrize(
    ("bad", "limit", "needs", "at_one_look"),
    [(0, 0.05, 67, 59), (1, 0.05, 141, 93), (2, 0.05, 185, 124), (0, 0.2, 16, 14)],
)
def test_the_price_of_looking_at_any_time(bad: int, limit: float, needs: int, at_one_look: int) -> None:
    assert trials_needed(bad, limit, 0.95) == at_one_look
    assert always_valid(bad, needs, 0.95).high <= limit < always_valid(bad, needs - 1, 0.95).high


def test_without_trials_everything_is_possible() -> None:
    bounds = always_valid(0, 0, 0.95)
    assert (bounds.low, bounds.high) == (0, 1)


@given(st.integers(0, 300), st.integers(0, 300), st.floats(0.5, 0.99))
@settings(max_examples=60)
def test_always_valid_bounds_hold_the_observed_share_and_those_of_a_single_look(
    bad: int, good: int, confidence: float
) -> None:
    once, always = clopper_pearson(bad, bad + good, confidence), always_valid(bad, bad + good, confidence)
    assert always.low <= once.low + 1e-12
    assert once.high <= always.high + 1e-12
    mirrored = always_valid(good, bad + good, confidence)
    assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((always.low, always.high))


@given(st.integers(0, 100), st.integers(1, 100), st.floats(0.001, 0.999))
@settings(max_examples=60)
def test_the_bounds_hold_just_what_is_not_excluded(bad: int, good: int, share: float) -> None:
    trials, bounds = bad + good, always_valid(bad, bad + good, 0.95)
    assert (share < bounds.high) == (log_wealth(bad, trials, share) < np.log(20))
    assert (share > bounds.low) == (log_wealth(good, trials, 1 - share) < np.log(20))


@given(st.integers(0, 200), st.integers(1, 200))
@settings(max_examples=60)
def test_one_more_good_trial_lowers_the_bounds_and_one_more_bad_trial_raises_them(bad: int, good: int) -> None:
    now, better, worse = upper_bounds([bad, bad, bad + 1], [bad + good, bad + good + 1, bad + good + 1], 0.95)
    assert better <= now <= worse
