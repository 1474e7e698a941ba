"""The requests of a bundle as columns, read in one pass over its batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa

    from bundle.manifest import Manifest
    from bundle.reader import Bundle

Ints: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

EARLY_NS = 1_000_000
"""A timer may fire this much before its time."""


@dataclass(frozen=True, slots=True)
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
        return Requests(*(getattr(self, column.name)[rows] for column in fields(self)))

    def due_within(self, start_ns: int, end_ns: int) -> Requests:
        """The arrivals that were due in [start, end)."""
        return self.where((self.scheduled_ns >= start_ns) & (self.scheduled_ns < end_ns))

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


def read_requests(bundle: Bundle) -> tuple[Requests, int, dict[str, WorkerRows]]:
    """All requests, with each worker's clock set right; the number of absurd rows; what each worker left, by its name.

    Absurd are a latency below zero, an answer before the request, and a good answer to a request that was never sent,
    or without a status, or with an error. They are left out; that there were any makes the drill invalid.
    """
    offsets = clock_offsets_ns(bundle.manifest)
    parts: list[Requests] = []
    absurd = 0
    workers: dict[str, WorkerRows] = {}
    for batch in bundle.requests():
        requests, sane = columns(batch, offsets)
        parts.append(requests.where(sane))
        absurd += int(np.count_nonzero(~sane))
        codes, due = batch.column("worker").indices.to_numpy(), batch.column("scheduled_ns").to_numpy()
        names = batch.column("worker").dictionary.to_pylist()
        for code in np.unique(codes):
            name, of = names[code], codes == code
            last = int(due[of].max()) - offsets.get(name, 0)
            before = workers.get(name, WorkerRows(last, 0))
            count = before.count + int(np.count_nonzero(of))
            workers[name] = WorkerRows(max(last, before.last_due_ns), count)
    return _joined(parts), absurd, workers


def clock_offsets_ns(manifest: Manifest) -> dict[str, int]:
    """How far the clock of each load worker was ahead of the bundle's."""
    return {worker.name: worker.clock_offset_ns for worker in (manifest.load.workers if manifest.load else ())}


def columns(batch: pa.RecordBatch, offsets: dict[str, int]) -> tuple[Requests, Flags]:
    """The rows of a batch with clocks set right, and which of them are not absurd."""
    workers = batch.column("worker")
    shift_by_code = np.array([offsets.get(name, 0) for name in workers.dictionary.to_pylist()] or [0], dtype=np.int64)
    shift = shift_by_code[workers.indices.to_numpy()]
    scheduled = batch.column("scheduled_ns").to_numpy() - shift
    started, sent = nullable(batch.column("start_ns"))
    taken, answered = nullable(batch.column("latency_ns"))
    start = np.where(sent, started - shift, scheduled)
    latency = np.where(answered, taken, start - scheduled)
    ok = batch.column("ok").to_numpy(zero_copy_only=False)
    good = sent & answered & (batch.column("status").to_numpy() > 0) & matching(batch.column("error"), "")
    sane = (latency >= 0) & (start >= scheduled - EARLY_NS) & (scheduled + latency >= start) & (~ok | good)
    return Requests(scheduled, start, latency, sent, ok), sane


def matching(column: pa.DictionaryArray, name: str) -> Flags:
    """Which rows of a column of names hold this one."""
    hit_by_code: Flags = np.array([held == name for held in column.dictionary.to_pylist()] or [False])
    rows: Flags = hit_by_code[column.indices.to_numpy()]
    return rows


def nullable(column: pa.Array) -> tuple[Ints, Flags]:
    """The values of a nullable column of 64-bit integers, anything where null, and which are not null.

    Straight from the buffers: pyarrow's own way imports its compute functions, a tenth of the time of a whole score.
    """
    validity, data = column.buffers()
    rows = slice(column.offset, column.offset + len(column))
    values = np.frombuffer(data or b"", dtype=np.int64)[rows]
    if validity is None:
        return values, np.ones(len(column), dtype=np.bool_)
    return values, np.unpackbits(np.frombuffer(validity, dtype=np.uint8), bitorder="little")[rows].astype(np.bool_)


def _joined(parts: list[Requests]) -> Requests:
    def column(name: str) -> Iterator[npt.NDArray[np.int64]]:
        return (getattr(part, name) for part in parts)

    kinds = {"sent": np.bool_, "ok": np.bool_}
    return Requests(
        *(np.concatenate([np.empty(0, kinds.get(f.name, np.int64)), *column(f.name)]) for f in fields(Requests))
    )
