"""One clock for every process of a run: a wall-clock anchor plus the monotonic clock.

Wall clocks are set and slewed while a drill runs; CLOCK_MONOTONIC is not, and on one machine all processes share
it. So the wall clock is read once, paired with the monotonic one, and every time in a bundle is
`wall_ns + (monotonic_now_ns - mono_ns)`: UTC nanoseconds that never jump.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

ENVIRONMENT_VARIABLE = "GAMEDAY_CLOCK_ANCHOR"
"""How the anchor reaches child processes: `<wall_ns>:<mono_ns>`."""

Clock = Callable[[], int]
"""A function that returns nanoseconds."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A wall-clock reading and the monotonic reading of the same moment, both in nanoseconds."""

    wall_ns: int
    mono_ns: int

    @classmethod
    def take(cls, wall: Clock = time.time_ns, mono: Clock = time.monotonic_ns) -> Anchor:
        """Read both clocks, the wall clock between two monotonic readings, and pair it with their middle."""
        before = mono()
        wall_ns = wall()
        after = mono()
        return cls(wall_ns=wall_ns, mono_ns=(before + after) // 2)

    @classmethod
    def parse(cls, text: str) -> Anchor:
        """The anchor from its `<wall_ns>:<mono_ns>` form. Raises ValueError on anything else."""
        wall, _, mono = text.partition(":")
        return cls(wall_ns=int(wall), mono_ns=int(mono))

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Anchor:
        """The anchor that `ENVIRONMENT_VARIABLE` hands down; where it doesn't, one read now. Raises ValueError."""
        text = environment.get(ENVIRONMENT_VARIABLE)
        return cls.parse(text) if text else cls.take()

    def text(self) -> str:
        """The form that `parse` reads."""
        return f"{self.wall_ns}:{self.mono_ns}"

    def utc_ns(self, mono_ns: int) -> int:
        """UTC nanoseconds of a monotonic reading taken on this machine."""
        return self.wall_ns + (mono_ns - self.mono_ns)

    def now_ns(self, mono: Clock = time.monotonic_ns) -> int:
        """UTC nanoseconds now, by the monotonic clock."""
        return self.utc_ns(mono())

    def drift_ns(self, wall: Clock = time.time_ns, mono: Clock = time.monotonic_ns) -> int:
        """How far the wall clock has moved away from this anchor since it was taken, in nanoseconds."""
        now = Anchor.take(wall, mono)
        return now.wall_ns - self.utc_ns(now.mono_ns)
