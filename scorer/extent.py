"""How far the times of some rows reach, and what that tells of them without a look at each.

Most batches are read once from end to end, a block that fits into a processor's cache at a time, for six numbers. What
the rest costs is a few rows at the ends of a batch, or at the ends of seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from bundle.nullable import Ints

EARLY_NS = 1_000_000
"""A timer may fire this much before its time."""
_BLOCK_ROWS = 1 << 15
_FAR_NS = 1 << 61
"""Sums and differences of times that are nearer to 0 than this don't overflow."""
_NARROW_NS = 1 << 31
_MOMENT_ROWS = 1024
"""So many rows are counted in the time that one moment takes."""


@dataclass(frozen=True, slots=True)
class Range:
    """The least and the greatest of some numbers; of none, 0 and 0."""

    least: int
    most: int

    @classmethod
    def of(cls, numbers: Ints) -> Range:
        """That of these."""
        if not len(numbers):
            return NOWHERE
        return cls(int(np.minimum.reduce(numbers)), int(np.maximum.reduce(numbers)))

    @classmethod
    def over(cls, several: list[Range]) -> Range:
        """That of the numbers of several ranges, none of which is of none."""
        if not several:
            return NOWHERE
        return cls(min(one.least for one in several), max(one.most for one in several))


NOWHERE = Range(0, 0)


@dataclass(frozen=True, eq=False)
class Extent:
    """Of rows when each was due, was sent and how long after its due time it was answered, in ns."""

    due_ns: Ints
    start_ns: Ints
    latency_ns: Ints

    @cached_property
    def steps(self) -> Range:
        """How long after the row before it one was sent."""
        return Range.over(self._steps)

    @cached_property
    def _steps(self) -> list[Range]:
        """Those of each block."""
        return [Range.of(steps) for _, steps in _steps(self.start_ns)]

    @cached_property
    def late(self) -> Range:
        """How long after its time one was sent."""
        return self._late[1]

    @property
    def late_ns(self) -> npt.NDArray[np.int32 | np.int64]:
        """How long after its time each was sent: in 32 bits where that is enough."""
        narrow, late = self._late
        return narrow if late.least >= -_NARROW_NS and late.most < _NARROW_NS else self.start_ns - self.due_ns

    @cached_property
    def _late(self) -> tuple[npt.NDArray[np.int32], Range]:
        narrow, ranges = np.empty(len(self.due_ns), dtype=np.int32), []
        for rows in blocks(len(self.due_ns)):
            late_ns = self.start_ns[rows] - self.due_ns[rows]
            ranges.append(Range.of(late_ns))
            narrow[rows] = late_ns
        return narrow, Range.over(ranges)

    @cached_property
    def latency(self) -> Range:
        """How long after its time one was answered."""
        return Range.of(self.latency_ns)

    @cached_property
    def regular(self) -> bool:
        """Whether the rows are as they nearly always are: none sent earlier than the one before it or than a timer may
        fire, none answered before it was sent, and no time so far off that a sum overflows. False for no rows."""
        return (
            len(self.due_ns) > 0
            and self.steps.least >= 0
            and self.steps.most < _FAR_NS // len(self.due_ns)
            and abs(int(self.start_ns[0])) < _FAR_NS
            and self.late.least >= -EARLY_NS
            and self.late.most < _FAR_NS
            and self.latency.least >= 0
            and self.latency.most < _FAR_NS
            and (self.late.most <= self.latency.least or bool((self.late_ns <= self.latency_ns).all()))
        )

    @cached_property
    def due(self) -> Range:
        """When one was due."""
        if not self.regular:
            return Range.of(self.due_ns)
        # How late they are bounds how far from either end the first and the last can lie.
        head = np.searchsorted(self.start_ns, self.due_ns[0] + self.late.most) + 1
        tail = np.searchsorted(self.start_ns, self.due_ns[-1] + self.late.least, side="right")
        return Range(Range.of(self.due_ns[:head]).least, Range.of(self.due_ns[min(tail, len(self.due_ns) - 1) :]).most)

    @cached_property
    def last_done_ns(self) -> int:
        """When the last of them was done; 0 of none."""
        if not len(self.due_ns):
            return 0
        first = 0
        if self.regular:
            last_ns = int(self.due_ns[-1] + self.latency_ns[-1])
            tail = np.searchsorted(self.start_ns, last_ns + self.late.least - self.latency.most, side="right")
            first = min(int(tail), len(self.due_ns) - 1)
        return int((self.due_ns[first:] + self.latency_ns[first:]).max())

    def pauses(self, limit_ns: int) -> Ints:
        """Which rows were sent longer before the next one than a limit."""
        long = [
            rows.start + longer_steps(self.start_ns[rows.start : rows.stop + 1], limit_ns)
            for rows, steps in zip(blocks(len(self.start_ns) - 1), self._steps, strict=True)
            if steps.most > limit_ns
        ]
        return np.concatenate(long) if long else np.empty(0, dtype=np.int64)

    def done_before(self, moments_ns: range) -> Ints | None:
        """How many were done before each of these moments; None where that takes a look at each of them."""
        if not self.regular or _MOMENT_ROWS * len(moments_ns) > len(self.due_ns):
            return None
        edges_ns = np.array(moments_ns, dtype=np.int64)
        spread = self.latency.most - self.late.least, max(0, self.latency.least - self.late.most)
        surely, perhaps = (np.searchsorted(self.start_ns, edges_ns - after_ns) for after_ns in spread)
        if 2 * int((perhaps - surely).sum()) > len(self.due_ns):
            return None
        some = [
            np.count_nonzero(self.due_ns[one:other] + self.latency_ns[one:other] < edge)
            for one, other, edge in zip(surely.tolist(), perhaps.tolist(), moments_ns, strict=True)
        ]
        before: Ints = surely + np.array(some, dtype=np.int64)
        return before


def blocks(count: int) -> Iterator[slice]:
    """So many rows in parts whose columns fit into a processor's cache."""
    return (slice(first, min(count, first + _BLOCK_ROWS)) for first in range(0, count, _BLOCK_ROWS))


def longer_steps(times_ns: Ints, limit_ns: float) -> Ints:
    """Which of some times lie longer before the next one than a limit."""
    longer = [first + np.flatnonzero(steps > limit_ns) for first, steps in _steps(times_ns)]
    return np.concatenate(longer) if longer else np.empty(0, dtype=np.int64)


def _steps(times_ns: Ints) -> Iterator[tuple[int, Ints]]:
    """From each of some times to the next, block by block, with the place of the first."""
    for rows in blocks(len(times_ns) - 1):
        yield rows.start, times_ns[rows.start + 1 : rows.stop + 1] - times_ns[rows]
