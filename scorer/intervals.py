"""Intervals and the exact bounds that measures rest on. `docs/measurement.md` derives each of them.

Confidence is that of each bound taken alone: a grade rests on one bound, and so a pass, or a fail, is wrong in at
most 1 - confidence of all drills.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interval:
    """The closed interval [low, high]; either end may be infinite."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ValueError(f"not an interval: [{self.low}, {self.high}]")

    def __contains__(self, figure: float) -> bool:
        return self.low <= figure <= self.high

    def scaled(self, factor: float) -> Interval:
        """The interval of `factor` times the quantity; `factor` is positive."""
        return Interval(self.low * factor, self.high * factor)

    def since(self, earlier: Interval) -> Interval:
        """How long after `earlier` this happened, never less than zero."""
        return Interval(max(0.0, self.low - earlier.high), max(0.0, self.high - earlier.low))


def clopper_pearson(bad: int, trials: int, confidence: float) -> Interval:
    """Exact bounds of a probability after `bad` of `trials` (Clopper and Pearson, 1934). No trials: [0, 1]."""
    from scipy.special import betaincinv

    low = betaincinv(bad, trials - bad + 1, 1 - confidence) if bad > 0 else 0.0
    high = betaincinv(bad + 1, trials - bad, confidence) if bad < trials else 1.0
    return Interval(float(low), float(high))


def trials_needed(bad: int, limit: float, confidence: float) -> int:
    """The fewest trials, `bad` of them bad, whose Clopper–Pearson upper bound is at most `limit` (0 < limit < 1)."""

    def shown(trials: int) -> bool:
        return trials > bad and _more_than(bad, trials, limit) >= confidence

    many = bad + 1
    while not shown(many):
        many *= 2
    return bisect_left(range(many), True, key=shown)


def quantile_ranks(trials: int, quantile: float, confidence: float) -> tuple[int | None, int | None]:
    """1-based ranks of the order statistics that bound a quantile from below and from above; None where there is none.

    Distribution-free: the number of observations at or under the quantile is binomial (David and Nagaraja, 7.1).
    """
    ranks = range(1, trials + 1)
    above = bisect_left(ranks, confidence, key=lambda rank: _at_most(rank - 1, trials, quantile))
    not_below = bisect_left(ranks, True, key=lambda rank: _more_than(rank - 1, trials, quantile) < confidence)
    return (ranks[not_below - 1] if not_below else None), (ranks[above] if above < trials else None)


def _at_most(hits: int, trials: int, chance: float) -> float:
    """The probability of at most so many hits, fewer than there are trials: the binomial distribution's.

    By the incomplete beta function, since scipy's `bdtr` counts trials in 32 bits.
    """
    from scipy.special import betainc

    return float(betainc(trials - hits, hits + 1, 1 - chance))


def _more_than(hits: int, trials: int, chance: float) -> float:
    """The probability of more hits than that."""
    from scipy.special import betainc

    return float(betainc(hits + 1, trials - hits, chance))


def reach(hits: int, last: int, miss: float) -> int:
    """How many trials a stretch may have had whose `hits` hits, each trial as likely as the next, ended at the `last`.

    The largest N for which the last of `hits` positions drawn from N is at `last` or before with a probability of at
    least `miss`: C(last, hits) / C(N, hits) ≥ miss. Whatever the probability of a hit, N is larger in at most `miss`.
    """
    if not 1 <= hits <= last:
        raise ValueError(f"{hits} hits do not fit into {last} trials")

    def log_choices(trials: int) -> float:
        return math.lgamma(trials + 1) - math.lgamma(trials - hits + 1)

    def too_far(trials: int) -> bool:
        return log_choices(last) - log_choices(trials) < math.log(miss) - 1e-9

    beyond = math.ceil(last * miss ** (-1 / hits)) + 2  # (last / N) ** hits is no smaller than the ratio of choices
    trials = range(last, beyond)
    return trials[bisect_left(trials, True, key=too_far) - 1]


def few_chance(most: int, hits: int, trials: int, looked_at: int) -> float:
    """The probability that of `hits` hits, each choice of their places among `trials` as likely as the next, at most
    `most` lie in `looked_at` places given beforehand: the hypergeometric distribution's."""

    def log_choices(places: int, taken: int) -> float:
        return math.lgamma(places + 1) - math.lgamma(taken + 1) - math.lgamma(places - taken + 1)

    found = range(max(0, looked_at - (trials - hits)), min(most, hits, looked_at) + 1)
    every = log_choices(trials, looked_at)
    return sum(math.exp(log_choices(hits, k) + log_choices(trials - hits, looked_at - k) - every) for k in found)


def tidy(figure: float) -> float | None:
    """A figure as a verdict shows it: nine significant digits, and None for an infinity, for which JSON has no number.

    Nine digits are far finer than any interval and hide the last bits, in which builds of scipy differ.
    """
    return None if math.isinf(figure) else float(f"{figure:.9g}") + 0.0
