from __future__ import annotations

import time

import gevent
import pytest
from gevent.event import Event

from gameday.load.watchdog import Watchdog

S = 1_000_000_000
TIMEOUT_S = 0.05


def bitten_after_s(watchdog: Watchdog, work_s: float) -> float | None:
    """Watched, work for so long; how long it went on until the time-out, None where there was none."""
    begun_ns = time.monotonic_ns()
    watchdog.watch(begun_ns)
    try:
        gevent.sleep(work_s)
    except gevent.Timeout:
        return (time.monotonic_ns() - begun_ns) / S
    finally:
        watchdog.release()
    return None


def test_what_takes_too_long_ends_at_its_time_and_never_before() -> None:
    """Twelve that begin 5 ms apart, each with its own time; a busy machine may be late by twice as much again."""
    watchdog = Watchdog(TIMEOUT_S)
    waiting = [gevent.spawn_later(0.005 * number, bitten_after_s, watchdog, 10) for number in range(12)]
    took_s = [one.get() for one in waiting]
    assert min(took_s) >= TIMEOUT_S
    assert sorted(took_s)[6] < 3 * TIMEOUT_S


def test_what_was_released_in_time_is_left_alone_whatever_it_does_next() -> None:
    """The next wait of the same greenlet is longer than what was left of the first, and than the whole of it."""
    watchdog = Watchdog(TIMEOUT_S)
    assert bitten_after_s(watchdog, 0.6 * TIMEOUT_S) is None
    gevent.sleep(2 * TIMEOUT_S)
    assert bitten_after_s(watchdog, 0.6 * TIMEOUT_S) is None


def test_a_second_watch_has_the_whole_time_again() -> None:
    watchdog = Watchdog(TIMEOUT_S)
    watchdog.watch(time.monotonic_ns() - int(0.9 * TIMEOUT_S * S))
    assert bitten_after_s(watchdog, 0.5 * TIMEOUT_S) is None


def test_the_one_that_is_overdue_is_bitten_and_no_other() -> None:
    watchdog = Watchdog(TIMEOUT_S)
    quick = [gevent.spawn(bitten_after_s, watchdog, 0.01) for _ in range(5)]
    slow = gevent.spawn(bitten_after_s, watchdog, 10)
    quick += [gevent.spawn(bitten_after_s, watchdog, 0.01) for _ in range(5)]
    assert slow.get() is not None
    assert [one.get() for one in quick] == [None] * 10


def test_one_that_begins_again_when_it_is_bitten_is_watched_again() -> None:
    watchdog = Watchdog(TIMEOUT_S)
    assert all(bitten_after_s(watchdog, 10) is not None for _ in range(3))


def test_the_time_out_says_how_long_it_was() -> None:
    watchdog, never = Watchdog(TIMEOUT_S), Event()
    watchdog.watch(time.monotonic_ns())
    with pytest.raises(gevent.Timeout, match=f"{TIMEOUT_S} seconds"):
        never.wait()


def test_a_release_of_what_is_not_watched_is_harmless() -> None:
    Watchdog(TIMEOUT_S).release()
