"""What a rate shows: the probability of meeting the target, and rates of several severities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import bdtr, betainc, betaincc

from scorer.intervals import clopper_pearson
from scorer.rate import Claim, Promise, Stratum, probability, rate_of, single_look
from scorer.verdict import Grade

TARGET = Promise(target=0.95, threshold=0.8, confidence=0.95)


def strata(*counts: tuple[float, int, int]) -> list[Stratum]:
    """From weight, passed and valid of each."""
    total = sum(weight * valid for weight, _, valid in counts)
    return [Stratum(weight, weight * valid / total, passed, valid) for weight, passed, valid in counts]


def ends(claim: Claim) -> tuple[float, float]:
    assert claim.measure.low is not None
    assert claim.measure.high is not None
    return claim.measure.low, claim.measure.high


def test_the_probability_of_meeting_the_target_is_jeffreys_posterior() -> None:
    assert probability([Stratum(1, 1, 59, 59)], 0.95) == pytest.approx(1 - betainc(59.5, 0.5, 0.95))
    angles = (np.arange(200_000) + 0.5) / 200_000 * np.pi / 2  # of sin², which takes the poles out of the density
    density = np.sin(angles) ** (2 * 57) * np.cos(angles) ** (2 * 2)
    assert probability([Stratum(1, 1, 57, 59)], 0.95) == pytest.approx(
        density[np.sin(angles) ** 2 >= 0.95].sum() / density.sum(), abs=1e-4
    )
    assert probability([Stratum(1, 1, 0, 0)], 0.5) == pytest.approx(0.5)


def test_jeffreys_probability_is_right_as_often_as_it_says_when_rates_are_drawn_from_its_prior() -> None:
    rng = np.random.default_rng(6)
    truth = rng.beta(0.5, 0.5, 40_000)
    passed = rng.binomial(20, truth)
    for k in (0, 18, 19, 20):
        held = truth[passed == k] >= 0.95
        assert held.mean() == pytest.approx(probability([Stratum(1, 1, k, 20)], 0.95), abs=4 * 0.5 / np.sqrt(len(held)))


@pytest.mark.parametrize("target", [0.8, 0.9, 0.95])
def test_the_probability_of_a_rate_by_severity_is_that_of_the_weighted_sum(target: float) -> None:
    """Against the integral over the posterior of one of the two."""
    light, heavy = strata((1, 28, 30), (3, 9, 10))
    angles = (np.arange(20_000) + 0.5) / 20_000 * np.pi / 2
    rate, density = np.sin(angles) ** 2, np.sin(angles) ** 56 * np.cos(angles) ** 4
    needs = np.clip((target - light.share * rate) / heavy.share, 0, 1)
    expected = (density * betaincc(9.5, 1.5, needs)).sum() / density.sum()
    assert probability([light, heavy], target) == pytest.approx(expected, abs=2e-5)


def test_the_order_of_the_severities_does_not_matter() -> None:
    some = strata((2, 9, 10), (7, 3, 4))
    assert probability(some, 0.8) == pytest.approx(probability(some[::-1], 0.8))


@pytest.mark.parametrize("truths", [(0.95, 0.95), (0.99, 0.6), (0.5, 0.9)])
def test_each_bound_of_the_rate_by_severity_errs_no_more_often_than_promised(truths: tuple[float, float]) -> None:
    """Exactly, over every outcome of 8 drills of weight 1 and 4 of weight 4."""
    light, heavy = (
        np.diff(bdtr(np.arange(n + 1), n, truth), prepend=0.0) for n, truth in zip((8, 4), truths, strict=True)
    )
    truth = 100 * (8 * truths[0] + 16 * truths[1]) / 24
    too_high = too_low = 0.0
    for few, chance_few in enumerate(light):
        for many, chance_many in enumerate(heavy):
            low, high = ends(rate_of(strata((1, few, 8), (4, many, 4)), TARGET).once)
            too_high += chance_few * chance_many * (low > truth)
            too_low += chance_few * chance_many * (high < truth)
    assert too_high <= 0.05
    assert too_low <= 0.05


def test_the_bounds_by_severity_are_sums_of_those_of_each_which_hold_together() -> None:
    low, high = ends(rate_of(strata((1, 8, 8), (4, 3, 4)), TARGET).once)
    light, heavy = clopper_pearson(8, 8, 0.975), clopper_pearson(3, 4, 0.975)
    assert low == pytest.approx(100 * (8 * light.low + 16 * heavy.low) / 24)
    assert high == pytest.approx(100 * (8 * light.high + 16 * heavy.high) / 24)


@pytest.mark.parametrize(
    "counts", [[(1, 30, 30), (5, 2, 2)], [(1, 30, 30), (5, 1, 2)], [(1, 0, 1), (2, 3, 3), (8, 3, 3)]]
)
def test_so_many_more_passes_in_the_same_mix_show_the_target(counts: list[tuple[float, int, int]]) -> None:
    found = rate_of(strata(*counts), TARGET)
    valid = sum(n for _, _, n in counts)
    for which in ("once", "always"):
        claim = getattr(found, which)
        assert claim.more_passes > 0
        assert claim.verdict is not Grade.PASS
        for more, shown in ((claim.more_passes, True), (claim.more_passes - 1, False)):
            added = [-(-more * n // valid) for _, _, n in counts]
            then = [
                Stratum(s.weight, s.share, s.passed + a, s.valid + a)
                for s, a in zip(strata(*counts), added, strict=True)
            ]
            assert (getattr(rate_of(then, TARGET), which).verdict is Grade.PASS) == shown


@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)).filter(sum), min_size=1, max_size=3),
    st.floats(0.5, 0.99),
)
@settings(max_examples=30)
def test_bounds_hold_the_value_and_those_for_any_look_hold_those_for_one(
    counts: list[tuple[int, int]], target: float
) -> None:
    found = rate_of(
        strata(*[(weight, passed, passed + failed) for weight, (passed, failed) in enumerate(counts, start=1)]),
        Promise(target, target, 0.95),
    )
    (low, high), (least, most) = ends(found.once), ends(found.always)
    value = found.once.measure.value
    assert value is not None
    assert 0 <= least <= low + 1e-7
    assert low - 1e-7 <= value <= high + 1e-7
    assert high <= most + 1e-7 <= 100 + 1e-6
    assert found.probability is not None
    assert 0 <= found.probability <= 1 + 1e-9


def test_a_single_look_is_the_claim_that_may_be_made_once() -> None:
    assert single_look(9, 10, 0.95) == rate_of([Stratum(1, 1, 9, 10)], TARGET).once.measure
