"""One metric of the newest game day against the past: how far it shifted, within which bounds, and what that shows.

An exact test by ranks: it asks nothing of the distribution, so that ties, skew and outliers don't fool it, and where
there are too few values to show anything it says so. `docs/measurement.md` derives it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import count, dropwhile
from typing import Literal

import numpy as np

from scorer.intervals import tidy
from scorer.passrate import DrillRun
from scorer.sequential import Floats
from scorer.verdict import Measure

Worse = Literal["higher", "lower"]


class Change(StrEnum):
    """What the comparison shows. Only `no change` says that there is none, and only within a margin that was given."""

    REGRESSION = "regression"
    IMPROVEMENT = "improvement"
    NO_CHANGE = "no change"
    WITHIN_NOISE = "within noise"
    INCONCLUSIVE = "inconclusive"
    MISSING = "missing"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Reading:
    """A metric's value in one run, as an interval: [value, value] where it is known, else what is known of it.

    "Not recovered within 600 s" is [600, ∞]. What is missing may be anything: [-∞, ∞].
    """

    at_ns: int
    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.high or self.low == math.inf or self.high == -math.inf:
            raise ValueError(f"not an interval of values: [{self.low}, {self.high}]")

    @classmethod
    def of(cls, at_ns: int, measure: Measure | None) -> Reading:
        """A measure's value, or its bounds where it has none. Without observations it is missing.

        The bounds of a value that is known aren't used: what is uncertain of it makes values vary from run to run,
        and that is what the test looks at.
        """
        if measure is None or (measure.value is None and not measure.n):
            return cls(at_ns, -math.inf, math.inf)
        if measure.value is not None:
            return cls(at_ns, measure.value, measure.value)
        return cls(
            at_ns,
            -math.inf if measure.low is None else measure.low,
            math.inf if measure.high is None else measure.high,
        )

    @property
    def missing(self) -> bool:
        """Whether nothing at all is known of it."""
        return self.low == -math.inf and self.high == math.inf


@dataclass(frozen=True, slots=True)
class Comparison:
    """The newest values of a metric against the past ones.

    shift: how much higher the newest are: the median of all differences (Hodges and Lehmann), with exact bounds.
    relative: the shift as a share of the past's median; None where that is zero or open.
    p_worse, p_better: of the one-sided tests. says: one line for a person.
    """

    metric: str
    change: Change
    shift: Measure
    relative: float | None
    p_worse: float
    p_better: float
    says: str


def readings(runs: Iterable[DrillRun], metric: str) -> list[Reading]:
    """A metric of runs of one drill, oldest first: an objective's measure or one without a target, by its name.

    Where a run was invalid or doesn't have it, it is missing.
    """
    oldest_first = sorted(runs, key=lambda run: run.at_ns)
    return [Reading.of(run.at_ns, _measure(run, metric) if run.valid else None) for run in oldest_first]


def compare(
    metric: str,
    past: Sequence[Reading],
    newest: Sequence[Reading],
    *,
    unit: str,
    worse: Worse = "higher",
    margin: float | None = None,
    confidence: float = 0.95,
) -> Comparison:
    """Compare the newest values with the past ones, each bound by itself at `confidence`.

    margin: the largest shift, in the metric's unit, that doesn't matter; without one `no change` can't be shown.
    Game days before the metric was first seen are left out. One that is missing later, or in the newest game day, may
    have had any value. Assumes that values of different runs are independent, and each side's alike.
    """
    past = list(dropwhile(lambda reading: reading.missing, sorted(past, key=lambda reading: reading.at_ns)))
    chances = rank_sum_chances(len(past), len(newest))
    least = np.sort((_lows(newest)[:, None] - _highs(past)).ravel())
    most = np.sort((_highs(newest)[:, None] - _lows(past)).ravel())
    cut = int(np.searchsorted(chances, 1 - confidence + 1e-12, side="right"))  # so many differences lie outside
    low = float(least[cut - 1]) if cut else -math.inf
    high = float(most[-cut]) if cut else math.inf
    # P(U ≥ u) = P(U ≤ pairs - u)
    p_higher = float(chances[np.count_nonzero(least <= 0)])
    p_lower = float(chances[np.count_nonzero(most >= 0)])
    possible = min(chances[np.count_nonzero(least == -math.inf)], chances[np.count_nonzero(most == math.inf)])
    middle = _median(least, most)
    shift = Measure(
        name=f"shift of {metric}",
        value=tidy(middle) if middle is not None else None,
        low=tidy(low),
        high=tidy(high),
        unit=unit,
        n=len(past) + len(newest),
        method=f"Hodges–Lehmann, exact bounds by the rank-sum test, each at {100 * confidence:g} %",
        evidence=(_counts("past", past), _counts("newest", newest)),
    )
    change = _change(past, newest, low, high, worse, margin, possible <= 1 - confidence + 1e-12)
    usual = _median(np.sort(_lows(past)), np.sort(_highs(past)))
    p_worse, p_better = (p_higher, p_lower) if worse == "higher" else (p_lower, p_higher)
    return Comparison(
        metric=metric,
        change=change,
        shift=shift,
        relative=middle / abs(usual) if middle is not None and usual else None,
        p_worse=p_worse,
        p_better=p_better,
        says=f"{metric}: {_says(change, shift, past, newest, confidence)}",
    )


def rank_sum_chances(past: int, newest: int) -> Floats:
    """P(U ≤ u) for u = 0, …, past · newest, where U counts the pairs in which the newest is higher, if all are alike.

    Mann and Whitney (1947), by counting the subsets of ranks by their sum. With ties it is too large rather than too
    small for the pairs that are strictly higher, whatever order were drawn among the tied ones.
    """
    few, pairs = min(past, newest), past * newest
    ways = np.zeros((few + 1, pairs + 1))
    ways[0, 0] = 1.0
    for rank in range(past + newest):
        for chosen in range(min(rank + 1, few), 0, -1):  # as many as `rank - chosen + 1` that were not chosen are below
            below = rank - chosen + 1
            if below <= past + newest - few:
                ways[chosen, below:] += ways[chosen - 1, : pairs + 1 - below]
    chances: Floats = np.cumsum(ways[few]) / math.comb(past + newest, few)
    return chances


def needed_beside(others: int, confidence: float) -> int:
    """The fewest values on one side with which so many on the other (at least 1) could show a shift at all."""
    return next(own for own in count(1) if math.comb(own + others, own) * (1 - confidence) >= 1 - 1e-12)


def _measure(run: DrillRun, metric: str) -> Measure | None:
    named = {measure.name: measure for measure in run.verdict.measures}
    named |= {objective.name: objective.measure for objective in run.verdict.objectives}
    return named.get(metric)


def _lows(some: Sequence[Reading]) -> Floats:
    return np.array([reading.low for reading in some], dtype=np.float64)


def _highs(some: Sequence[Reading]) -> Floats:
    return np.array([reading.high for reading in some], dtype=np.float64)


def _median(lows: Floats, highs: Floats) -> float | None:
    """The median of values between these, each sorted; None where it is open."""
    if not len(lows):
        return None
    middles = [(len(lows) - 1) // 2, len(lows) // 2]
    low, high = lows[middles].tolist(), highs[middles].tolist()
    return (low[0] + low[1]) / 2 if low == high else None


def _change(
    past: Sequence[Reading],
    newest: Sequence[Reading],
    low: float,
    high: float,
    worse: Worse,
    margin: float | None,
    possible: bool,
) -> Change:
    gone = [reading.missing for reading in newest]
    if all(gone):
        return Change.MISSING
    if not past:
        return Change.NEW
    if margin is not None and -margin <= low and high <= margin and not any(gone):
        return Change.NO_CHANGE
    if low > 0 or high < 0:
        return Change.REGRESSION if (low > 0) == (worse == "higher") else Change.IMPROVEMENT
    if any(gone):
        return Change.MISSING
    return Change.WITHIN_NOISE if possible else Change.INCONCLUSIVE


def _counts(which: str, some: Sequence[Reading]) -> str:
    missing = sum(reading.missing for reading in some)
    return f"{which}: {len(some) - missing} known" + (f", {missing} missing" if missing else "")


def _says(change: Change, shift: Measure, past: Sequence[Reading], newest: Sequence[Reading], confidence: float) -> str:
    if change is Change.MISSING:
        gone = sum(reading.missing for reading in newest)
        return f"missing from {gone} of {len(newest)} newest runs; whether it changed can't be told"
    if change is Change.NEW:
        return "no past game day has it"
    if change is Change.INCONCLUSIVE:
        needs = needed_beside(len(newest), confidence)
        settled_by = f"it takes {needs} past ones, or {needed_beside(len(past), confidence)} newest ones"
        return f"{len(past)} past and {len(newest)} newest values can't show any shift; " + (
            settled_by if needs > len(past) else "too many of them are missing or open"
        )
    bounds = " to ".join("unbounded" if end is None else f"{end:+.4g}" for end in (shift.low, shift.high))
    value = "open" if shift.value is None else f"{shift.value:+.4g} {shift.unit}"
    return f"{change}, shifted by {value} ({bounds} {shift.unit})"
