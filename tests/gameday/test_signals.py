"""The signals that end a drill."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from gameday.signals import caught, ending_signals


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_is_told_by_its_name_while_that_lasts(number: signal.Signals) -> None:
    before, told = signal.getsignal(number), list[str]()
    with caught(told.append):
        os.kill(os.getpid(), number)
    assert told == [number.name]
    assert signal.getsignal(number) is before


def test_a_hangup_that_nohup_has_ignored_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    assert signal.SIGHUP not in ending_signals()
    told: list[str] = []
    with caught(told.append):
        os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    assert told == []


def test_another_thread_leaves_them_alone() -> None:
    seen: list[object] = []

    def run() -> None:
        with caught(lambda _: None):
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGTERM)]
