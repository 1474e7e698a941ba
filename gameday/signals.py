"""The signals that end a drill: whoever sends one wants it undone, and nothing more started."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


def ending_signals() -> tuple[signal.Signals, ...]:
    """SIGINT and SIGTERM, and SIGHUP unless that is ignored: `nohup gameday run` is to outlive its terminal."""
    ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return (signal.SIGINT, signal.SIGTERM) if ignored else (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def caught(tell: Callable[[str], None]) -> Iterator[None]:
    """Call `tell` with the name of each signal that would end us, while this lasts.

    Only in the main thread can they be caught; in any other one nothing happens.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - signal's signature
        tell(signal.Signals(number).name)

    before = {number: signal.signal(number, handle) for number in ending_signals()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
