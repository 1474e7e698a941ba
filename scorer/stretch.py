"""The good stretch: from its start on every SLI is, and stays, within its SLO, to the end of the recording.

Only bad requests can break a stretch, so only they are walked through, and of an outage whole runs of them at once.
What is known of the last break is all that is kept, with the last bad requests before it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scorer.batch import Batch, Cut
from scorer.omission import Pace
from scorer.requests import Flags, Ints, Requests, every, none
from scorer.targets import Slo

HITS = 64
"""So many of the last bad requests are kept: more than any bound looks at."""
_ROUNDING = 1 + 1e-9


@dataclass(frozen=True, slots=True)
class Shown:
    """A request, by its place among those that are followed, and when it was sent, UTC ns."""

    index: int
    start_ns: int


@dataclass(frozen=True, eq=False)
class Break:
    """The bad request that put an SLI out of its SLO for the last time, and the SLO. `hits` are the places of the last
    requests up to it that were bad by that SLO, of `total_hits`; `shown` is the last of these that followed close upon
    another, or upon the fault."""

    index: int
    slo: Slo
    start_ns: int
    hits: Ints
    total_hits: int
    shown: Shown | None


@dataclass(frozen=True, eq=False)
class Stretch:
    """Where the good stretch begins that lasts to the end of the recording, what broke the one before, how often one
    broke that had lasted a fifth of the hold time, and whether this one lasted the whole of it.

    Of `total` requests that were followed, `bad` were bad by each SLO, and count for `bad_arrivals`; the last was sent
    at `last_start_ns`, None where there was none. `sizes` is how many came with each batch.
    """

    first: int
    broken_by: Break | None
    flaps: int
    held: bool
    total: int
    bad: tuple[int, ...]
    bad_arrivals: tuple[int, ...]
    last_start_ns: int | None
    sizes: Ints


@dataclass(frozen=True)
class Following:
    """The piece that follows the sent requests which were under way at the fault or came after it.

    near: for each SLO, within how many requests another bad one shows an outage. `pace` is what a bad request counts
    for where users wait for answers; None: for itself.
    """

    fault_ns: int
    ended_ns: int
    slos: tuple[Slo, ...]
    near: tuple[int, ...]
    hold_ns: int
    pace: Pace | None = None

    @property
    def cut(self) -> Cut:
        """The requests that are followed."""
        return Cut(due_before_ns=self.ended_ns, done_from_ns=self.fault_ns, sent=True)

    def look(self, batch: Batch) -> _Bad:
        """The bad requests of a batch."""
        rows = batch.cut(self.cut)
        bad_by_slo = [bad_requests(rows, slo) for slo in self.slos]
        some = [bad for bad in bad_by_slo if not none(bad)]
        places = np.flatnonzero(np.logical_or.reduce(some)) if some else np.empty(0, dtype=np.int64)
        starts = rows.start_ns
        following = np.minimum(places + 1, max(0, len(rows) - 1))
        return _Bad(
            total=len(rows),
            ends_ns=(int(starts[0]), int(starts[-1])) if len(rows) else None,
            places=places,
            flags=np.array([bad[places] for bad in bad_by_slo]),
            starts_ns=starts[places],
            following_ns=starts[following],
            weights=np.ones(len(places), dtype=np.int64) if self.pace is None else self.pace.of(rows.where(places)),
        )

    def fold(self) -> _Walk:
        """Nothing followed yet."""
        return _Walk(self)


def bad_requests(requests: Requests, slo: Slo) -> Flags:
    """Which requests an SLO counts as bad."""
    slow = np.broadcast_to(np.False_, len(requests)) if slo.slow_ns is None else requests.slower(slo.slow_ns)
    if every(requests.ok):
        return slow
    return ~requests.ok if none(slow) else ~requests.ok | slow


@dataclass(frozen=True, slots=True)
class _Bad:
    """The bad requests of a batch: places in it, by which SLO each is bad, when each and the one after it were sent,
    and how many arrivals each counts for."""

    total: int
    ends_ns: tuple[int, int] | None
    places: Ints
    flags: npt.NDArray[np.bool_]
    starts_ns: Ints
    following_ns: Ints
    weights: Ints


@dataclass(slots=True)
class _Hits:
    """The bad requests by one SLO: the last of them, how many, and the last that showed an outage."""

    near: int
    last: Ints
    total: int = 0
    shown: Shown | None = None

    def with_more(self, places: Ints, starts_ns: Ints) -> _Hits:
        """With those of the next batch."""
        if not len(places):
            return self
        close = np.flatnonzero(np.diff(places, prepend=self.last[-1] if len(self.last) else -1) <= self.near)
        shown = Shown(int(places[close[-1]]), int(starts_ns[close[-1]])) if len(close) else self.shown
        return _Hits(self.near, np.concatenate([self.last, places])[-HITS:], self.total + len(places), shown)


class _Walk:
    def __init__(self, asked: Following) -> None:
        self.asked = asked
        self.tolerated = [slo.tolerated for slo in asked.slos]
        self.hits = [_Hits(near, np.empty(0, dtype=np.int64)) for near in asked.near]
        self.bad_arrivals = [0] * len(asked.slos)
        self.sizes: list[int] = []
        self.total = self.first = self.flaps = 0
        self.first_start_ns: int | None = None
        self.last_start_ns: int | None = None
        self.broken_by: Break | None = None
        self._begin()

    def _begin(self) -> None:
        """A new stretch: bad arrivals, and what they count for beyond the requests they are."""
        self.counts, self.beyond = [0] * len(self.tolerated), [0] * len(self.tolerated)

    def add(self, part: _Bad) -> None:
        self.sizes.append(part.total)
        if part.ends_ns is None:
            return
        if self.first == self.total:
            self.first_start_ns = part.ends_ns[0]
        if len(part.places):
            self._add_bad(part, part.places + self.total)
        self.total += part.total
        self.last_start_ns = part.ends_ns[1]

    def _add_bad(self, part: _Bad, places: Ints) -> None:
        broken = self._broken(part, places)
        if broken is not None:
            place, number = broken
            upto = part.flags[number] & (places <= places[place])
            hits = self.hits[number].with_more(places[upto], part.starts_ns[upto])
            self.broken_by = Break(
                index=int(places[place]),
                slo=self.asked.slos[number],
                start_ns=int(part.starts_ns[place]),
                hits=hits.last,
                total_hits=hits.total,
                shown=hits.shown,
            )
        self.hits = [
            hits.with_more(places[bad], part.starts_ns[bad]) for hits, bad in zip(self.hits, part.flags, strict=True)
        ]
        self.bad_arrivals = [
            sofar + int(part.weights[bad].sum()) for sofar, bad in zip(self.bad_arrivals, part.flags, strict=True)
        ]

    def _broken(self, part: _Bad, places: Ints) -> tuple[int, int] | None:
        """The last of some bad requests that broke a stretch, and by which SLO; None where none did."""
        count, broken, seen = len(places), None, self.broken_by is not None
        at_once = self._at_once(part, places)
        pauses = np.flatnonzero(~at_once)
        place = 0
        while place < count:
            number = self._breaks(part, place, int(places[place]))
            if number is None:
                place += 1
                continue
            self.flaps += seen and self._flapped(int(part.starts_ns[place]))
            # A stretch that begins with a break ends with the next bad request, where that comes soon enough.
            after = int(np.searchsorted(pauses, place + 1))
            end = int(pauses[after]) if after < len(pauses) else count
            lasted = part.starts_ns[place + 1 : end] - part.following_ns[place : end - 1]
            self.flaps += int(np.count_nonzero(5 * lasted >= self.asked.hold_ns))
            if end > place + 1:
                number = int(np.argmax(self._breaking(part, places, end - 1)))
            broken, seen, place = (end - 1, number), True, end
            self.first = int(places[end - 1]) + 1
            in_batch = self.first < self.total + part.total
            self.first_start_ns = int(part.following_ns[end - 1]) if in_batch else None
            self._begin()
        return broken

    def _breaks(self, part: _Bad, place: int, index: int) -> int | None:
        weight = int(part.weights[place])
        for number, tolerated in enumerate(self.tolerated):
            if part.flags[number, place]:
                self.counts[number] += weight
                self.beyond[number] += weight - 1
            if self.counts[number] > tolerated * (index + 1 - self.first + self.beyond[number]) * _ROUNDING:
                return number
        return None

    def _at_once(self, part: _Bad, places: Ints) -> Flags:
        """Which bad requests break the stretch that would begin after the bad one before them."""
        found = np.zeros(len(places), dtype=np.bool_)
        arrivals = np.diff(places) - 1 + part.weights[1:]
        for tolerated, bad in zip(self.tolerated, part.flags, strict=True):
            found[1:] |= bad[1:] & (part.weights[1:] > tolerated * arrivals * _ROUNDING)
        return found

    def _breaking(self, part: _Bad, places: Ints, place: int) -> Flags:
        """By which SLOs the one at a place does so."""
        weight = part.weights[place]
        arrivals = places[place] - places[place - 1] - 1 + weight
        found: Flags = part.flags[:, place] & (weight > np.array(self.tolerated) * arrivals * _ROUNDING)
        return found

    def _flapped(self, start_ns: int) -> bool:
        return self.first_start_ns is not None and 5 * (start_ns - self.first_start_ns) >= self.asked.hold_ns

    def result(self) -> Stretch:
        held = (
            self.first < self.total
            and self.first_start_ns is not None
            and self.last_start_ns is not None
            and self.last_start_ns - self.first_start_ns >= self.asked.hold_ns
        )
        return Stretch(
            first=self.first,
            broken_by=self.broken_by,
            flaps=self.flaps,
            held=held,
            total=self.total,
            bad=tuple(hits.total for hits in self.hits),
            bad_arrivals=tuple(self.bad_arrivals),
            last_start_ns=self.last_start_ns,
            sizes=np.array(self.sizes, dtype=np.int64),
        )
