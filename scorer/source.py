"""The requests of a bundle, read in the order of time as often as they are asked for, a few batches at a time.

A closed bundle is in order: its row groups are read by as many threads as there are processors. That it is in order
is checked while reading; where it isn't, or was never closed, or clocks of several workers are set right, pieces are
merged (`bundle/order.py`). A drill of few requests is kept, and read once.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

from scorer.batch import Batch
from scorer.piece import Fold, Piece
from scorer.requests import Requests, WorkerRows, clock_offsets_ns, columns, joined

if TYPE_CHECKING:
    import pyarrow as pa

    from bundle.order import Keys
    from bundle.reader import Bundle
    from bundle.table import Piece as Stored

T = TypeVar("T")

COLUMNS = ("scheduled_ns", "start_ns", "latency_ns", "status", "ok", "error", "worker")
KEPT_ROWS = 1 << 20
"""So many rows are kept between two passes: 26 MB."""
_LEAST_SAMPLE, _MOST_SAMPLE = 4, 16
"""So many pieces make a sample."""
_AHEAD = 2
"""Batches that each thread may be ahead of the one that joins what was seen."""


class Source(Protocol):
    """Where requests come from. Batches come in order, and the same ones each time."""

    def each(self, look: Callable[[Batch], T], first: int = 0) -> Iterator[T]:
        """What `look` makes of each batch, from the `first` on."""
        ...

    def sample(self, look: Callable[[Batch], T]) -> Iterator[T]:
        """What `look` makes of a few batches that lie apart; of none where to read all of them again costs little."""
        ...


class Held:
    """Requests in memory."""

    def __init__(self, requests: Requests, workers: Mapping[str, WorkerRows] | None = None) -> None:
        self._batch = Batch(requests.in_order(), workers=workers or {})

    def each(self, look: Callable[[Batch], T], first: int = 0) -> Iterator[T]:
        """As `Source` has it: one batch."""
        if not first:
            yield look(self._batch)

    def sample(self, look: Callable[[Batch], T]) -> Iterator[T]:  # noqa: ARG002
        """As `Source` has it: none."""
        return iter(())


class Stream:
    """The requests of a bundle. Each pass raises BundleError where the table is damaged."""

    def __init__(self, bundle: Bundle, *, threads: int | None = None) -> None:
        self._bundle = bundle
        self._threads = threads or _processors()
        self._offsets = clock_offsets_ns(bundle.manifest)
        self._pieces = bundle.request_pieces(COLUMNS)
        self._kept: list[Batch] | None = None
        self._firsts: dict[int, int] = {}
        """By piece, which batch it begins with, as far as a pass in order has come."""
        self._scattered = any(piece.file is None for piece in self._pieces)

    def each(self, look: Callable[[Batch], T], first: int = 0) -> Iterator[T]:
        """As `Source` has it. Raises ScatteredError once where the stored order turns out not to be that of time."""
        if self._kept is None and sum(piece.rows for piece in self._pieces) <= KEPT_ROWS:
            try:
                self._kept = list(self._each(_itself, 0))
            except ScatteredError:
                self._kept = list(self._each(_itself, 0))
        if self._kept is not None:
            yield from map(look, self._kept[first:])
        else:
            yield from self._each(look, first)

    def sample(self, look: Callable[[Batch], T]) -> Iterator[T]:
        """As `Source` has it."""
        if self._scattered or sum(piece.rows for piece in self._pieces) <= KEPT_ROWS:
            return
        apart = max(1, len(self._pieces) // max(_LEAST_SAMPLE, min(_MOST_SAMPLE, len(self._pieces) // 16)))
        with self._bundle.reading("requests"):
            tasks = (partial(self._seen, piece, look) for piece in self._pieces[apart // 2 :: apart])
            yield from (part for seen in self._mapped(tasks) for _, _, part in seen)

    def _each(self, look: Callable[[Batch], T], first: int) -> Iterator[T]:
        from bundle.order import in_order

        with self._bundle.reading("requests"):
            if self._scattered:
                merged = in_order([piece.whole for piece in self._pieces], self._keys)
                seen_of = (partial(self._look, batch, look) for batch in merged)
                yield from (part for _, _, part in islice(self._mapped(seen_of), first, None))
                return
            begin = max((piece for piece, number in self._firsts.items() if number <= first), default=0)
            number = self._firsts.get(begin, 0)
            last: tuple[int, ...] | None = None
            tasks = (partial(self._seen, piece, look) for piece in self._pieces[begin:])
            for piece, seen in enumerate(self._mapped(tasks), begin):
                self._firsts[piece] = number
                for earliest, latest, part in seen:
                    if last is not None and earliest is not None and earliest < last:
                        self._scattered, self._firsts = True, {}
                        raise ScatteredError
                    last = latest or last
                    number += 1
                    if number > first:
                        yield part

    def _mapped(self, tasks: Iterator[Callable[[], T]]) -> Iterator[T]:
        """What each task gives, in their order; a few of them ahead, in threads, where there are several."""
        first = next(tasks, None)
        if first is None:
            return
        second = next(tasks, None) if self._threads > 1 else None
        if second is None:
            yield first()
            yield from (task() for task in tasks)
            return
        with ThreadPoolExecutor(self._threads) as pool:
            ahead = deque[Future[T]]()
            try:
                for task in chain((first, second), tasks):
                    ahead.append(pool.submit(task))
                    if len(ahead) > _AHEAD * self._threads:
                        yield ahead.popleft().result()
                while ahead:
                    yield ahead.popleft().result()
            finally:
                for future in ahead:
                    future.cancel()

    def _seen(self, piece: Stored, look: Callable[[Batch], T]) -> list[_Seen[T]]:
        return [self._look(batch, look) for batch in piece.batches() if batch.num_rows]

    def _look(self, stored: pa.RecordBatch, look: Callable[[Batch], T]) -> _Seen[T]:
        batch = self._batch(stored)
        keys = batch.rows.order_keys()
        if not len(batch.rows):
            return None, None, look(batch)
        return tuple(int(key[0]) for key in keys), tuple(int(key[-1]) for key in keys), look(batch)

    def _batch(self, stored: pa.RecordBatch) -> Batch:
        rows, sane = columns(stored, self._offsets)
        absurd = len(rows) - int(np.count_nonzero(sane))
        batch = Batch(rows.where(sane) if absurd else rows, absurd, self._workers(stored, rows))
        return batch if batch.ordered else replace(batch, rows=batch.rows.in_order())

    def _workers(self, stored: pa.RecordBatch, rows: Requests) -> dict[str, WorkerRows]:
        column = stored.column("worker")
        names = column.dictionary.to_pylist()
        if len(names) == 1:
            return {names[0]: WorkerRows(rows.extent.due.most, len(rows))}
        codes = column.indices.to_numpy()
        found: dict[str, WorkerRows] = {}
        for code in np.unique(codes).tolist():
            of = codes == code
            left = WorkerRows(int(rows.scheduled_ns[of].max()), int(np.count_nonzero(of)))
            found[names[code]] = left.with_more(found.get(names[code], left.none))
        return found

    def _keys(self, stored: pa.RecordBatch) -> Keys:
        return columns(stored, self._offsets)[0].order_keys()


_Seen = tuple["tuple[int, ...] | None", "tuple[int, ...] | None", T]
"""The keys of the first and of the last row of a batch, if it has any, and what was made of it."""


class ScatteredError(Exception):
    """The stored order is not that of time: what was seen so far is void, and the next pass will merge."""


def gather(source: Source, pieces: Sequence[Piece[Any]]) -> list[Any]:
    """The results of some pieces, in one pass (in two, where only the first shows that rows are out of order)."""
    while True:
        folds: list[Fold[Any]] = [piece.fold() for piece in pieces]
        try:
            for parts in source.each(lambda batch: [piece.look(batch) for piece in pieces]):
                for fold, part in zip(folds, parts, strict=True):
                    fold.add(part)
        except ScatteredError:
            continue
        return [fold.result() for fold in folds]


def all_rows(source: Source) -> Requests:
    """Every row in memory, in order: 26 B each."""
    while True:
        try:
            return joined(source.each(lambda batch: batch.rows))
        except ScatteredError:
            continue


def _processors() -> int:
    """How many processors this process may use; of the machine, where the system doesn't say."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _itself(batch: Batch) -> Batch:
    return batch
