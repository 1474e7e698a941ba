"""What is told of rows by how far their times reach: held against a look at each of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scorer.extent
from scorer.extent import EARLY_NS, Extent, longer_steps

FAR = st.sampled_from([0, 0, 0, 1_764_000_000_000_000_000, 2**61, 2**62, -(2**63)])


@pytest.fixture(autouse=True, scope="module")
def small_blocks() -> Any:
    """So that a few rows make several of them, and several moments."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scorer.extent, "_BLOCK_ROWS", 4)
        patch.setattr(scorer.extent, "_MOMENT_ROWS", 0)
        yield


@st.composite
def some(draw: Any, regular: bool = False) -> Extent:
    """A few rows in the order in which they were sent, or nearly; absurd ones among them, unless they are regular."""
    count = draw(st.integers(1 if regular else 0, 20))

    def numbers(least: int, most: int) -> np.ndarray:
        return np.array(draw(st.lists(st.integers(least, most), min_size=count, max_size=count)), dtype=np.int64)

    late = numbers(0, 30) - EARLY_NS * numbers(0, 1)
    start = np.cumsum(numbers(0 if regular else -2, 30)) + (1000 if regular else draw(FAR))
    latency = np.maximum(0, late) + numbers(0 if regular else -3, 40)
    if not regular and count and draw(st.booleans()):
        latency[draw(st.integers(0, count - 1))] = draw(st.sampled_from([2**62, 2**63 - 1, -(2**63)]))
    with np.errstate(over="ignore"):
        return Extent(start - late, start, latency)


def exact(extent: Extent) -> list[tuple[int, int, int]]:
    """The rows in numbers that never overflow."""
    return list(zip(extent.due_ns.tolist(), extent.start_ns.tolist(), extent.latency_ns.tolist(), strict=True))


@given(some())
def test_rows_that_are_called_regular_are_in_order_and_possible(extent: Extent) -> None:
    rows = exact(extent)
    if extent.regular:
        assert [start for _, start, _ in rows] == sorted(start for _, start, _ in rows)
        assert all(due - EARLY_NS <= start <= due + latency and latency >= 0 for due, start, latency in rows)


@given(some(regular=True))
def test_rows_that_are_possible_and_in_order_are_called_regular(extent: Extent) -> None:
    assert extent.regular


@given(st.one_of(some(), some(regular=True)))
def test_ranges_and_ends_are_those_of_all_rows(extent: Extent) -> None:
    done = extent.due_ns + extent.latency_ns
    for found, numbers in (
        (extent.steps, np.diff(extent.start_ns)),
        (extent.late, extent.start_ns - extent.due_ns),
        (extent.latency, extent.latency_ns),
        (extent.due, extent.due_ns),
    ):
        assert (found.least, found.most) == ((numbers.min(), numbers.max()) if len(numbers) else (0, 0))
    assert extent.last_done_ns == (done.max() if len(done) else 0)


@given(some(regular=True), st.integers(0, 1500), st.integers(1, 60))
def test_as_many_are_done_before_a_moment_as_a_count_of_all_says(extent: Extent, first: int, apart: int) -> None:
    moments = range(first, first + 5 * apart, apart)
    found = extent.done_before(moments)
    if found is not None:
        done = extent.due_ns + extent.latency_ns
        assert found.tolist() == [np.count_nonzero(done < moment) for moment in moments]


def test_rows_that_were_done_at_once_need_no_look_at_each() -> None:
    due = np.arange(0, 1000, 10)
    found = Extent(due, due + 1, np.full(100, 7)).done_before(range(0, 1000, 250))
    assert found is not None
    assert found.tolist() == [0, 25, 50, 75]


def test_rows_that_are_not_regular_are_not_counted_by_moments() -> None:
    due = np.arange(10)
    assert Extent(due, due[::-1], due).done_before(range(5)) is None


@given(st.one_of(some(), some(regular=True)))
def test_lateness_is_that_of_each_row_however_wide(extent: Extent) -> None:
    with np.errstate(over="ignore"):
        assert extent.late_ns.tolist() == (extent.start_ns - extent.due_ns).tolist()


@given(some(regular=True), st.integers(-1, 40))
def test_pauses_are_the_longer_steps(extent: Extent, limit: int) -> None:
    assert extent.pauses(limit).tolist() == np.flatnonzero(np.diff(extent.start_ns) > limit).tolist()


@given(st.lists(st.integers(-50, 50), max_size=20), st.integers(-60, 60))
def test_longer_steps_are_found_in_whichever_block(times: list[int], limit: int) -> None:
    found = longer_steps(np.array(times, dtype=np.int64), limit)
    assert found.tolist() == [at for at in range(len(times) - 1) if times[at + 1] - times[at] > limit]
