"""How far another machine's clock is from ours, from the times at which messages were sent and received.

Of one exchange four readings are known: a message left here at `t1` (our clock), came there at `t2` (theirs), its
answer left there at `t3` (theirs) and came here at `t4` (ours). Neither message arrived before it was sent, so that

    t3 - t4  ≤  their clock - our clock  ≤  t2 - t1

however unequal the two ways were. The width is the round trip, so the middle is wrong by half of it at most (RFC 5905,
section 8). Between exchanges the two clocks are taken to drift apart by `DRIFT` at most; where an exchange contradicts
what was known by that, the clock was set or is being slewed, and the exchange alone is believed.
"""

from __future__ import annotations

from dataclasses import dataclass

DRIFT = 2e-4
"""Seconds a second: two crystals, each within 100 parts in a million."""

SETTLED = 5
"""Exchanges before an offset counts: the first ones meet cold caches and connections."""


@dataclass(frozen=True, slots=True)
class Span:
    """An offset in nanoseconds, their clock minus ours, that is known to lie between two bounds."""

    low_ns: int
    high_ns: int

    @property
    def offset_ns(self) -> int:
        """The middle."""
        return (self.low_ns + self.high_ns) // 2

    @property
    def uncertainty_ns(self) -> int:
        """How far the truth may be from the middle, rounded up."""
        return self.high_ns - self.offset_ns

    @property
    def shift_ns(self) -> int:
        """What to add to a time of ours to have it by their clock: nothing where the clocks may well be the same."""
        return 0 if self.low_ns <= 0 <= self.high_ns else self.offset_ns

    def __add__(self, other: Span) -> Span:
        """The offset over two legs: of C to A, from C to B and B to A."""
        return Span(self.low_ns + other.low_ns, self.high_ns + other.high_ns)

    def __or__(self, other: Span) -> Span:
        """The least span that holds both."""
        return Span(min(self.low_ns, other.low_ns), max(self.high_ns, other.high_ns))

    def widened(self, after_ns: int) -> Span:
        """What is still known so much time later, or was known so much earlier."""
        by_ns = int(abs(after_ns) * DRIFT) + 1
        return Span(self.low_ns - by_ns, self.high_ns + by_ns)


NO_OFFSET = Span(0, 0)


@dataclass(frozen=True, slots=True)
class Exchange:
    """The four readings of a message and its answer, nanoseconds: `t1`, `t4` by our clock, `t2`, `t3` by theirs."""

    t1: int
    t2: int
    t3: int
    t4: int

    def span(self) -> Span:
        """What it says of the offset. Raises ValueError where an answer came before it was asked for."""
        span = Span(self.t3 - self.t4, self.t2 - self.t1)
        if self.t4 < self.t1 or self.t3 < self.t2 or span.low_ns > span.high_ns:
            raise ValueError("these are not the times of a message and its answer")
        return span


class OffsetTrack:
    """What is known of an offset as exchanges come in, in order of time, in constant memory."""

    def __init__(self) -> None:
        self._at_ns = 0
        self._now: Span | None = None
        self._over_run: Span | None = None
        self._exchanges = 0

    @property
    def settled(self) -> bool:
        """Whether the offset is known well enough to begin."""
        return self._exchanges >= SETTLED

    @property
    def now(self) -> Span:
        """The offset at the last exchange. Raises ValueError before the first."""
        if self._now is None:
            raise ValueError("no clock was compared yet")
        return self._now

    @property
    def over_run(self) -> Span:
        """A span that held the offset at every moment from when it had settled to the last exchange."""
        return self._over_run or self.now

    def add(self, exchange: Exchange) -> None:
        """Take in an exchange that ended after the one before it. Raises ValueError where it is none."""
        said = exchange.span().widened(exchange.t4 - exchange.t1)  # its four moments are not quite one
        before, gap_ns = self._now, exchange.t4 - self._at_ns
        known = said if before is None else _both(before.widened(gap_ns), said) or said  # nothing in both: it was set
        self._exchanges += 1
        self._now, self._at_ns = known, exchange.t4
        if self._exchanges == SETTLED:
            self._over_run = known
        elif self._over_run is not None and before is not None:
            self._over_run |= before | known | _between(before, known, gap_ns)


def _between(before: Span, after: Span, gap_ns: int) -> Span:
    """What held all the time between two readings: at each moment no more than the mean of what the two allow."""
    low_ns, high_ns = (before.low_ns + after.low_ns) // 2, -(-(before.high_ns + after.high_ns) // 2)
    return Span(low_ns, high_ns).widened(gap_ns // 2 + 1)


def _both(one: Span, other: Span) -> Span | None:
    low_ns, high_ns = max(one.low_ns, other.low_ns), min(one.high_ns, other.high_ns)
    return Span(low_ns, high_ns) if low_ns <= high_ns else None
