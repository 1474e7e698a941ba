"""Percentiles found in one reading: held against sorting, and against the two readings that stand in for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scorer.near
import scorer.source
from bundle.reader import Bundle
from scorer.batch import Cut
from scorer.facts import Facts, read_facts
from scorer.near import SHARES, Near, glance
from scorer.passes import read
from scorer.planted import Outage, Plan, plant
from scorer.ranked import Cells, order_statistics
from scorer.requests import Requests
from scorer.source import Held, Stream, gather
from scorer.targets import Targets
from scorer.values import NEVER_NS
from tests.scorer.split import Split

VALUES = st.one_of(st.integers(0, 2**62), st.integers(0, 50), st.just(NEVER_NS - 1))


def requests(latencies: list[int], ok: list[bool]) -> Requests:
    """All due at once and sent then: at later ones the longest latencies would end after the last moment there is."""
    due = np.zeros(len(latencies), dtype=np.int64)
    sent = np.ones(len(due), dtype=np.bool_)
    return Requests(due, due, np.array(latencies, dtype=np.int64), sent, np.array(ok, dtype=np.bool_))


@given(st.lists(st.tuples(VALUES, st.booleans()), max_size=40), VALUES, VALUES, st.data())
def test_a_rank_near_by_has_the_value_of_the_sorted_ones_and_no_other_has_any(
    some: list[tuple[int, bool]], one: int, other: int, data: st.DataObject
) -> None:
    low, high = sorted([one, other])
    source = Split(requests(*map(list, zip(*some, strict=True))) if some else requests([], []), [7, 20])
    found = gather(source, [Near(Cut(), "latency", low, high)])[0]
    ordered = sorted(value if good else NEVER_NS for value, good in some)
    rank = data.draw(st.integers(-1, len(some) + 1))
    if rank > sum(good for _, good in some):
        assert found.of_rank(rank) == NEVER_NS
    else:
        within = rank >= 1 and low <= ordered[rank - 1] < high
        assert found.of_rank(rank) == (ordered[rank - 1] if within else None)


def test_lateness_is_counted_from_the_due_time_also_of_what_was_sent_early() -> None:
    due, flags = np.zeros(3, dtype=np.int64), np.ones(3, dtype=np.bool_)
    rows = Requests(due, np.array([-1000, 5, 900]), np.full(3, 1000), flags, flags)
    found = gather(Split(rows), [Near(Cut(), "lateness", -2000, 100)])[0]
    assert [found.of_rank(rank) for rank in (1, 2, 3)] == [-1000, 5, None]


def test_too_many_values_near_by_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scorer.near, "_MOST", 30)
    source = Split(requests([10] * 40, [True] * 40), [15, 30])
    assert gather(source, [Near(Cut(), "latency", 0, 100)])[0].of_rank(20) is None


def test_requests_in_memory_are_not_glanced_at() -> None:
    assert glance(Held(requests([1, 2, 3], [True] * 3)), Cut()) == []


@pytest.fixture
def streamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Facts]:
    """Reads a plan's drill as if it were too large to be kept, in many row groups."""
    monkeypatch.setattr(scorer.source, "KEPT_ROWS", 0)

    def stream(*outages: Outage) -> Facts:
        plant(tmp_path / "b", Plan(outages=outages))
        path = tmp_path / "b" / "requests.parquet"
        pq.write_table(pq.read_table(path), path, row_group_size=60)
        return read_facts(Bundle.open(tmp_path / "b"))

    return stream


def test_a_glance_that_hits_leaves_one_reading(
    streamed: Callable[..., Facts], targets: Targets, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts, passes = streamed(Outage(0, 3)), []
    each = Stream._each
    monkeypatch.setattr(Stream, "_each", lambda self, look, first: passes.append(first) or each(self, look, first))
    near = [Near(facts.cut, "latency", 0, NEVER_NS), Near(facts.cut, "lateness", -1_000_000, NEVER_NS)]
    monkeypatch.setattr("scorer.passes.glance", lambda *_: near)
    read(facts, targets)
    assert len(passes) == 1


@pytest.mark.parametrize("near_ns", [(0, NEVER_NS), (0, 1), (13_000_000, 13_000_001)])
def test_a_glance_that_misses_changes_no_order_statistic(
    streamed: Callable[..., Facts], near_ns: tuple[int, int]
) -> None:
    facts = streamed(Outage(0, 3))
    cut = facts.cut
    answered = int(facts.of(Cells(cut, "latency")).counts.sum())
    ranks = [0, 1, 50, answered, answered + 1, 10**9]
    expected = order_statistics(facts, cut, "latency", ranks)
    facts.near.append(Near(cut, "latency", *near_ns))
    assert order_statistics(facts, cut, "latency", ranks) == expected
    for rank, value in zip(ranks, expected, strict=True):
        assert order_statistics(facts, cut, "latency", [rank]) == [value]


def test_below_the_first_lateness_is_nothing_whether_the_glance_hits_or_not(streamed: Callable[..., Facts]) -> None:
    facts = streamed()
    ranks = [-1, 0, 1, 50]
    expected = order_statistics(facts, facts.cut, "lateness", ranks)
    assert expected[:2] == [0, 0]
    facts.near.append(Near(facts.cut, "lateness", -1_000_000, NEVER_NS))
    assert order_statistics(facts, facts.cut, "lateness", ranks) == expected


def test_a_glance_sees_about_where_the_percentiles_lie(streamed: Callable[..., Facts]) -> None:
    facts = streamed()
    (latency, lateness) = glance(facts.source, facts.cut)
    p95_ns, p99_ns = (
        order_statistics(facts, facts.cut, of, [int(share * len(facts.judged))])[0] for of, share in SHARES.items()
    )
    assert p95_ns / 1.5 < latency.high_ns
    assert latency.low_ns < p95_ns * 1.5
    assert lateness.low_ns <= p99_ns
