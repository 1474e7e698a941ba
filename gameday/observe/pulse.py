"""The pulse of an API server: one small read a second, whose round trip says how late news from there may be.

A watch is silent when nothing changes and when the connection is dead, and the two look alike. The pulse tells them
apart, and its round-trip time is the measured bound on how late a watched event was delivered.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from bundle.timeline import Entry

PERIOD_S = 1.0
MEMORY = 10
"""Round trips remembered: the bound is the slowest of the last ten seconds."""


class Pulse:
    """Reads once a second until stopped. Thread-safe.

    beat: makes one read, raises where the server doesn't answer. record, sample and now_ns as for `ListWatch`.
    """

    def __init__(
        self,
        context: str,
        beat: Callable[[], object],
        record: Callable[[Entry], None],
        sample: Callable[[str, str, int, float], None],
        now_ns: Callable[[], int],
    ) -> None:
        self._context = context
        self._beat = beat
        self._record = record
        self._sample = sample
        self._now_ns = now_ns
        self._round_trips_ns: deque[int] = deque(maxlen=MEMORY)
        self._asked_ns: int | None = None
        self._lost = False
        self.stopping = threading.Event()

    def run(self) -> None:
        """Beat until `stopping` is set."""
        while not self.stopping.is_set():
            self.once()
            self.stopping.wait(PERIOD_S)

    def once(self) -> None:
        """One beat: note its round trip, and write to the timeline where the server was lost or came back."""
        asked_ns = self._asked_ns = self._now_ns()
        try:
            self._beat()
        except Exception as error:  # any failure of the read means the same: we can't tell what the server knows
            if not self._lost:
                self._lost = True
                self._note("lost", asked_ns, error=f"{type(error).__name__}: {error}")
            return
        answered_ns = self._now_ns()
        self._round_trips_ns.append(answered_ns - asked_ns)
        self._asked_ns = None
        self._sample("api.round_trip_s", self._context, answered_ns, (answered_ns - asked_ns) / 1e9)
        if self._lost:
            self._lost = False
            self._note("resumed", answered_ns, error="")

    def lateness_ns(self) -> int:
        """How late news may be that arrives now: the slowest recent round trip, or the one still being waited for."""
        asked_ns = self._asked_ns
        waiting_ns = self._now_ns() - asked_ns if asked_ns is not None else 0
        return max([waiting_ns, *self._round_trips_ns])

    def _note(self, event: str, at_ns: int, *, error: str) -> None:
        self._record(
            Entry(
                kind="observer",
                event=event,
                earliest_ns=at_ns,
                latest_ns=self._now_ns(),
                context=self._context,
                source="pulse",
                attributes={"watches": "api", "error": error},
            )
        )
