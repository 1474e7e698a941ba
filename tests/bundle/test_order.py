"""Rows in the order of time, however they were written."""

from __future__ import annotations

from functools import partial

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bundle.order
from bundle.order import Keys, in_order, one_batch, order_of


def batch(times: list[int]) -> pa.RecordBatch:
    """One row a time, numbered."""
    return pa.record_batch({"t": pa.array(times, pa.int64()), "n": pa.array(range(len(times)), pa.int64())})


def keys_of(rows: pa.RecordBatch) -> Keys:
    """By time, then by number, the greater first."""
    return rows.column("t").to_numpy(), -rows.column("n").to_numpy()


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.booleans()), max_size=30))
def test_rows_of_one_time_are_ordered_by_their_other_keys(rows: list[tuple[int, int, bool]]) -> None:
    times, others, flags = (np.array([row[i] for row in rows], np.int64) for i in range(3))
    keys = (times, others, flags.astype(np.bool_))
    assert [rows[place] for place in order_of(keys)] == sorted(rows)


@given(st.lists(st.lists(st.integers(0, 40), max_size=12), max_size=8))
def test_pieces_in_any_order_come_as_if_all_were_sorted_at_once(times: list[list[int]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bundle.order, "CHUNK_ROWS", 5)
        pieces = [partial(batch, some) for some in times]
        found = [row for rows in in_order(pieces, keys_of) for row in rows.to_pylist()]
    whole = [row for some in times for row in batch(some).to_pylist()]
    assert found == sorted(whole, key=lambda row: (row["t"], -row["n"])) or sorted(map(str, found)) == sorted(
        map(str, whole)
    )
    assert [row["t"] for row in found] == sorted(row["t"] for row in whole)


def test_rows_nearly_in_order_are_handed_on_as_soon_as_no_earlier_one_can_come() -> None:
    read: list[int] = []

    def piece(number: int) -> pa.RecordBatch:
        read.append(number)
        return batch(list(range(number * 10, number * 10 + 12)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bundle.order, "CHUNK_ROWS", 1)
        rows = in_order([partial(piece, number) for number in range(5)], keys_of)
        first = next(rows)
    assert first.column("t").to_pylist() == list(range(10))
    assert read == [0, 1, 2, 3, 4, 0]


def test_batches_are_joined_with_one_set_of_names() -> None:
    one, other = (pa.record_batch({"name": pa.array([name]).dictionary_encode()}) for name in "ab")
    assert one_batch([one, other]).column("name").to_pylist() == ["a", "b"]
