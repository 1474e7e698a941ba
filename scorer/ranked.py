"""Order statistics of as many requests as there are, exact and in memory that doesn't grow with them.

A radix selection: the first pass counts values by their leading bits, a later one those of the few cells that hold the
ranks asked for, ever finer, until a cell is one value. Where `near` has found them already, nothing of it is needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scorer.batch import Batch, Cut
from scorer.requests import EARLY_NS, Ints, Requests
from scorer.values import NEVER_NS, Of, values_of

if TYPE_CHECKING:
    from scorer.facts import Facts

_DROPPED_BITS = 9
"""Of the 23 of a float's fraction: cells are 1/16,384 to 1/32,768 of their values wide."""
_CELLS = 1 << 20


def order_statistics(facts: Facts, cut: Cut, of: Of, ranks: Sequence[int]) -> list[int]:
    """The values in ns of some 1-based ranks among a cut's sent requests: 0 below the first, NEVER_NS beyond the last
    that was answered."""
    near = _near(facts, cut, of, ranks)
    if near is not None:
        return near
    places = places_of(facts, cut, of, ranks)
    while spans := spans_of(places):
        counts = dict(zip(spans, facts.of(Closer(cut, of, spans)), strict=True))
        places = [
            closer(place, counts[place.low_ns, place.high_ns]) if isinstance(place, Place) else place
            for place in places
        ]
    found = [place for place in places if not isinstance(place, Place)]
    from_zero = EARLY_NS if of == "lateness" else 0
    return [
        value if rank < 1 or value == NEVER_NS else value - from_zero for rank, value in zip(ranks, found, strict=True)
    ]


def read(facts: Facts, cut: Cut, asked: Mapping[Of, Sequence[int]]) -> None:
    """Gather what the order statistics of some ranks need, of all kinds together. Raises BundleError."""
    open_ = [of for of, ranks in asked.items() if _near(facts, cut, of, ranks) is None]
    facts.gather(Cells(cut, of) for of in open_)
    facts.gather(Closer(cut, of, spans_of(places_of(facts, cut, of, asked[of]))) for of in open_)


def _near(facts: Facts, cut: Cut, of: Of, ranks: Sequence[int]) -> list[int] | None:
    """The order statistics as one reading found them; None where it didn't."""
    for near in facts.near:
        if (near.cut, near.of) == (cut, of):
            known = facts.of(near)
            found = [0 if rank < 1 else known.of_rank(rank) for rank in ranks]
            every = [value for value in found if value is not None]
            return every if len(every) == len(found) else None
    return None


def places_of(facts: Facts, cut: Cut, of: Of, ranks: Sequence[int]) -> list[Place | int]:
    """Where the values of some ranks lie after the first pass."""
    seen = facts.of(Cells(cut, of))
    return [first_place(seen, rank) for rank in ranks]


@dataclass(frozen=True, slots=True)
class Seen:
    """So many values in each cell from `first` on, and `never` that are greater than all."""

    first: int
    counts: Ints
    never: int


@dataclass(frozen=True, slots=True)
class Cells:
    """The piece that counts the values of a cut's sent requests by their leading bits."""

    cut: Cut
    of: Of

    def look(self, batch: Batch) -> Seen:
        """The cells of a batch."""
        values, never = _from_zero(batch.cut(self.cut.of_sent), self.of)
        if not len(values):
            return Seen(0, np.zeros(0, dtype=np.int64), never)
        cells = values.astype(np.float32).view(np.int32) >> _DROPPED_BITS
        first = int(cells.min())
        return Seen(first, np.bincount(cells - first), never)

    def fold(self) -> _Histogram:
        """Empty cells."""
        return _Histogram()


