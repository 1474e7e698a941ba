"""Percentiles found in one reading: a glance at a few batches says about where they lie, and values near by are kept.

A glance is a guess. Where it misses, as it may in a drill whose latencies change much, `ranked` finds them in two more
readings, as exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scorer.batch import Batch, Cut
from scorer.extent import blocks
from scorer.requests import Ints, Requests
from scorer.source import Source
from scorer.values import NEVER_NS, Of, values_of

SHARES: Mapping[Of, float] = {"latency": 0.95, "lateness": 0.99}
"""Which percentile is asked for of each."""
_MARGIN = 0.1
"""So far on both sides of it, as a share of what lies beyond it, the glance may be wrong."""
_EVERY = 16
_MOST = 1 << 23
"""No more values are kept than this."""


@dataclass(frozen=True, slots=True)
class Near:
    """The piece that keeps the values in [`low_ns`, `high_ns`) of a cut's sent requests, and counts those below."""

    cut: Cut
    of: Of
    low_ns: int
    high_ns: int

    def look(self, batch: Batch) -> _Part:
        """The values of a batch."""
        values, _ = values_of(batch.cut(self.cut.of_sent), self.of)
        below, parts = 0, [values[:0]]
        for rows in blocks(len(values)):
            block = values[rows]
            lower = block < self.low_ns
            below += int(np.count_nonzero(lower))
            parts.append(block[np.flatnonzero(lower != (block < self.high_ns))])
        within = np.concatenate(parts).astype(np.int64) - self.low_ns
        return _Part(below, len(values), within.astype(np.uint32) if self.high_ns - self.low_ns < 1 << 32 else within)

    def fold(self) -> _Kept:
        """Nothing kept yet."""
        return _Kept(self.low_ns)


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Of `count` values so many lie `below` one of `low_ns`; those just above exceed it by `excess`, in order."""

    low_ns: int
    below: int
    excess: npt.NDArray[np.uint32 | np.int64]
    count: int

    def of_rank(self, rank: int) -> int | None:
        """The value of a 1-based rank among all, NEVER_NS beyond the last; None where it isn't known."""
        if rank > self.count:
            return NEVER_NS
        place = rank - 1 - self.below
        return self.low_ns + int(self.excess[place]) if 0 <= place < len(self.excess) else None


@dataclass(frozen=True, slots=True)
class _Part:
    """So many of `count` values lie below; by how much those within exceed the least that may."""

    below: int
    count: int
    within: npt.NDArray[np.uint32 | np.int64]


class _Kept:
    def __init__(self, low_ns: int) -> None:
        self.low_ns, self.below, self.count, self.within = low_ns, 0, 0, 0
        self.parts: list[npt.NDArray[np.uint32 | np.int64]] = []

    def add(self, part: _Part) -> None:
        self.below += part.below
        self.count += part.count
        self.within += len(part.within)
        self.parts.append(part.within)
        if self.within > _MOST:
            self.parts.clear()

    def result(self) -> Neighbours:
        excess = np.concatenate([np.empty(0, dtype=np.uint32), *self.parts])
        self.parts.clear()
        excess.sort()
        return Neighbours(self.low_ns, self.below, excess, self.count)


def glance(source: Source, cut: Cut) -> list[Near]:
    """Where the percentiles of a cut seem to lie; nowhere where a source gives no sample. Raises BundleError."""
    seen = list(source.sample(lambda batch: [_some(batch.cut(cut.of_sent), of) for of in SHARES]))
    found = []
    for of, parts in zip(SHARES, zip(*seen, strict=True), strict=bool(seen)):
        values = np.sort(np.concatenate(parts))
        margin = _MARGIN * (1 - SHARES[of])
        low, high = (int(share * len(values)) for share in (SHARES[of] - margin, SHARES[of] + margin))
        if len(values):
            found.append(Near(cut, of, int(values[low]), min(NEVER_NS, int(values[high]) + 1)))
    return found


def _some(sent: Requests, of: Of) -> Ints:
    """One of so many of their values, those of never among them."""
    some = sent if len(sent) < _EVERY else sent.where(np.arange(0, len(sent), _EVERY))
    values, never = values_of(some, of)
    return np.append(values, np.full(never, NEVER_NS))
