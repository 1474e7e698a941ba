"""What users who wait for answers leave out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorer.omission import Omission, omission
from scorer.requests import Requests
from scorer.span import Span

S = 1_000_000_000
BASELINE, WINDOW = Span(0, 20 * S), Span(20 * S, 40 * S)


def requests(*stretches: tuple[float, float, float]) -> Requests:
    """Requests at even times: from and to, in seconds, and how many a second; each takes a millisecond."""
    starts = np.concatenate(
        [start + np.arange(round((end - start) * per_s)) / per_s for start, end, per_s in stretches]
    )
    start_ns = np.round(starts * 1e9).astype(np.int64)
    flags = np.ones(len(start_ns), dtype=np.bool_)
    return Requests(start_ns, start_ns, np.full(len(start_ns), S // 1000), flags, flags)


def left_out(*stretches: tuple[float, float, float]) -> Omission:
    return omission(requests((0, 20, 100), *stretches), BASELINE, WINDOW)


UPPER_PER_S = 103.76
"""The Poisson upper bound at 95 % of 2,000 requests in 20 s, a second."""


def test_the_rate_that_an_open_workload_keeps_is_bounded_by_the_baselines_count() -> None:
    found = left_out((20, 40, 100))
    assert found.per_s == pytest.approx(UPPER_PER_S, abs=0.01)
    assert found.least_per_s == pytest.approx(96.35, abs=0.01)


@pytest.mark.parametrize(
    ("stretches", "omitted", "surplus"),
    [
        (((20, 40, 100),), 20 * (UPPER_PER_S - 100), 0),
        (((20, 25, 100), (28, 40, 100)), 20 * UPPER_PER_S - 1700, 0),
        (((20, 25, 100), (25, 28, 10), (28, 40, 100)), 20 * UPPER_PER_S - 1730, 0),
        (((20, 30, 300),), 10 * UPPER_PER_S, 10 * (300 - UPPER_PER_S)),  # what came too fast doesn't make up
        (((20, 25.3, 300), (25.9, 40, 300)), 0.6 * UPPER_PER_S, 19.4 * (300 - UPPER_PER_S)),  # within one second
    ],
)
def test_what_was_sent_too_fast_does_not_make_up_for_what_was_not_sent(
    stretches: tuple[tuple[float, float, float], ...], omitted: float, surplus: float
) -> None:
    found = left_out(*stretches)
    assert found.omitted == pytest.approx(omitted, abs=3)
    assert found.surplus == pytest.approx(surplus, abs=4)


def test_of_bad_requests_no_more_count_than_an_open_workload_would_have_sent() -> None:
    fast = requests((0, 20, 100), (20, 21, 500), (21, 40, 100))
    found = omission(fast, BASELINE, WINDOW)
    bad = fast.start_ns[(fast.start_ns >= 20 * S) & (fast.start_ns < 21 * S)]
    assert len(bad) - found.beyond(bad) == pytest.approx(found.least_per_s, abs=1)
    assert found.beyond(np.empty(0, dtype=np.int64)) == 0


def test_cells_are_as_long_as_it_takes_for_a_hundred_requests() -> None:
    assert len(left_out((20, 40, 100)).counts) == 20
    slow = omission(requests((0, 20, 20), (20, 40, 20)), BASELINE, WINDOW)
    assert len(slow.counts) == 4


def test_users_who_move_in_step_show_only_the_moments_at_which_they_ask() -> None:
    in_step = requests(*[(second, second + 0.1, 1000) for second in range(40)])
    found = omission(in_step, BASELINE, WINDOW)
    assert found.omitted == pytest.approx(20 * 0.9 * UPPER_PER_S, abs=3)


@pytest.mark.parametrize("stretches", [((20, 40, 100),), ((0, 0.001, 1000), (20, 40, 100))])
def test_without_a_baseline_nobody_knows_what_was_left_out(stretches: tuple[tuple[float, float, float], ...]) -> None:
    with pytest.raises(LookupError, match="no request was sent in a baseline"):
        omission(requests(*stretches), Span(5 * S, 20 * S), WINDOW)


def test_a_bad_request_stands_for_all_that_its_user_left_out() -> None:
    """Ten users share 100 requests/s, so that each of them leaves out 10 a second while it waits."""
    start_ns = 20 * S + np.arange(10, dtype=np.int64) * S // 1000
    flags = np.ones(10, dtype=np.bool_)
    hung = Requests(start_ns, start_ns, np.full(10, 3 * S), flags, ~flags)
    pace = left_out((20, 40, 100)).pace(hung)
    assert pace.waiting == 10
    assert pace.of(hung).tolist() == [32] * 10  # 3 s · 103.76 / 10
    assert pace.of(replace(hung, latency_ns=np.zeros(10, dtype=np.int64))).tolist() == [1] * 10


@given(st.integers(0, 2**31), st.floats(0.5, 6), st.floats(0, 10), st.floats(1, 3))
def test_a_silence_is_omitted_however_fast_users_are_before_and_after(
    seed: int, silent_s: float, from_s: float, faster: float
) -> None:
    rng = np.random.default_rng(seed)
    gaps = np.concatenate([rng.exponential(0.01, 2600), rng.exponential(0.01 / faster, 8000)])
    starts = np.cumsum(gaps)
    starts = starts[(starts < 40) & ~((starts > 20 + from_s) & (starts < 20 + from_s + silent_s))]
    start_ns = np.round(starts * 1e9).astype(np.int64)
    flags = np.ones(len(start_ns), dtype=np.bool_)
    found = omission(Requests(start_ns, start_ns, start_ns * 0, flags, flags), BASELINE, WINDOW)
    assert found.omitted >= np.floor(found.per_s * silent_s) - 1
