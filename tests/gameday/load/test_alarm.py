from __future__ import annotations

import os
import time
from collections.abc import Iterator

import gevent
import pytest

from gameday.load.alarm import Alarm, CoarseAlarm, best_alarm

MS = 1_000_000


@pytest.fixture(params=[Alarm, CoarseAlarm])
def alarm(request: pytest.FixtureRequest) -> Iterator[Alarm | CoarseAlarm]:
    made: Alarm | CoarseAlarm = request.param()
    yield made
    made.close()


def test_it_never_rings_too_soon(alarm: Alarm | CoarseAlarm) -> None:
    for wait_ns in (1, 1_000, 300_000, 1_300_000, 20 * MS):
        due_ns = time.monotonic_ns() + wait_ns
        alarm.wait_until(due_ns)
        assert time.monotonic_ns() >= due_ns


@pytest.mark.parametrize("due_ns", [-5, 0, 1])
def test_a_moment_that_has_passed_is_not_waited_for(alarm: Alarm | CoarseAlarm, due_ns: int) -> None:
    with gevent.Timeout(5):
        alarm.wait_until(due_ns)


def test_others_run_meanwhile(alarm: Alarm | CoarseAlarm) -> None:
    ran = []
    gevent.spawn(ran.append, 1)
    alarm.wait_until(time.monotonic_ns() + 20 * MS)
    assert ran == [1]


def test_a_wait_that_was_given_up_does_not_disturb_the_next(alarm: Alarm | CoarseAlarm) -> None:
    """The first wait is killed after its time has come and before it could read that."""
    soon_ns = time.monotonic_ns() + 2 * MS
    waiting = gevent.spawn(alarm.wait_until, soon_ns)
    gevent.sleep(0)
    while time.monotonic_ns() < soon_ns:
        pass
    waiting.kill()
    due_ns = time.monotonic_ns() + 20 * MS
    alarm.wait_until(due_ns)
    assert time.monotonic_ns() >= due_ns


def test_what_is_closed_is_given_back() -> None:
    alarm = Alarm()
    before = len(os.listdir("/proc/self/fd"))
    alarm.close()
    alarm.close()
    assert len(os.listdir("/proc/self/fd")) == before - 1


def test_timer_files_are_taken_where_there_are_any() -> None:
    alarm = best_alarm()
    assert isinstance(alarm, Alarm)
    alarm.close()
