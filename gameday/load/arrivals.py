"""When arrivals are due: a pure function of their number, without a clock and without state.

A *shape* says at which time so many arrivals are expected to have come: a rate over time (`bundle.rates.RateCurve`),
or arrivals as they were recorded. A *spacing* places arrivals on the axis of expected arrivals: evenly, or as a Poisson
process of rate one. Mapping the latter through the shape gives a Poisson process of the shape's rate (the
time-rescaling theorem: Çınlar, Introduction to Stochastic Processes, 1975, §4.7).
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TypeAlias

from bundle.rates import RateCurve

MAX_LENGTH_S = 7 * 86_400.0


class Spacing(StrEnum):
    """How arrivals are spaced: all gaps alike, as independent users make them, or as they were recorded."""

    UNIFORM = "uniform"
    POISSON = "poisson"
    REPLAYED = "replayed"


@dataclass(frozen=True)
class RecordedArrivals:
    """Arrivals at the times at which they were recorded, in seconds since the first of them.

    Raises ValueError where there are none, or where the times go back or are none.
    """

    times_s: tuple[float, ...]

    def __post_init__(self) -> None:
        """Check the times."""
        if not self.times_s or self.times_s[0] != 0:
            raise ValueError("recorded arrivals begin at 0 s")
        if any(not later >= sooner for sooner, later in pairwise(self.times_s)) or not math.isfinite(self.times_s[-1]):
            raise ValueError("recorded arrivals must have times that never go back")
        if self.times_s[-1] > MAX_LENGTH_S:
            raise ValueError(f"recorded arrivals last {self.times_s[-1]:g} s, more than a week: are these seconds?")

    @property
    def length_s(self) -> float:
        """The time of the last arrival."""
        return self.times_s[-1]

    @property
    def highest_per_s(self) -> float:
        """Their mean rate, which is what `--rate` sets: a highest one has no meaning for single moments."""
        return len(self.times_s) / self.length_s if self.length_s else 0.0

    def scaled(self, factor: float) -> RecordedArrivals:
        """The same arrivals, `factor` times as dense. Raises ValueError."""
        if not factor > 0:
            raise ValueError("recorded arrivals come at a rate above 0, or not at all")
        return self.stretched(1 / factor)

    def stretched(self, factor: float) -> RecordedArrivals:
        """The same arrivals with every time multiplied by `factor`. Raises ValueError."""
        return RecordedArrivals(tuple(t_s * factor for t_s in self.times_s))

    def when_s(self, arrivals: float) -> float:
        """The time of the arrival of this number; infinity after the last."""
        number = int(arrivals)
        return self.times_s[number] if number < len(self.times_s) else math.inf

    def curve(self) -> RateCurve:
        """Their rate second by second, for whoever judges whether they were sent."""
        counts = [0] * (int(self.length_s) + 1)
        for t_s in self.times_s:
            counts[int(t_s)] += 1
        steps = ((float(second + edge), float(count)) for second, count in enumerate(counts) for edge in (0, 1))
        return RateCurve((*steps, (float(len(counts)), 0.0)))


Shape: TypeAlias = RateCurve | RecordedArrivals
"""How the rate of arrivals changes with time."""


def due_times_ns(shape: Shape, spacing: Spacing, seed: str) -> Iterator[int]:
    """Due times in nanoseconds since the start, never decreasing; ends where no more arrivals will ever come."""
    for position in _positions(spacing, seed):
        when_s = shape.when_s(position)
        if math.isinf(when_s):
            return
        yield round(when_s * 1e9)


def _positions(spacing: Spacing, seed: str) -> Iterator[float]:
    if spacing is not Spacing.POISSON:
        yield from map(float, itertools.count())
        return
    rng = random.Random(f"arrivals:{seed}")
    position = 0.0
    while True:
        position -= math.log1p(-rng.random())
        yield position
