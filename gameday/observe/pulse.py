"""The pulse of an API server: a small read five times a second, which says how late news from there may be.

A watch is silent when nothing changes and when the connection is dead, and the two look alike. The pulse tells them
apart. News that arrives now is no older than the slowest recent round trip, and no older than the last moment at which
the server was asked something that it has answered since: a stall between two beats, or of this process, shows in the
second.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from bundle.timeline import Entry

PERIOD_S = 0.2
MEMORY = 50
"""Round trips remembered: those of the last ten seconds."""


class Pulse:
    """Reads until stopped. Thread-safe.

    beat: makes one read, raises where the server doesn't answer. record: takes timeline entries. sample: takes
    (series, source, utc_ns, value). now_ns: UTC nanoseconds.
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
        self._known_ns = now_ns()
        """When the last read that was answered had been asked."""
        self._lost = False
        self.stopping = threading.Event()

    def run(self) -> None:
        """Beat until `stopping` is set."""
        while not self.stopping.is_set():
            self.once()
            self.stopping.wait(PERIOD_S)

    def once(self) -> None:
        """One beat: note its round trip, and write to the timeline where the server was lost or came back."""
        asked_ns = self._now_ns()
        try:
            self._beat()
        except Exception as error:  # any failure of the read means the same: we can't tell what the server knows
            if not self._lost:
                self._lost = True
                self._note("lost", asked_ns, error=f"{type(error).__name__}: {error}")
            return
        answered_ns = self._now_ns()
        # after failures, counted from the last answer before them: news may have been held up as long
        self._round_trips_ns.append(answered_ns - (self._known_ns if self._lost else asked_ns))
        self._known_ns = asked_ns
        self._sample("api.round_trip_s", self._context, answered_ns, (answered_ns - asked_ns) / 1e9)
        if self._lost:
            self._lost = False
            self._note("resumed", answered_ns, error="")

    def lateness_ns(self) -> int:
        """How old news may be that arrives now."""
        return max([self._now_ns() - self._known_ns, *self._round_trips_ns])

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
