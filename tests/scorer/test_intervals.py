"""The exact bounds, against published figures, against enumeration, and by property."""

from __future__ import annotations

from itertools import combinations
from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import bdtr

from scorer.intervals import Interval, clopper_pearson, few_chance, quantile_ranks, reach, tidy, trials_needed


@pytest.mark.parametrize(
    ("bad", "trials", "confidence", "low", "high"),
    [
        (0, 10, 0.975, 0, 0.30850),  # Clopper and Pearson's own table, two-sided 95 %
        (3, 10, 0.975, 0.06674, 0.65245),
        (10, 10, 0.975, 0.69150, 1),
        (0, 598, 0.95, 0, 0.0049970),
        (0, 0, 0.95, 0, 1),
    ],
)
def test_clopper_pearson_gives_the_published_bounds(
    bad: int, trials: int, confidence: float, low: float, high: float
) -> None:
    bounds = clopper_pearson(bad, trials, confidence)
    assert (bounds.low, bounds.high) == pytest.approx((low, high), abs=1e-5)


@pytest.mark.parametrize("trials", [1, 7, 40])
@pytest.mark.parametrize("share", [0.001, 0.05, 0.3, 0.5, 0.98])
def test_each_bound_of_clopper_pearson_errs_no_more_often_than_promised(trials: int, share: float) -> None:
    """Exactly, by enumerating every outcome."""
    outcome = np.diff(bdtr(np.arange(trials + 1), trials, share), prepend=0.0)
    bounds = [clopper_pearson(bad, trials, 0.95) for bad in range(trials + 1)]
    assert sum(p for p, b in zip(outcome, bounds, strict=True) if b.high < share) <= 0.05 + 1e-12
    assert sum(p for p, b in zip(outcome, bounds, strict=True) if b.low > share) <= 0.05 + 1e-12


@pytest.mark.parametrize(("bad", "limit", "needs"), [(0, 0.005, 598), (0, 0.05, 59), (0, 0.01, 299), (2, 0.01, 628)])
def test_trials_needed_is_the_fewest_that_show_the_claim(bad: int, limit: float, needs: int) -> None:
    assert trials_needed(bad, limit, 0.95) == needs
    assert clopper_pearson(bad, needs, 0.95).high <= limit < clopper_pearson(bad, needs - 1, 0.95).high


@pytest.mark.parametrize(
    ("trials", "ranks"),
    [
        (0, (None, None)),
        (2, (1, None)),
        (58, (52, None)),
        (59, (53, 59)),
        (1000, (938, 962)),
    ],
)
def test_the_ranks_that_bound_the_95th_percentile(trials: int, ranks: tuple[int | None, int | None]) -> None:
    assert quantile_ranks(trials, 0.95, 0.95) == ranks


def test_a_few_hundred_million_requests_bound_a_percentile_too() -> None:
    low, high = quantile_ranks(300_000_000, 0.95, 0.95)
    assert low is not None
    assert high is not None
    assert 285_000_000 - 6300 < low < 285_000_000 < high < 285_000_000 + 6300


@pytest.mark.parametrize("trials", [2**31 - 1, 2**31, 2**33 + 1])
def test_more_requests_than_32_bits_count_bound_a_percentile_alike(trials: int) -> None:
    low, high = quantile_ranks(trials, 0.95, 0.95)
    assert low is not None
    assert high is not None
    spread = 1.645 * (trials * 0.95 * 0.05) ** 0.5  # the normal distribution's, which so many are close to
    assert 0.95 * trials - low == pytest.approx(spread, rel=0.01)
    assert high - 0.95 * trials == pytest.approx(spread, rel=0.01)


def test_a_promise_may_need_more_requests_than_32_bits_count() -> None:
    assert trials_needed(0, 1e-9, 0.95) == pytest.approx(2.9957e9, rel=1e-4)


@pytest.mark.parametrize(
    ("hits", "last", "miss", "expected"),
    [
        (1, 1, 0.05, 20),  # one of N positions is the first with probability 1/N
        (25, 25, 0.04, 25),  # a hard outage of 25 ends with its last bad request: 1/26 < 0.04
        (6, 6, 0.04, 7),  # 1/7 ≥ 0.04 > 1/28
        (25, 225, 0.04, 254),  # one in nine: 29 more
    ],
)
def test_how_far_an_outage_may_have_gone_on_unseen(hits: int, last: int, miss: float, expected: int) -> None:
    assert reach(hits, last, miss) == expected


@pytest.mark.parametrize(("trials", "hits"), [(8, 3), (9, 1), (7, 7), (10, 5)])
@pytest.mark.parametrize("miss", [0.05, 0.2])
def test_reach_falls_short_no_more_often_than_promised(trials: int, hits: int, miss: float) -> None:
    """Exactly, over every way in which the hits can lie among the trials."""
    lasts = [max(chosen) for chosen in combinations(range(1, trials + 1), hits)]
    short = sum(reach(hits, last, miss) < trials for last in lasts)
    assert short <= miss * len(lasts)


def test_hits_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="3 hits do not fit into 2 trials"):
        reach(3, 2, 0.05)


@given(st.integers(1, 40), st.integers(0, 500), st.floats(0.001, 0.2))
@settings(max_examples=100)
def test_reach_includes_the_last_hit_and_grows_as_the_chance_to_err_shrinks(hits: int, more: int, miss: float) -> None:
    reached = reach(hits, hits + more, miss)
    assert reached >= hits + more
    assert reach(hits, hits + more, miss / 2) >= reached


@given(st.integers(0, 200), st.integers(0, 200), st.floats(0.5, 0.99))
@settings(max_examples=100)
def test_clopper_pearson_holds_the_observed_share_and_widens_with_confidence(
    bad: int, good: int, confidence: float
) -> None:
    narrow, wide = clopper_pearson(bad, bad + good, confidence), clopper_pearson(bad, bad + good, (1 + confidence) / 2)
    assert wide.low <= narrow.low <= narrow.high <= wide.high
    if bad + good:
        assert narrow.low - 1e-12 <= bad / (bad + good) <= narrow.high + 1e-12


@given(st.tuples(*[st.integers(-100, 100)] * 4))
def test_the_time_since_holds_the_difference_of_any_two_moments(ends: tuple[int, int, int, int]) -> None:
    a, b, c, d = ends
    earlier, later = Interval(min(a, b), max(a, b)), Interval(min(c, d), max(c, d))
    for before in (earlier.low, earlier.high):
        for after in (later.low, later.high):
            assert max(0, after - before) in later.since(earlier)


@pytest.mark.parametrize(("low", "high"), [(2, 1), (float("nan"), 1), (0, float("nan"))])
def test_what_is_no_interval_is_refused(low: float, high: float) -> None:
    with pytest.raises(ValueError, match="not an interval"):
        Interval(low, high)


@pytest.mark.parametrize(
    ("figure", "shown"),
    [
        (1 / 3, 0.333333333),
        (inf, None),
        (-0.0, 0.0),
        (1234567.891234, 1234567.89),
    ],
)
def test_figures_are_shown_with_nine_digits(figure: float, shown: float | None) -> None:
    assert tidy(figure) == shown
    assert str(tidy(figure)) == str(shown)


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_the_chance_of_few_hits_is_that_of_all_choices_of_their_places(
    trials: int, hits: int, looked_at: int, most: int
) -> None:
    hits, looked_at = min(hits, trials), min(looked_at, trials)
    choices = [sum(place < looked_at for place in places) <= most for places in combinations(range(trials), hits)]
    assert few_chance(most, hits, trials, looked_at) == pytest.approx(np.mean(choices))
