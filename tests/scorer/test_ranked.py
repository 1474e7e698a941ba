"""Order statistics without holding the values: held against sorting them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorer.batch import Cut
from scorer.ranked import NEVER_NS, Cells, Closer, Place, closer, first_place, spans_of
from scorer.requests import Requests
from scorer.source import gather
from tests.scorer.split import Split

VALUES = st.one_of(st.integers(0, 2**62), st.integers(0, 2000), st.integers(11_999_000, 12_001_000))


def requests(latencies: list[int], ok: list[bool]) -> Requests:
    """One request a nanosecond, sent as it was due."""
    due = np.arange(len(latencies), dtype=np.int64)
    sent = np.ones(len(due), dtype=np.bool_)
    return Requests(due, due, np.array(latencies, dtype=np.int64), sent, np.array(ok, dtype=np.bool_))


def selected(source: Split, rank: int) -> int:
    """The latency of a rank, pass by pass."""
    place = first_place(gather(source, [Cells(Cut(), "latency")])[0], rank)
    passes = 0
    while isinstance(place, Place):
        passes += 1
        assert passes <= 4
        spans = spans_of([place])
        place = closer(place, gather(source, [Closer(Cut(), "latency", spans)])[0][0])
    return place


@given(st.lists(st.tuples(VALUES, st.booleans()), min_size=1, max_size=60), st.data())
def test_a_selected_value_is_that_of_the_sorted_ones(some: list[tuple[int, bool]], data: st.DataObject) -> None:
    latencies, ok = [value for value, _ in some], [good for _, good in some]
    rank = data.draw(st.integers(1, len(some)))
    source = Split(requests(latencies, ok), data.draw(st.lists(st.integers(0, 60), max_size=3)))
    expected = sorted(value if good else NEVER_NS for value, good in some)[rank - 1]
    assert selected(source, rank) == expected


@pytest.mark.parametrize(("rank", "value"), [(0, 0), (-5, 0), (4, NEVER_NS)])
def test_below_the_first_rank_is_nothing_and_beyond_the_last_is_never(rank: int, value: int) -> None:
    assert selected(Split(requests([5, 6, 7], [True] * 3)), rank) == value


def test_no_requests_have_no_value() -> None:
    assert selected(Split(requests([], [])), 1) == NEVER_NS
