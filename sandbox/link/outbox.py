"""What one connection has sent and what has not left yet, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from sandbox.link.netem import NEVER, retransmission_ns

RETRY_NS = 2_000_000
"""How long after the kernel took nothing more it is asked again."""


class Wire(Protocol):
    """A connection as the outbox uses it: it never waits."""

    def write(self, data: bytes) -> int:
        """Send; returns how many bytes were taken, 0 where none can be now. Raises OSError where it is broken."""
        ...

    def end(self) -> None:
        """Send no more. Raises OSError."""
        ...

    def close(self) -> None:
        """Let the connection go."""
        ...


@dataclass
class Parcel:
    """Bytes that were sent in one call, or (None) the end of sending; when, and when they are due."""

    data: bytes | None
    sent_ns: int
    due_ns: int


class Outbox:
    """A queue of parcels, of which none is due before the one in front of it: TCP keeps the order."""

    def __init__(self, wire: Wire, host: str) -> None:
        self.host = host
        self.size = 0
        self._wire = wire
        self._parcels: deque[Parcel] = deque()

    def put(self, data: bytes | None, sent_ns: int, due_ns: int) -> None:
        """Add what is sent now."""
        last_ns = self._parcels[-1].due_ns if self._parcels else 0
        self._parcels.append(Parcel(data, sent_ns, max(due_ns, last_ns)))
        self.size += len(data or b"")

    def is_empty(self) -> bool:
        """Whether everything has left."""
        return not self._parcels

    def flush(self, now_ns: int) -> int:
        """Send what is due; returns when to come again (NEVER: not before something changes)."""
        try:
            while self._parcels and self._parcels[0].due_ns <= now_ns:
                if not self._send(self._parcels[0]):
                    return now_ns + RETRY_NS
                self._parcels.popleft()
        except OSError:
            # The connection is broken: whoever uses it learns that from the kernel, as ever.
            self._parcels.clear()
            self.size = 0
        return self._parcels[0].due_ns if self._parcels else NEVER

    def reschedule(self, now_ns: int, arrival_ns: Callable[[int], int] | None) -> None:
        """The faults have changed; `arrival_ns` says when a packet sent now arrives, None: there is none left.

        What was cut off waits for TCP's next try. What was only late goes at once when nothing is wrong any more.
        """
        last_ns = 0
        for each in self._parcels:
            if each.due_ns == NEVER:
                again_ns = retransmission_ns(each.sent_ns, now_ns)
                each.due_ns = arrival_ns(again_ns) if arrival_ns else again_ns
            elif arrival_ns is None:
                each.due_ns = min(each.due_ns, now_ns)
            each.due_ns = last_ns = max(each.due_ns, last_ns)

    def close(self) -> None:
        """Let the connection go."""
        self._wire.close()

    def _send(self, parcel: Parcel) -> bool:
        if parcel.data is None:
            self._wire.end()
            return True
        while parcel.data:
            taken = self._wire.write(parcel.data)
            if not taken:
                return False
            self.size -= taken
            parcel.data = parcel.data[taken:]
        return True
