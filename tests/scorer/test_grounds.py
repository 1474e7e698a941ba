"""Kinds of rows, and the first and the last of each."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scorer.grounds import kind, one
from scorer.requests import Requests
from scorer.rows import key_of


def requests_at(*starts_ns: int, latency_ns: int | None = None) -> Requests:
    starts = np.array(starts_ns, dtype=np.int64)
    latencies = np.arange(len(starts), dtype=np.int64) if latency_ns is None else np.full(len(starts), latency_ns)
    yes = np.ones(len(starts), dtype=np.bool_)
    return Requests(starts - 1, starts, latencies, yes, yes)


def test_a_kind_counts_its_rows_and_holds_the_first_and_the_last_sent() -> None:
    requests = requests_at(50, 10, 40, 20)
    found = kind("odd ones", requests, np.array([True, False, True, True]))
    assert (found.says, found.count) == ("odd ones", 3)
    assert found.first is not None
    assert found.last is not None
    assert (found.first.start_ns.tolist(), found.last.start_ns.tolist()) == ([20], [50])


def test_where_there_is_none_there_is_no_first() -> None:
    requests = requests_at(1, 2)
    for found in (kind("none", requests, np.zeros(2, dtype=np.bool_)), one("none", requests, None)):
        assert (found.count, found.first, found.last) == (0, None, None)


def test_one_row_is_the_first_and_the_last() -> None:
    found = one("it", requests_at(1, 2, 3), 1)
    assert found.count == 1
    assert found.first is not None
    assert found.last is not None
    assert found.first.start_ns.tolist() == found.last.start_ns.tolist() == [2]


@given(st.lists(st.integers(0, 4), min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_rows_makes_no_difference_also_among_those_sent_at_one_time(starts, random) -> None:
    requests = requests_at(*starts)
    order = list(range(len(starts)))
    random.shuffle(order)
    here, there = kind("all", requests), kind("all", requests.where(np.array(order)))
    for mine, other in ((here.first, there.first), (here.last, there.last)):
        assert mine is not None
        assert other is not None
        assert key_of(mine) == key_of(other)
