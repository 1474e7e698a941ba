"""The requests that recovery is followed through, from any of them on, without holding them all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from scorer.batch import Cut
from scorer.intervals import trials_needed
from scorer.omission import Pace
from scorer.requests import Flags, Ints, Requests
from scorer.source import Source
from scorer.stretch import bad_requests
from scorer.targets import Slo


@dataclass(frozen=True, slots=True)
class Done:
    """A request, by its place in the trail, and when it was done, UTC ns."""

    index: int
    done_ns: int


@dataclass(frozen=True, eq=False)
class Trail:
    """The requests of a cut in order; `sizes` is how many of them each batch holds."""

    source: Source
    cut: Cut
    sizes: Ints

    def rows_from(self, index: int) -> Iterator[tuple[int, Requests]]:
        """The requests from a place on, in parts, and the place of the first of each."""
        before = np.append(0, np.cumsum(self.sizes))
        if index >= before[-1]:
            return
        first = int(np.searchsorted(before, index, side="right")) - 1
        at = int(before[first])
        for rows in self.source.each(lambda batch: batch.cut(self.cut), first):
            if at + len(rows) > index and len(rows):
                skipped = max(0, index - at)
                yield at + skipped, rows if not skipped else rows.where(np.arange(skipped, len(rows)))
            at += len(rows)

    def first_good(self, index: int) -> Done | None:
        """Which of the requests from `index` on got a good answer first; None where none did."""
        found: Done | None = None
        for at, rows in self.rows_from(index):
            if found is not None and rows.start_ns[0] >= found.done_ns:  # nothing is done before it is sent
                break
            good = np.flatnonzero(rows.ok)
            if len(good):
                done_ns = rows.done_ns[good]
                place = int(np.argmin(done_ns))
                if found is None or int(done_ns[place]) < found.done_ns:
                    found = Done(at + int(good[place]), int(done_ns[place]))
        return found

    def let_through(self, hits: Ints) -> Flags:
        """Between which of some bad requests and the one before it others were surely handled well.

        One of `len(hits) - 1` is true where a good request was sent after the earlier, and answered before the later
        was sent. Of those that overlap, nobody knows in which order they were handled: at the end of a hard outage
        they mix.
        """
        earliest = np.full(max(0, len(hits) - 1), np.iinfo(np.int64).max)
        starts = np.zeros(len(earliest), dtype=np.int64)
        if not len(earliest):
            return np.zeros(0, dtype=np.bool_)
        for at, rows in self.rows_from(int(hits[0])):
            done_ns = rows.done_ns
            for number, (one, later) in enumerate(zip(hits[:-1].tolist(), hits[1:].tolist(), strict=True)):
                between = done_ns[max(0, one + 1 - at) : max(0, later - at)]
                earliest[number] = min(earliest[number], between.min(initial=earliest[number]))
                if at <= later < at + len(rows):
                    starts[number] = rows.start_ns[later - at]
            if at + len(rows) > hits[-1]:
                break
        found: Flags = earliest < starts
        return found

    def needed(self, slo: Slo, missing: int, confidence: float, pace: Pace | None) -> tuple[int, Done | None]:
        """How many requests from the first on exclude an outage that breaks an SLO, with `missing` more that were bad;
        and by which of them all were done, None where there are not so many."""
        needs, bad, latest = missing + 1, missing, None
        for at, rows in self.rows_from(0):
            flags = bad_requests(rows, slo)
            sums = bad + np.cumsum(flags if pace is None else flags * pace.of(rows))
            while needs <= at + len(rows):
                more = trials_needed(int(sums[needs - 1 - at]), slo.tolerated, confidence)
                if more <= needs:
                    break
                needs = more
            among = rows.done_ns[: max(0, needs - at)]
            place = int(np.argmax(among))
            if latest is None or int(among[place]) > latest.done_ns:
                latest = Done(at + place, int(among[place]))
            if needs <= at + len(rows):
                return needs, latest
            bad = int(sums[-1])
        return needs, None
