"""Rows in the order of time, however they were written, in little memory.

Streams of several workers, and rows written as their answers came, are nearly in order: a row is out of place by no
more than a time-out. So pieces are taken by their earliest row, and rows are held only until no piece that is still to
come can hold an earlier one. What is held grows with the disorder, not with the number of rows; in the worst case, of
rows in no order at all, it is all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ints: TypeAlias = npt.NDArray[np.int64]
Keys: TypeAlias = tuple[npt.NDArray[np.int64] | npt.NDArray[np.bool_], ...]
"""What rows are ordered by, the first column before all others; that is a time in nanoseconds."""

CHUNK_ROWS = 1 << 17


def order_of(keys: Keys) -> Ints:
    """The places of rows in the order of their keys. Fast where they are nearly in order and few share a time."""
    first, *others = keys
    order: Ints = np.argsort(first, kind="stable")
    tied = np.diff(first[order]) == 0
    if tied.any():
        places = np.flatnonzero(np.append(tied, False) | np.append(False, tied))
        rows = order[places]
        order[places] = rows[np.lexsort(tuple(key[rows] for key in (*reversed(others), first)))]
    return order


def in_order(
    pieces: Sequence[Callable[[], pa.RecordBatch]], keys_of: Callable[[pa.RecordBatch], Keys]
) -> Iterator[pa.RecordBatch]:
    """The rows of all pieces in the order of their keys, in batches of no certain size. Each piece is read twice."""
    firsts = [int(keys_of(piece())[0].min(initial=np.iinfo(np.int64).max)) for piece in pieces]
    turns = sorted(range(len(pieces)), key=firsts.__getitem__)
    held: list[pa.RecordBatch] = []
    fresh = kept = 0
    for turn, number in enumerate(turns):
        batch = pieces[number]()
        held.append(batch)
        fresh += batch.num_rows
        last = turn == len(turns) - 1
        if fresh < max(CHUNK_ROWS, kept) and not last:  # sorting what is kept again and again would take for ever
            continue
        rows = one_batch(held)
        keys = keys_of(rows)
        order = order_of(keys)
        done = len(order) if last else int(np.searchsorted(keys[0][order], firsts[turns[turn + 1]], side="left"))
        if done:
            yield _rows(rows, order[:done])
        held, fresh, kept = [_rows(rows, order[done:])], 0, len(order) - done


def one_batch(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    """Batches, at least one, as a single one."""
    if len(batches) == 1:
        return batches[0]
    table = pa.Table.from_batches(batches).unify_dictionaries().combine_chunks()
    (whole,) = table.to_batches() or [batches[0].slice(0, 0)]
    return whole


def _rows(batch: pa.RecordBatch, places: Ints) -> pa.RecordBatch:
    """The rows at some places; those that lie in a row already are not copied, which also spares an import."""
    if not len(places):
        return batch.slice(0, 0)
    if places[-1] - places[0] == len(places) - 1 and np.all(np.diff(places) == 1):
        return batch.slice(int(places[0]), len(places))
    return batch.take(pa.array(places))
