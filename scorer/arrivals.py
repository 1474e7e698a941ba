"""What the arrivals of a span say of the load: how many, whether any was recorded twice, where none was due, and where
none was sent.

Of all the pauses only those are kept that can matter: long ones, and of the others those that no other exceeds both in
length and in what was expected in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scorer.batch import Batch, Cut
from scorer.extent import longer_steps
from scorer.requests import EARLY_NS, Ints, Requests
from scorer.schedule import Floats, Schedule
from scorer.span import Span

_MANY = 1 << 16
_NEAR = 8


@dataclass(frozen=True, slots=True)
class Pauses:
    """Stretches without any arrival, in order: from one or from the span's start, to the next or to the span's end."""

    from_ns: Ints
    to_ns: Ints

    @property
    def seconds(self) -> Floats:
        """How long each was."""
        return (self.to_ns - self.from_ns) / 1e9

    def expected(self, schedule: Schedule) -> Floats:
        """How many arrivals were expected in each."""
        return schedule.arrivals(self.to_ns) - schedule.arrivals(self.from_ns)

    def where(self, kept: Ints | np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Pauses:
        """Some of them."""
        return Pauses(self.from_ns[kept], self.to_ns[kept])

    def and_then(self, *others: Pauses) -> Pauses:
        """All of several, in order."""
        every = (self, *others)
        from_ns, to_ns = (np.concatenate([getattr(one, name) for one in every]) for name in ("from_ns", "to_ns"))
        order = np.lexsort((to_ns, from_ns))
        return Pauses(from_ns[order], to_ns[order])


@dataclass(frozen=True, slots=True)
class Arrived:
    """What was recorded as due in the span: `total` rows, of which `sent` were sent, and `first` surely were the first
    of an arrival; `twice` requests are another's like. `undue` are the pauses between dues in which more than `natural`
    arrivals were expected, `silent` those between starts of which one is the worst, whatever is a natural one."""

    total: int
    sent: int
    first: int
    twice: int
    undue: Pauses
    silent: Pauses

    @property
    def unsent(self) -> int:
        """How many were due and never sent."""
        return self.total - self.sent


@dataclass(frozen=True)
class Arrivals:
    """The piece that looks at the arrivals due in a span.

    natural: so many arrivals at most may be expected in a pause between dues. `silence_s`: longer ones than this are
    kept, each by itself.
    """

    span: Span
    schedule: Schedule
    natural: float
    silence_s: float

    def look(self, batch: Batch) -> _Looked:
        """The arrivals of a batch, and its pauses."""
        cut = Cut.due_within(self.span)
        rows, sent = batch.cut(cut), batch.cut(cut.of_sent)
        dues, ends = rows.scheduled_ns, sent.where(np.array([0, -1] if len(sent) else [], dtype=np.int64))
        return _Looked(
            total=len(rows),
            dues_ns=(int(dues[0]), rows.extent.due.most) if len(dues) else None,
            early_ns=_early_ns(rows),
            undue=self._undue(rows),
            sent=len(sent),
            first=len(rows) - _on_time(sent),
            twice=_twice(sent),
            ends=ends,
            starts_ns=self._within(ends.start_ns),
            silent=self._silent(sent),
        )

    def fold(self) -> _Arrivals:
        """No arrival yet."""
        return _Arrivals(self)

    def beyond(self, pauses: Pauses) -> Pauses:
        """Those in which more than a natural number of arrivals was expected."""
        return pauses.where(pauses.expected(self.schedule) > self.natural)

    def _undue(self, rows: Requests) -> Pauses:
        """The pauses of a batch, as if it were all there is."""
        dues_ns, shortest = rows.scheduled_ns, self.shortest_ns
        after = longer_steps(dues_ns, shortest) + 1
        if len(after) <= _MANY // _NEAR:
            # Nearly always some of the rows just before was due after all that came still earlier.
            near = dues_ns[np.maximum(0, after[:, None] - np.arange(1, 1 + _NEAR))].max(axis=1)
            if not (dues_ns[after] - near > shortest).any():
                return NO_PAUSES
        latest = np.maximum.accumulate(dues_ns)
        long = np.flatnonzero(dues_ns[1:] - latest[:-1] > shortest)
        undue = self.beyond(Pauses(latest[long], dues_ns[long + 1]))
        return self.beyond(_divided(undue, dues_ns)) if len(undue.to_ns) else undue

    def _silent(self, sent: Requests) -> Pauses:
        """The pauses between starts of which one is the worst."""
        starts_ns, extent = self._within(sent.start_ns), sent.extent
        if self.schedule.curves or len(sent) < 2 or starts_ns is not sent.start_ns:
            return self.worst(Pauses(starts_ns[:-1], starts_ns[1:]))
        after = extent.pauses(self._shortest_silence_ns(extent.steps.most) - 1)
        return self.worst(Pauses(starts_ns[after], starts_ns[after + 1]))

    def _within(self, starts_ns: Ints) -> Ints:
        """Times in order, those that lie outside of the span at its ends."""
        if len(starts_ns) and (starts_ns[0] < self.span.start_ns or starts_ns[-1] > self.span.end_ns):
            return np.clip(starts_ns, self.span.start_ns, self.span.end_ns)
        return starts_ns

    def _shortest_silence_ns(self, longest_ns: int) -> int:
        """Of pauses at a constant rate, of which the longest is known, those that are shorter don't matter: more is
        expected in the longer one, but for the rounding of a double."""
        return min(int(self.silence_s * 1e9), longest_ns - _ROUNDED_NS)

    @property
    def shortest_ns(self) -> float:
        """A pause that is shorter is natural, whatever the rate is then."""
        curves = self.schedule.curves
        most_per_s = sum(curve.highest_per_s for curve in curves) if curves else self.schedule.rate_per_s
        return self.natural / most_per_s * 1e9 * (1 - 1e-6) if most_per_s > 0 else 0.0

    def worst(self, pauses: Pauses) -> Pauses:
        """Those of which one is the worst, in order: long ones, and of the rest the front of length and expectation."""
        lengths = pauses.to_ns - pauses.from_ns
        if not len(lengths):
            return NO_PAUSES
        if not self.schedule.curves:
            near = np.flatnonzero(lengths >= self._shortest_silence_ns(int(lengths.max())))
        else:
            near = np.arange(len(lengths))
        kept = pauses.where(near)
        seconds, expected = kept.seconds, kept.expected(self.schedule)
        long = seconds > self.silence_s
        order = np.lexsort((np.arange(len(seconds)), -expected, -seconds))
        order = order[~long[order]]
        best = np.maximum.accumulate(expected[order])
        front = order[np.append(True, best[1:] > best[:-1])] if len(order) else order
        return kept.where(np.sort(np.append(np.flatnonzero(long), front)))


_ROUNDED_NS = 1024
"""Longer than what a time in nanoseconds loses as a double."""


@dataclass(frozen=True, slots=True)
class _Looked:
    """`dues_ns` is when the first row was due, and the latest; `early_ns` are those dues that may lie before some of
    earlier batches: no request is sent earlier than a timer may fire."""

    total: int
    dues_ns: tuple[int, int] | None
    early_ns: Ints
    undue: Pauses
    sent: int
    first: int
    twice: int
    ends: Requests
    starts_ns: Ints
    silent: Pauses


class _Arrivals:
    def __init__(self, asked: Arrivals) -> None:
        self.asked = asked
        self.total = self.sent = self.first = self.twice = 0
        self.due_ns = self.start_ns = asked.span.start_ns
        self.undue, self.silent, self.silences = NO_PAUSES, [NO_PAUSES], 0
        self.last: tuple[int, int, int] | None = None

    def add(self, part: _Looked) -> None:
        self.total += part.total
        self.sent += part.sent
        self.first += part.first
        self.twice += part.twice
        if part.dues_ns is not None:
            self._add_dues(part, *part.dues_ns)
        if len(part.starts_ns):
            start, end = int(part.starts_ns[0]), int(part.starts_ns[1])
            self.silent += [_pause(self.start_ns, start), part.silent]
            self.silences += 1 + len(part.silent.from_ns)
            if self.silences > _MANY:
                self.silent, self.silences = [self.asked.worst(NO_PAUSES.and_then(*self.silent))], 0
            self.start_ns = end
            first, last = _triples(part.ends)
            self.twice += first == self.last
            self.last = last

    def _add_dues(self, part: _Looked, first_ns: int, latest_ns: int) -> None:
        opened = _pause(self.due_ns, first_ns) if first_ns > self.due_ns + self.asked.shortest_ns else NO_PAUSES
        if any(len(pauses.to_ns) for pauses in (self.undue, opened, part.undue)):
            later = Pauses(np.maximum(part.undue.from_ns, self.due_ns), part.undue.to_ns)
            later = self.asked.beyond(later.where(later.to_ns > later.from_ns))
            self.undue = self.undue.and_then(self.asked.beyond(opened), later)
            # What was due in a pause and was sent after it divides it.
            if len(self.undue.to_ns) and len(part.early_ns):
                self.undue = self.asked.beyond(_divided(self.undue, part.early_ns))
        self.due_ns = max(self.due_ns, latest_ns)

    def result(self) -> Arrived:
        end_ns = self.asked.span.end_ns
        undue = self.undue.and_then(self.asked.beyond(_pause(self.due_ns, end_ns)))
        silent = self.asked.worst(NO_PAUSES.and_then(*self.silent, _pause(self.start_ns, end_ns)))
        return Arrived(self.total, self.sent, self.first, self.twice, undue, silent)


def _divided(pauses: Pauses, dues_ns: Ints) -> Pauses:
    within = np.searchsorted(pauses.from_ns, dues_ns, side="left") - 1
    inside = (within >= 0) & (dues_ns < pauses.to_ns[within])
    marks = np.unique(np.concatenate([pauses.from_ns, dues_ns[inside]]))
    ends = np.unique(np.concatenate([pauses.to_ns, dues_ns[inside]]))
    return Pauses(marks, ends)


def _pause(from_ns: int, to_ns: int) -> Pauses:
    return Pauses(np.array([from_ns], dtype=np.int64), np.array([to_ns], dtype=np.int64))


def _early_ns(rows: Requests) -> Ints:
    """Those dues that come before the earliest that a timer may have fired for the first of these rows."""
    if not len(rows):
        return rows.scheduled_ns
    from_ns, upto = int(rows.start_ns[0]) + EARLY_NS, len(rows)
    if rows.extent.regular:
        upto = int(np.searchsorted(rows.start_ns, from_ns + rows.extent.late.most))
    dues_ns = rows.scheduled_ns[:upto]
    return dues_ns[dues_ns < from_ns]


def _on_time(sent: Requests) -> int:
    """How many were sent when they were due, to the nanosecond."""
    return 0 if sent.extent.late.least > 0 else int(np.count_nonzero(sent.start_ns == sent.scheduled_ns))


def _twice(sent: Requests) -> int:
    """How many are the like of the one before, to the nanosecond: due, sent and done as it was."""
    if sent.extent.steps.least > 0:  # the rule: no two are sent at once
        return 0
    again = np.flatnonzero(sent.start_ns[1:] == sent.start_ns[:-1]) + 1
    same = (sent.scheduled_ns[again] == sent.scheduled_ns[again - 1]) & (
        sent.latency_ns[again] == sent.latency_ns[again - 1]
    )
    return int(np.count_nonzero(same))


def _triples(ends: Requests) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    first, last = zip(ends.scheduled_ns.tolist(), ends.start_ns.tolist(), ends.latency_ns.tolist(), strict=True)
    return first, last


NO_PAUSES = Pauses(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
