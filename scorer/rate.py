"""A rate of passes and what it shows: bounds, grade, probability, and how many more passes it would take."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from scorer.intervals import Interval, clopper_pearson, tidy
from scorer.objective import grade
from scorer.requests import Flags, Ints
from scorer.sequential import Floats, upper_bounds
from scorer.verdict import Grade, Measure

Lows = Callable[[Ints, Ints, float], Floats]
"""Lower bounds of the rates of passes, from how many passed, how many were valid, and the confidence."""

_ONCE = "Clopper–Pearson, for a single look"
_ALWAYS = "mixture of likelihood ratios, for any number of looks"


@dataclass(frozen=True, slots=True)
class Promise:
    """Shares that are promised, and the confidence of each bound that they are held against."""

    target: float
    threshold: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Stratum:
    """The valid runs of one weight, and the share of the whole rate that they make up."""

    weight: float
    share: float
    passed: int
    valid: int

    @property
    def counts(self) -> str:
        """One line for a person."""
        return f"{self.passed} of {self.valid} valid runs passed"


@dataclass(frozen=True, slots=True)
class Claim:
    """What the counts show: the rate in per cent with bounds, its grade against the target, and how far it is off.

    more_passes: how many more drills in a row must pass to show the target, severities mixed as they were; None where
    no number of them would.
    """

    measure: Measure
    verdict: Grade
    more_passes: int | None


@dataclass(frozen=True, slots=True)
class Rate:
    """One rate and what it shows.

    once: what may be claimed if this is the only look, by Clopper and Pearson.
    always: what may be claimed at every look, however often one looks and whatever makes one stop.
    probability: that the true rate is at least the target, by Jeffreys' prior; None where no drill was valid.
    """

    once: Claim
    always: Claim
    probability: float | None


def rate_of(strata: Sequence[Stratum], promise: Promise) -> Rate:
    """What the runs show, whose weights make up one stratum or several; their shares add up to 1."""
    return Rate(
        once=_claim(strata, promise, _lows_once, _ONCE),
        always=_claim(strata, promise, _lows_always, _ALWAYS),
        probability=probability(strata, promise.target) if any(stratum.valid for stratum in strata) else None,
    )


def _lows_once(passed: Ints, valid: Ints, confidence: float) -> Floats:
    from scipy.special import betaincinv

    lows: Floats = np.where(passed > 0, betaincinv(np.maximum(passed, 1), valid - passed + 1, 1 - confidence), 0.0)
    return lows


def _lows_always(passed: Ints, valid: Ints, confidence: float) -> Floats:
    return 1.0 - upper_bounds(valid - passed, valid, confidence)


def single_look(passed: int, valid: int, confidence: float) -> Measure:
    """The pass rate in per cent, with its bounds by Clopper and Pearson."""
    return _measure([Stratum(1.0, 1.0, passed, valid)], clopper_pearson(passed, valid, confidence), _ONCE, confidence)


def _claim(strata: Sequence[Stratum], promise: Promise, lows: Lows, method: str) -> Claim:
    """Bounds of each weight's own rate, together at the promised confidence (Bonferroni), averaged by weight.

    Conservative where there are several: all of their rates would have to be at their bounds at once.
    """
    passed, valid = (np.array([[s.passed for s in strata], [s.valid for s in strata]], dtype=np.int64))[:, :, None]
    shares = np.array([s.share for s in strata])
    every = int(valid.sum())
    each = 1 - (1 - promise.confidence) / len(strata)

    def low_after(more: Ints) -> Floats:
        added = -(-more * valid // every) if every else more + 0 * valid
        summed: Floats = np.minimum(1.0, shares @ lows(passed + added, valid + added, each))
        return summed

    now = Interval(
        float(low_after(np.zeros(1, dtype=np.int64))[0]), float(1 - shares @ lows(valid - passed, valid, each)[:, 0])
    )
    return Claim(
        measure=_measure(strata, now, method, promise.confidence),
        verdict=grade(now.low, now.high, promise.target, promise.threshold, "at least"),
        more_passes=None if promise.target == 1 else _least(lambda more: low_after(more) >= promise.target),
    )


def _measure(strata: Sequence[Stratum], bounds: Interval, method: str, confidence: float) -> Measure:
    valid = sum(stratum.valid for stratum in strata)
    by = f", Bonferroni over {len(strata)} severities" if len(strata) > 1 else ""
    return Measure(
        name="pass-rate-by-severity" if by else "pass-rate",
        value=tidy(100 * math.fsum(s.share * s.passed / s.valid for s in strata)) if valid else None,
        low=tidy(100 * bounds.low),
        high=tidy(100 * bounds.high),
        unit="%",
        n=valid,
        method=f"{method}{by}, each bound at {100 * confidence:g} %",
        evidence=tuple(f"weight {s.weight:g}: {s.counts}" if by else s.counts for s in strata),
    )


def _least(shown: Callable[[Ints], Flags]) -> int:
    """The least number from 0 on that shows it, where all greater ones do as well; 50 are tried at a time."""
    below, least = -1, 0
    while not shown(np.array([least]))[0]:
        below, least = least, max(1, 50 * least)
    while least - below > 1:
        tried = np.unique(np.linspace(below + 1, least, 50).astype(np.int64))
        first = int(np.argmax(shown(tried)))
        below, least = int(tried[first - 1]) if first else below, int(tried[first])
    return least


def probability(strata: Sequence[Stratum], target: float) -> float:
    """The posterior probability that the true rate is at least `target`, from Jeffreys' prior Beta(½, ½).

    Each of several strata has such a prior of its own; they are added up on a grid of 1/10,000 of the rate.
    """
    from scipy.special import betainc, betaincc

    after = [(stratum.passed + 0.5, stratum.valid - stratum.passed + 0.5) for stratum in strata]
    if len(strata) == 1:
        return float(betaincc(*after[0], target))
    cells = 10_000
    edges = np.arange(cells + 1) / cells
    chances = np.ones(1)
    for stratum, beta in zip(strata, after, strict=True):
        below = betainc(*beta, np.minimum(1.0, edges / stratum.share))
        chances = np.convolve(chances, np.diff(below[: math.ceil(stratum.share * cells) + 1]))
    middles = (np.arange(len(chances)) + len(strata) / 2) / cells
    return min(1.0, float(chances @ np.clip((middles - target) * cells + 0.5, 0, 1)))
