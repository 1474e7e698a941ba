"""When arrivals are due: a pure function of their number, without a clock and without state.

A *shape* says how many arrivals are expected by a given time; its inverse, the time at which the n-th is expected, is
all that is needed here. A *spacing* places arrivals on the axis of expected arrivals: evenly, or as a Poisson process
of rate one. Mapping the latter through the inverse gives a Poisson process of the shape's rate (the time-rescaling
theorem: Çınlar, Introduction to Stochastic Processes, 1975, §4.7), so a new shape is one more class with `when_s`.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

MAX_RATE_PER_S = 100_000.0
"""More than one process can send by an order of magnitude: anything above is taken for a slip of the hand."""


class Spacing(StrEnum):
    """How arrivals are spaced: all gaps alike, or as independent users make them."""

    UNIFORM = "uniform"
    POISSON = "poisson"


class Shape(Protocol):
    """How the rate of arrivals changes with time."""

    def when_s(self, arrivals: float) -> float:
        """Elapsed seconds at which `arrivals` are expected to have come; infinity where they never will."""


@dataclass(frozen=True, slots=True)
class ConstantRate:
    """The same rate for ever. At rate 0 nothing is ever due."""

    per_s: float

    def __post_init__(self) -> None:
        """Raises ValueError for a rate that is negative, not a number, or more than `MAX_RATE_PER_S`."""
        if not 0 <= self.per_s <= MAX_RATE_PER_S:
            raise ValueError(f"a rate must be from 0 to {MAX_RATE_PER_S:.0f} arrivals a second, not {self.per_s:g}")

    def when_s(self, arrivals: float) -> float:
        """Elapsed seconds at which `arrivals` are expected to have come."""
        return arrivals / self.per_s if self.per_s else math.inf


def due_times_ns(shape: Shape, spacing: Spacing, seed: str) -> Iterator[int]:
    """Due times in nanoseconds since the start, never decreasing; ends where no more arrivals will ever come."""
    for position in _positions(spacing, seed):
        when_s = shape.when_s(position)
        if math.isinf(when_s):
            return
        yield round(when_s * 1e9)


def _positions(spacing: Spacing, seed: str) -> Iterator[float]:
    if spacing is Spacing.UNIFORM:
        yield from map(float, itertools.count())
        return
    rng = random.Random(f"arrivals:{seed}")
    position = 0.0
    while True:
        position -= math.log1p(-rng.random())
        yield position
