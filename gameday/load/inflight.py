"""What is known about an arrival while it is being served, and how requests find the arrival they belong to."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass


class Unsent(Exception):
    """The arrival was due and no request of it was ever sent. The text is the row's `error`."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"unsent: {reason}")


class Abandoned(Exception):
    """A request was sent, and its task or the load ended before it had a row. The text is the row's `error`."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"abandoned: {reason}")


@dataclass(slots=True)
class Counts:
    """Arrivals of this process so far: came due, had a request sent, are being served now.

    began_ns: CLOCK_MONOTONIC when the schedule began, the same for every class; 0 before.
    """

    began_ns: int = 0
    due: int = 0
    sent: int = 0
    inflight: int = 0


COUNTS = Counts()
"""The one tally of this process, which its users write and its health samples read."""


@dataclass(slots=True)
class Arrival:
    """One arrival. Times are CLOCK_MONOTONIC nanoseconds."""

    scheduled_ns: int
    start_ns: int | None = None
    """When the request that is under way was sent; None while none is."""
    rows: int = 0
    sent: bool = False

    def begin(self, now_ns: int) -> None:
        """A request of this arrival is being sent."""
        self.start_ns = now_ns
        if not self.sent:
            self.sent = True
            COUNTS.sent += 1

    def end(self, start_ns: int) -> tuple[int, int]:
        """A request of this arrival got its row: (scheduled, start).

        start_ns: when it began, for a client that did not call `begin`. Only the first request of an arrival was due
        at the arrival's time; a later one is due when it starts.
        """
        if self.start_ns is None:
            self.begin(start_ns)
        start_ns, self.start_ns = self.start_ns or start_ns, None
        scheduled_ns = start_ns if self.rows else self.scheduled_ns
        self.rows += 1
        return scheduled_ns, start_ns


CURRENT: ContextVar[Arrival | None] = ContextVar("arrival", default=None)
"""The arrival that the running greenlet serves. A greenlet that a task spawns inherits it."""
