"""How many requests of a cut came out how, and what is known of the record as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from scorer.batch import Batch, Cut
from scorer.requests import WorkerRows, every, none
from scorer.targets import Slo


@dataclass(frozen=True, slots=True)
class Counts:
    """`total` arrivals, of which `sent` were sent; `bad_by_limit` of these failed or took longer than the limit, in
    nanoseconds (None: failed)."""

    total: int
    sent: int
    bad_by_limit: Mapping[int | None, int]

    @property
    def unsent(self) -> int:
        """How many were due and never sent: nobody knows how they would have fared."""
        return self.total - self.sent

    @property
    def failed(self) -> int:
        """How many were sent and failed."""
        return self.bad_by_limit[None]

    def plus(self, other: Counts) -> Counts:
        """Both together, of the same limits."""
        bad = {limit: count + other.bad_by_limit[limit] for limit, count in self.bad_by_limit.items()}
        return Counts(self.total + other.total, self.sent + other.sent, bad)


def limits_of(slos: Iterable[Slo]) -> tuple[int, ...]:
    """The limits on latency of some SLOs, in nanoseconds."""
    return tuple(sorted({slo.slow_ns for slo in slos if slo.slow_ns is not None}))


@dataclass(frozen=True, slots=True)
class Tally:
    """The piece that counts a cut, by the failed ones and by some limits beyond which an answer is bad all the same."""

    cut: Cut
    limits_ns: tuple[int, ...] = ()

    def look(self, batch: Batch) -> Counts:
        """The counts of a batch."""
        rows = batch.cut(self.cut)
        sent = batch.cut(self.cut.of_sent)
        failed = 0 if every(sent.ok) else len(sent) - int(np.count_nonzero(sent.ok))
        bad: dict[int | None, int] = {None: failed}
        for limit in self.limits_ns:
            slow = sent.slower(limit)
            bad[limit] = failed if none(slow) else int(np.count_nonzero(slow | ~sent.ok if failed else slow))
        return Counts(len(rows), len(sent), bad)

    def fold(self) -> _Sum:
        """Nothing counted yet."""
        return _Sum(Counts(0, 0, dict.fromkeys((None, *self.limits_ns), 0)))


@dataclass(slots=True)
class _Sum:
    counts: Counts

    def add(self, part: Counts) -> None:
        self.counts = self.counts.plus(part)

    def result(self) -> Counts:
        return self.counts


@dataclass(frozen=True, slots=True)
class Recorded:
    """How many rows have impossible times, and what each load worker left, by its name. `ended_ns` is when the last
    request was done, None where there was none."""

    absurd: int
    workers: Mapping[str, WorkerRows]
    ended_ns: int | None


@dataclass(frozen=True, slots=True)
class Record:
    """The piece that looks at all rows. Absurd are also those that were done later than `until_ns`."""

    until_ns: int | None = None

    def look(self, batch: Batch) -> Recorded:
        """What a batch shows."""
        rows = batch.rows
        ended = rows.extent.last_done_ns if len(rows) else None
        late = 0
        if ended is not None and self.until_ns is not None and ended > self.until_ns:
            late = int(np.count_nonzero(rows.done_ns > self.until_ns))
        return Recorded(batch.absurd + late, batch.workers, ended)

    def fold(self) -> _Records:
        """No row yet."""
        return _Records()


@dataclass(slots=True)
class _Records:
    absurd: int = 0
    workers: dict[str, WorkerRows] = field(default_factory=dict)
    ended_ns: int | None = None

    def add(self, part: Recorded) -> None:
        self.absurd += part.absurd
        for name, rows in part.workers.items():
            self.workers[name] = rows.with_more(self.workers.get(name, rows.none))
        if part.ended_ns is not None:
            self.ended_ns = part.ended_ns if self.ended_ns is None else max(self.ended_ns, part.ended_ns)

    def result(self) -> Recorded:
        return Recorded(self.absurd, self.workers, self.ended_ns)
