"""Cuts of a batch: held against masks of all its rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorer.batch import Batch, Cut
from scorer.requests import Requests
from scorer.tally import Tally

EDGE = st.integers(-2, 22)


@st.composite
def some(draw: Any) -> Requests:
    """A few requests between 0 and 20 ns, some of them never sent."""
    rows = draw(st.lists(st.tuples(*[st.integers(0, 9)] * 3, st.booleans(), st.booleans()), max_size=12))
    due, late, taken, sent, ok = (np.array([row[i] for row in rows], np.int64) for i in range(5))
    flags = sent.astype(np.bool_)
    late, taken = np.where(flags, late, 0), np.where(flags, taken, 0)
    return Requests(due, due + late, late + taken, flags, ok.astype(np.bool_) & flags).in_order()


@given(some(), EDGE, EDGE, EDGE, EDGE, st.booleans())
def test_a_cut_has_the_rows_within_its_edges(
    rows: Requests, due_from: int, due_before: int, done_from: int, done_before: int, sent: bool
) -> None:
    mask = (rows.scheduled_ns >= due_from) & (rows.scheduled_ns < due_before)
    mask &= (rows.done_ns >= done_from) & (rows.done_ns < done_before)
    expected = rows.where(mask & (rows.sent | (not sent)))
    found = Batch(rows).cut(Cut(due_from, due_before, done_from, done_before, sent))
    assert all(np.array_equal(a, b) for a, b in zip(found.order_keys(), expected.order_keys(), strict=True))


@given(some())
def test_rows_in_the_order_of_their_keys_are_told_from_others(rows: Requests) -> None:
    assert Batch(rows).ordered
    keys = list(zip(*(key.tolist() for key in rows.order_keys()), strict=True))
    back = rows.where(np.arange(len(rows))[::-1])
    assert Batch(back).ordered is (keys == sorted(keys)[::-1])


@given(some(), st.integers(0, 20))
def test_counts_are_those_of_the_rows(rows: Requests, limit: int) -> None:
    part = Tally(Cut(), (limit,)).look(Batch(rows))
    slow = rows.sent & (~rows.ok | (rows.latency_ns > limit))
    assert (part.total, part.unsent, part.failed) == (len(rows), rows.unsent, rows.bad)
    assert part.bad_by_limit[limit] == np.count_nonzero(slow)


@pytest.mark.parametrize("sent", [True, False])
def test_a_cut_that_holds_everything_copies_nothing(sent: bool) -> None:
    due, flags = np.arange(3, dtype=np.int64), np.ones(3, dtype=np.bool_)
    rows = Requests(due, due, due, flags, flags)
    assert Batch(rows).cut(Cut(due_from_ns=0, due_before_ns=3, sent=sent)) is rows
