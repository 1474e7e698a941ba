"""One timer for the time-outs of all requests: `gevent.Timeout` makes one for each, and sockets one for each wait."""

from __future__ import annotations

import time

import gevent
from gevent import getcurrent

SLACK_NS = 1_000_000
"""A request is overdue so long after its time, for its client begins to count a little later than we do."""


class Watchdog:
    """Raises `gevent.Timeout` in each greenlet that was watched for `timeout_s` without being released.

    All have the same time, so that the one that was watched first is the next to be overdue, and one timer is enough.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._due_after_ns = round(timeout_s * 1e9) + SLACK_NS
        self._since_ns: dict[gevent.Greenlet, int] = {}
        self._armed = False

    def watch(self, now_ns: int) -> None:
        """The running greenlet has `timeout_s` from `now_ns` of CLOCK_MONOTONIC, whatever was said of it before."""
        current = getcurrent()
        self._since_ns.pop(current, None)  # so that the order is that of time
        self._since_ns[current] = now_ns
        if not self._armed:
            self._arm(now_ns)

    def release(self) -> None:
        """Nothing is raised in the running greenlet any more. Harmless where it is not watched."""
        self._since_ns.pop(getcurrent(), None)

    def _arm(self, now_ns: int) -> None:
        """Look again when the first is overdue."""
        since_ns = next(iter(self._since_ns.values()))
        self._armed = True
        self._timer = gevent.get_hub().loop.timer(max(0, since_ns + self._due_after_ns - now_ns) / 1e9)
        self._timer.start(self._bite, update=True)

    def _bite(self) -> None:
        """Runs in the hub: the greenlets that are overdue wait for something, and go on at once with the time-out."""
        self._timer.close()
        while self._since_ns:
            current, since_ns = next(iter(self._since_ns.items()))
            now_ns = time.monotonic_ns()
            if now_ns < since_ns + self._due_after_ns:
                self._arm(now_ns)
                return
            del self._since_ns[current]
            current.throw(gevent.Timeout(self._timeout_s))
        self._armed = False
