"""p95 of any set of requests, with its bounds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorer.percentile import p95
from scorer.requests import Requests


def requests(latencies_ms: list[float], *, failed: int = 0, unsent: int = 0) -> Requests:
    """Requests of these latencies, and some that failed or were never sent."""
    n = len(latencies_ms) + failed + unsent
    latency = np.array([*latencies_ms, *[1.0] * failed, *[0.0] * unsent]) * 1e6
    sent = np.arange(n) < n - unsent
    times = np.arange(n, dtype=np.int64) * 1_000_000
    return Requests(times, times, latency.astype(np.int64), sent, np.arange(n) < len(latencies_ms))


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=300), st.integers(0, 5), st.integers(0, 20))
def test_the_value_is_that_of_the_sorted_latencies(latencies: list[float], failed: int, unknown: int) -> None:
    taken = p95(requests(latencies, failed=failed), unknown, 0.95)
    ordered = sorted(round(ms * 1e6) / 1e6 if ms else 0.0 for ms in latencies) + [math.inf] * failed
    assert taken.value == pytest.approx(ordered[math.ceil(0.95 * len(ordered)) - 1], abs=1e-5)
    assert taken.low <= taken.value <= taken.high


def test_more_unknown_requests_only_widen_it() -> None:
    known = requests([float(ms) for ms in range(400)])
    widths = [(p95(known, unknown, 0.95).low, p95(known, unknown, 0.95).high) for unknown in (0, 3, 30)]
    assert [low for low, _ in widths] == sorted((low for low, _ in widths), reverse=True)
    assert [high for _, high in widths] == sorted(high for _, high in widths)
    assert widths[2][1] == math.inf


@pytest.mark.parametrize("unknown", [1900, 2000, 10**11, 10**18])
def test_where_hardly_any_are_known_nothing_is(unknown: int) -> None:
    taken = p95(requests([5.0] * 100), unknown, 0.95)
    assert (taken.low, taken.value, taken.high) == (0.0, 5.0, math.inf)


def test_unsent_requests_are_left_to_the_caller() -> None:
    assert p95(requests([5.0] * 100, unsent=50), 0, 0.95).value == 5.0


def test_too_few_requests_have_no_upper_bound() -> None:
    taken = p95(requests([5.0] * 58), 0, 0.95)
    assert (taken.value, taken.high) == (5.0, math.inf)


def test_nothing_sent_has_no_value() -> None:
    taken = p95(requests([]), 3, 0.95)
    assert math.isnan(taken.value)
    assert (taken.low, taken.high) == (0.0, math.inf)


def test_each_bound_errs_as_seldom_as_it_says() -> None:
    rng = np.random.default_rng(5)
    truth_ms = -math.log(0.05) * 50
    taken = [p95(requests((rng.exponential(50, 300)).tolist()), 0, 0.95) for _ in range(600)]
    assert sum(each.low > truth_ms for each in taken) <= 45  # 30 expected at most; 45 in 1 of 300 such tests
    assert sum(each.high < truth_ms for each in taken) <= 45
