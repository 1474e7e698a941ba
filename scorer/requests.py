"""Request rows as columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from bundle.nullable import Flags, Ints, every, flags, none, nullable
from scorer.extent import EARLY_NS, Extent

if TYPE_CHECKING:
    import pyarrow as pa

    from bundle.manifest import Manifest

__all__ = [
    "EARLY_NS",
    "NONE",
    "Flags",
    "Ints",
    "Requests",
    "WorkerRows",
    "clock_offsets_ns",
    "columns",
    "every",
    "joined",
    "matching",
    "none",
]


@dataclass(frozen=True)
class Requests:
    """Columns of equal length, one row an arrival. Times in UTC nanoseconds on the bundle's clock.

    An arrival that was never sent has `sent` false; its `start_ns` is its scheduled time and its latency 0.
    """

    scheduled_ns: Ints
    start_ns: Ints
    latency_ns: Ints
    sent: Flags
    ok: Flags

    def __len__(self) -> int:
        return len(self.scheduled_ns)

    def where(self, rows: Flags | Ints) -> Requests:
        """The rows that a mask or an index array selects."""
        return Requests(*(getattr(self, column.name)[rows] for column in _COLUMNS))

    def order_keys(self) -> tuple[Ints, Ints, Ints, Flags]:
        """What rows are ordered by, `start_ns` first. Rows of the same keys can't be told apart by a measure."""
        return self.start_ns, self.scheduled_ns, self.latency_ns, self.ok

    def in_order(self) -> Requests:
        """The same rows in the order of their keys."""
        from bundle.order import order_of

        return self.where(order_of(self.order_keys()))

    def due_within(self, start_ns: int, end_ns: int) -> Requests:
        """The arrivals that were due in [start, end)."""
        return self.where((self.scheduled_ns >= start_ns) & (self.scheduled_ns < end_ns))

    @cached_property
    def extent(self) -> Extent:
        """How far their times reach."""
        return Extent(self.scheduled_ns, self.start_ns, self.latency_ns)

    def slower(self, limit_ns: int) -> Flags:
        """Which took longer than a limit."""
        if self.extent.latency.most <= limit_ns:
            return np.broadcast_to(np.False_, len(self))
        return self.latency_ns > limit_ns

    @property
    def done_ns(self) -> Ints:
        """When the last byte of the answer came, or the request failed."""
        return self.scheduled_ns + self.latency_ns

    @property
    def bad(self) -> int:
        """How many were sent and failed."""
        return int(np.count_nonzero(self.sent & ~self.ok))

    @property
    def arrivals(self) -> int:
        """How many arrivals surely left these rows. Only the first request of each was due at its time; a later one is
        due when it starts, to the nanosecond."""
        return int(np.count_nonzero(~self.sent | (self.start_ns != self.scheduled_ns)))

    @property
    def unsent(self) -> int:
        """How many were due and never sent: nobody knows how they would have fared."""
        return int(np.count_nonzero(~self.sent))


@dataclass(frozen=True, slots=True)
class WorkerRows:
    """When the last row of a worker was due, UTC ns, and how many it left."""

    last_due_ns: int
    count: int

    @property
    def none(self) -> WorkerRows:
        """None of them."""
        return WorkerRows(self.last_due_ns, 0)

    def with_more(self, other: WorkerRows) -> WorkerRows:
        """Both together."""
        return WorkerRows(max(self.last_due_ns, other.last_due_ns), self.count + other.count)


def clock_offsets_ns(manifest: Manifest) -> dict[str, int]:
    """How far the clock of each load worker was ahead of the bundle's."""
    return {worker.name: worker.clock_offset_ns for worker in (manifest.load.workers if manifest.load else ())}


def columns(batch: pa.RecordBatch, offsets: dict[str, int]) -> tuple[Requests, Flags]:
    """The rows of a batch with clocks set right, and which of them are not absurd.

    Absurd are a latency below zero, an answer before the request, and a good answer to a request that was never sent,
    or without a status, or with an error.
    """
    scheduled, shift = batch.column("scheduled_ns").to_numpy(), 0
    started, sent = nullable(batch.column("start_ns"))
    taken, answered = nullable(batch.column("latency_ns"))
    workers = batch.column("worker")
    shifts = np.array([offsets.get(name, 0) for name in workers.dictionary.to_pylist()] or [0], dtype=np.int64)
    if shifts.any():
        shift = shifts[workers.indices.to_numpy()]
        scheduled, started = scheduled - shift, started - shift
    start = started if every(sent) else np.where(sent, started, scheduled)
    latency = taken if every(answered) else np.where(answered, taken, start - scheduled)
    ok = flags(batch.column("ok"))
    requests = Requests(scheduled, start, latency, sent, ok)
    sane: Flags
    if requests.extent.regular:
        sane = np.ones(len(requests), dtype=np.bool_)
    else:
        sane = (latency >= 0) & (start >= scheduled - EARLY_NS) & (scheduled + latency >= start)
    status, blameless = batch.column("status").to_numpy(), matching(batch.column("error"), "")
    if not (every(sent) and every(answered) and status.min(initial=1) and every(blameless)):
        sane &= ~ok | (sent & answered & (status > 0) & blameless)
    return requests, sane


def matching(column: pa.DictionaryArray, name: str) -> Flags:
    """Which rows of a column of names hold this one."""
    hits = [held == name for held in column.dictionary.to_pylist()] or [False]
    if len(hits) == 1:
        return np.broadcast_to(np.bool_(hits[0]), len(column))
    rows: Flags = np.array(hits)[column.indices.to_numpy()]
    return rows


def joined(parts: Iterable[Requests]) -> Requests:
    """Rows after rows, as one."""
    some = [NONE, *parts]
    return Requests(*(np.concatenate([getattr(part, column.name) for part in some]) for column in _COLUMNS))


_COLUMNS = fields(Requests)
_NO_TIMES, _NO_FLAGS = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.bool_)
NONE = Requests(_NO_TIMES, _NO_TIMES, _NO_TIMES, _NO_FLAGS, _NO_FLAGS)
"""No rows."""
