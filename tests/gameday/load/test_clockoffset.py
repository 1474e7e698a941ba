from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.load.clockoffset import DRIFT, SETTLED, Exchange, OffsetTrack, Span

MS = 1_000_000
S = 1000 * MS
delays = st.integers(0, 2 * S)
offsets = st.integers(-(10**15), 10**15)


def exchange(at_ns: int, offset_ns: int, there_ns: int, held_ns: int, back_ns: int) -> Exchange:
    """A message sent at `at_ns` to a clock so far ahead, and its answer; each way takes its own time."""
    t2 = at_ns + there_ns + offset_ns
    return Exchange(at_ns, t2, t2 + held_ns, at_ns + there_ns + held_ns + back_ns)


@pytest.mark.parametrize(
    ("there_ms", "back_ms", "offset_ms", "uncertainty_ms"),
    [
        (1, 1, 1700, 1),  # equal ways: the middle is the truth
        (0, 2, 1699, 1),  # the whole delay on the way back: as wrong as it can be, and no more
        (2, 0, 1701, 1),
        (0, 0, 1700, 0),  # no delay, no doubt
        (30, 10, 1710, 20),
    ],
)
def test_the_middle_is_wrong_by_half_the_round_trip_at_most(
    there_ms: int, back_ms: int, offset_ms: int, uncertainty_ms: int
) -> None:
    span = exchange(0, 1700 * MS, there_ms * MS, 5 * MS, back_ms * MS).span()
    assert (span.offset_ns, span.uncertainty_ns) == (offset_ms * MS, uncertainty_ms * MS)


@given(offset=offsets, there=delays, held=delays, back=delays)
def test_one_exchange_holds_the_truth_whatever_the_delays(offset: int, there: int, held: int, back: int) -> None:
    span = exchange(0, offset, there, held, back).span()
    assert span.low_ns <= offset <= span.high_ns
    assert abs(span.offset_ns - offset) <= span.uncertainty_ns


@given(st.lists(st.tuples(st.integers(0, S), delays, delays, delays, st.floats(-1, 1)), min_size=SETTLED), offsets)
def test_the_truth_stays_within_however_the_clocks_drift(
    steps: list[tuple[int, int, int, int, float]], offset: int
) -> None:
    """Between two exchanges the offset moves by any share of what is allowed; both its ends must be held."""
    track, now, truth = OffsetTrack(), 0, float(offset)
    truths = []
    for pause, there, held, back, share in steps:
        now += pause
        took = there + held + back
        truth += share * DRIFT * (pause + took)
        truths.append(round(truth))
        track.add(exchange(now, round(truth), there, held, back))
        now += took
        assert track.now.low_ns <= round(truth) <= track.now.high_ns
    span = track.over_run
    assert all(span.low_ns <= at <= span.high_ns for at in truths[SETTLED - 1 :])


def track_of(exchanges: Sequence[Exchange]) -> OffsetTrack:
    track = OffsetTrack()
    for one in exchanges:
        track.add(one)
    return track


def test_one_fast_exchange_among_slow_ones_is_what_counts() -> None:
    slow = [exchange(n * 10 * MS, 0, 3 * MS, 0, 5 * MS) for n in range(4)]
    track = track_of([*slow, exchange(50 * MS, 0, MS // 10, 0, MS // 10)])
    assert track.settled
    assert track.over_run.uncertainty_ns == pytest.approx(MS // 10, abs=1000)


def test_slow_exchanges_later_on_cost_no_more_than_drift_does() -> None:
    """A loop that stalls for a second says nothing of the clocks: 0.2 ms a second is what they may move."""
    good = [exchange(n * 10 * MS, 0, MS // 10, 0, MS // 10) for n in range(SETTLED)]
    track = track_of([*good, exchange(S, 0, S, 0, S)])
    assert track.over_run.uncertainty_ns == pytest.approx(MS // 10 + 3 * S * DRIFT, abs=20_000)


def test_the_span_of_a_run_grows_by_what_the_clocks_did() -> None:
    """Two hours of 20 parts in a million are 144 ms, and both ends are in it."""
    every_s, drift = 10, 20e-6
    track = track_of(
        [exchange(n * every_s * S, round(n * every_s * S * drift), MS // 10, 0, MS // 10) for n in range(720)]
    )
    assert track.over_run.low_ns <= 0
    assert track.over_run.high_ns >= 719 * every_s * S * drift
    assert track.over_run.uncertainty_ns < 75 * MS


def test_a_clock_that_was_set_leaves_both_readings_in_the_span() -> None:
    before = [exchange(n * S, 0, MS, 0, MS) for n in range(SETTLED)]
    after = [exchange((SETTLED + n) * S, 500 * MS, MS, 0, MS) for n in range(3)]
    span = track_of([*before, *after]).over_run
    assert span.low_ns <= 0
    assert span.high_ns >= 500 * MS


def test_until_it_has_settled_the_last_exchange_is_what_is_known() -> None:
    track = OffsetTrack()
    with pytest.raises(ValueError, match="no clock was compared"):
        track.over_run  # noqa: B018  # a property that raises
    settled = []
    for n in accumulate([10 * MS] * SETTLED):
        track.add(exchange(n, 7 * MS, MS, 0, MS))
        settled.append(track.settled)
        assert track.over_run.low_ns <= 7 * MS <= track.over_run.high_ns
    assert settled == [False] * (SETTLED - 1) + [True]


@pytest.mark.parametrize("times", [(10, 0, 0, 5), (0, 10, 5, 20), (0, 0, 30, 10)])
def test_an_answer_that_came_before_its_message_is_refused(times: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="not the times of a message and its answer"):
        OffsetTrack().add(Exchange(*times))


def test_over_two_legs_offsets_and_doubts_add_up() -> None:
    assert Span(-2, 4) + Span(10, 20) == Span(8, 24)


@pytest.mark.parametrize(("span", "shift"), [(Span(-5, 30), 0), (Span(0, 0), 0), (Span(5, 15), 10), (Span(-9, -1), -5)])
def test_clocks_that_may_be_the_same_are_taken_to_be(span: Span, shift: int) -> None:
    assert span.shift_ns == shift
