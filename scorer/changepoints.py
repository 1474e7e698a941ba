"""When a metric's level changed over the history of game days.

Binary segmentation by ranks, where each cut must pass a permutation test. Decision 8 says why not by a library.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scorer.past import Reading
from scorer.sequential import Floats

PERMUTATIONS = 1_999
_LOCATING = 499
_LEAST = 2
"""A level has at least so many values: a single one is an outlier."""

Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """A change of level: `at_ns` is the first run of the new level, with the bounds of where it may have been.

    before, after: the medians of the two levels. They have no bounds: levels that were chosen for being far apart
    look farther apart than they are. p_value: that of the test which found it.
    """

    at_ns: int
    low_ns: int
    high_ns: int
    before: float
    after: float
    p_value: float


@dataclass(frozen=True, slots=True)
class History:
    """The changes of a metric over its history, oldest first.

    enough: whether so few values could have shown any change. missing: how many readings are, anywhere in the history.
    """

    changes: tuple[ChangePoint, ...]
    values: int
    missing: int
    enough: bool

    @property
    def says(self) -> str:
        """One line for a person."""
        missing = f", {self.missing} missing" if self.missing else ""
        if not self.enough:
            return f"{self.values} values{missing}: too few to show a change of level"
        changes = f"{len(self.changes) or 'no'} change{'' if len(self.changes) == 1 else 's'} of level"
        return f"{changes} shown in {self.values} values{missing}"


def change_points(past: Sequence[Reading], *, confidence: float = 0.95, seed: int = 0) -> History:
    """Find the changes of level. Of histories without any, a share of at most 1 - `confidence` shows one.

    A value that is open on one side ("not recovered within 600 s") ranks by the bound that it has. The same history
    and seed give the same answer everywhere: permutations are drawn from the raw stream of PCG64, which is fixed.
    """
    known = [reading for reading in sorted(past, key=lambda reading: reading.at_ns) if not reading.missing]
    values = np.array([_figure(reading) for reading in known])
    random = np.random.PCG64(seed)
    p_values: dict[int, float] = {}
    _segment(values, 0, 1 - confidence, random, p_values)
    cuts = sorted(p_values)
    levels = [0, *cuts, len(values)]
    found = []
    for start, cut, end in zip(levels, cuts, levels[2:], strict=False):
        first, last = locate(values[start:end], cut - start, 1 - confidence, random)
        found.append(
            ChangePoint(
                at_ns=known[cut].at_ns,
                low_ns=known[start + first].at_ns,
                high_ns=known[start + last].at_ns,
                before=float(np.median(values[start:cut])),
                after=float(np.median(values[cut:end])),
                p_value=p_values[cut],
            )
        )
    return History(tuple(found), len(known), len(past) - len(known), _enough(len(known), 1 - confidence))


def cut_test(values: Floats, random: np.random.PCG64, permutations: int = PERMUTATIONS) -> tuple[int, float]:
    """The likeliest cut, as the number of values before it, and the p-value of "all are of one level".

    The largest standardised rank sum over all cuts (as Pettitt, 1979, but standardised), against random orders of
    the values. Exact for any distribution, ties included.
    """
    scores = cut_scores(_ranks(values)[None, :])[0]
    orders = _orders(np.zeros(len(values), dtype=bool), permutations, random)
    largest = cut_scores(_ranks(values)[orders]).max(axis=1)
    return int(scores.argmax()) + _LEAST, _p_value(scores.max(), largest)


def locate(values: Floats, place: int, alpha: float, random: np.random.PCG64) -> tuple[int, int]:
    """The least and greatest cut that isn't excluded, `place` among them, as numbers of values before it.

    A cut is excluded where the values before it, or those after it, are so plainly not of one level that random
    orders within each side reach as large a score in a share of at most `alpha`.
    """
    ranks = _ranks(values)
    largest = cut_scores(ranks[None, :]).max()
    kept = [place]
    for cut in range(_LEAST, len(values) - _LEAST + 1):
        orders = _orders(np.arange(len(values)) >= cut, _LOCATING, random)
        if _p_value(largest, cut_scores(ranks[orders]).max(axis=1)) > alpha:
            kept.append(cut)
    return min(kept), max(kept)


def cut_scores(ranks: Floats) -> Floats:
    """For each row of ranks, and each cut that leaves enough values on both sides: how far apart the sides are."""
    n = ranks.shape[1]
    before = np.arange(_LEAST, n - _LEAST + 1)
    sums = np.cumsum(ranks - (n + 1) / 2, axis=1)[:, before - 1]
    scores: Floats = np.abs(sums) / np.sqrt(before * (n - before) / n)
    return scores


def _segment(values: Floats, start: int, alpha: float, random: np.random.PCG64, found: dict[int, float]) -> None:
    """Add the cuts of a stretch that begins at `start`, with their p-values, to `found`."""
    if not _enough(len(values), alpha):
        return
    cut, p_value = cut_test(values, random)
    if p_value <= alpha:
        found[start + cut] = p_value
        _segment(values[:cut], start, alpha, random, found)
        _segment(values[cut:], start + cut, alpha, random, found)


def _enough(values: int, alpha: float) -> bool:
    """Whether the plainest change, in the middle, would be shown: both of its orders are as extreme."""
    return values >= 2 * _LEAST and 2 / math.comb(values, values // 2) <= alpha


def _figure(reading: Reading) -> float:
    if math.isinf(reading.low):
        return reading.high
    return reading.low if math.isinf(reading.high) else (reading.low + reading.high) / 2


def _ranks(values: Floats) -> Floats:
    """1-based ranks; tied values share the mean of theirs."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Floats = (np.cumsum(counts) - (counts - 1) / 2)[which]
    return ranks


def _orders(side: npt.NDArray[np.bool_], permutations: int, random: np.random.PCG64) -> Indices:
    """Random orders, a row each, in which every place keeps a value of its own side."""
    keys = random.random_raw(permutations * len(side)).reshape(permutations, len(side)) >> np.uint64(1)
    return np.argsort(keys | side.astype(np.uint64) << np.uint64(63), axis=1, kind="stable")


def _p_value(score: float, permuted: Floats) -> float:
    """The share of orders that score as high, the observed one among them."""
    return float(1 + np.count_nonzero(permuted >= score - 1e-9)) / (len(permuted) + 1)