class _Histogram:
    def __init__(self) -> None:
        self.first, self.counts, self.never = 0, np.zeros(0, dtype=np.int64), 0

    def add(self, part: Seen) -> None:
        self.never += part.never
        if not len(part.counts):
            return
        if not len(self.counts):
            self.first, self.counts = part.first, part.counts.copy()
            return
        first = min(self.first, part.first)
        last = max(self.first + len(self.counts), part.first + len(part.counts))
        if first < self.first or last > self.first + len(self.counts):
            wider = np.zeros(last - first, dtype=np.int64)
            wider[self.first - first :][: len(self.counts)] = self.counts
            self.first, self.counts = first, wider
        self.counts[part.first - self.first :][: len(part.counts)] += part.counts

    def result(self) -> Seen:
        return Seen(self.first, self.counts, self.never)


@dataclass(frozen=True, slots=True)
class Place:
    """The values in [`low_ns`, `high_ns`), of which one is asked for that has the 1-based rank `rank` among them."""

    low_ns: int
    high_ns: int
    rank: int


@dataclass(frozen=True, slots=True)
class Closer:
    """The piece that counts values within some spans [low, high) in steps."""

    cut: Cut
    of: Of
    spans: tuple[tuple[int, int], ...]

    def look(self, batch: Batch) -> tuple[Ints, ...]:
        """The values of a batch that lie within each."""
        values, _ = _from_zero(batch.cut(self.cut.of_sent), self.of)
        return tuple(values[(values >= low) & (values < high)] for low, high in self.spans)

    def fold(self) -> _Steps:
        """Nothing counted yet."""
        return _Steps(self.spans)


class _Steps:
    def __init__(self, spans: tuple[tuple[int, int], ...]) -> None:
        self.spans = spans
        self.counts = [np.zeros(-(-(high - low) // step(low, high)), dtype=np.int64) for low, high in spans]

    def add(self, part: tuple[Ints, ...]) -> None:
        for (low, high), counts, values in zip(self.spans, self.counts, part, strict=True):
            np.add.at(counts, (values - low) // step(low, high), 1)

    def result(self) -> list[Ints]:
        return self.counts


def _from_zero(sent: Requests, of: Of) -> tuple[Ints, int]:
    """The values from 0 on: lateness counts from the earliest that a timer may fire, EARLY_NS before its time."""
    values, never = values_of(sent, of)
    return values.astype(np.int64, copy=False) + (EARLY_NS if of == "lateness" else 0), never


def step(low_ns: int, high_ns: int) -> int:
    """How wide the steps are in which values of a span are counted."""
    return -(-(high_ns - low_ns) // _CELLS)


def first_place(seen: Seen, rank: int) -> Place | int:
    """Where the value of a 1-based rank lies; the value itself where it is 0 or never: of no such rank."""
    if rank < 1:
        return 0
    upto = np.cumsum(seen.counts)
    if not len(upto) or rank > upto[-1]:
        return NEVER_NS
    cell = int(np.searchsorted(upto, rank))
    before = int(upto[cell - 1]) if cell else 0
    return Place(_edge(seen.first + cell), _edge(seen.first + cell + 1), rank - before)


def closer(place: Place, counts: Ints) -> Place | int:
    """Where in a span it lies, by the counts of its steps."""
    width, upto = step(place.low_ns, place.high_ns), np.cumsum(counts)
    cell = int(np.searchsorted(upto, place.rank))
    low, before = place.low_ns + cell * width, int(upto[cell - 1]) if cell else 0
    return low if width == 1 else Place(low, min(place.high_ns, low + width), place.rank - before)


def spans_of(places: Iterable[Place | int]) -> tuple[tuple[int, int], ...]:
    """The spans that must be counted to come closer to these."""
    return tuple(sorted({(place.low_ns, place.high_ns) for place in places if isinstance(place, Place)}))


def _edge(cell: int) -> int:
    """The least value that falls into a cell or a later one: rounding to a float never changes the order of two."""
    edge = int(np.array([cell << _DROPPED_BITS], dtype=np.int32).view(np.float32)[0]) if cell > 0 else 0
    low, high = max(0, edge - (edge >> 20) - 2), edge + (edge >> 20) + 2
    while low < high:
        middle = (low + high) // 2
        if int(np.array([middle], dtype=np.int64).astype(np.float32).view(np.int32)[0]) >> _DROPPED_BITS >= cell:
            high = middle
        else:
            low = middle + 1
    return low
