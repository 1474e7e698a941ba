"""How many arrivals are expected by when: the curve that the load engine sends by and the scorer judges by.

A curve is a list of points (seconds since the schedule began, arrivals a second), linear in between: constant, ramp,
step, spike and replayed rates are all of this one kind, and a sine is one as closely as anybody wants it. What both
sides need of it is Λ, the number of arrivals expected by a time, and its inverse, both in closed form.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

MAX_RATE_PER_S = 100_000.0
"""More than one process can send by an order of magnitude: anything above is taken for a slip of the hand."""


@dataclass(frozen=True)
class RateCurve:
    """A rate of arrivals over time.

    points: (seconds, arrivals a second), in order of time, the first at 0; two points of the same time are a step.
    After the last one its rate holds, or, where the curve `repeats`, it starts again. Raises ValueError where the
    points make no sense: times that go back, a rate that is negative, not a number or more than `MAX_RATE_PER_S`.
    """

    points: tuple[tuple[float, float], ...]
    repeats: bool = False

    def __post_init__(self) -> None:
        """Check the points."""
        if not self.points or self.points[0][0] != 0:
            raise ValueError("a rate curve begins at 0 s")
        for t_s, per_s in self.points:
            if not math.isfinite(t_s):
                raise ValueError(f"{t_s:g} s is no time of a rate curve")
            if not 0 <= per_s <= MAX_RATE_PER_S:
                raise ValueError(f"a rate must be from 0 to {MAX_RATE_PER_S:.0f} arrivals a second, not {per_s:g}")
        for (from_s, _), (to_s, _) in pairwise(self.points):
            if to_s < from_s:
                raise ValueError(f"a rate curve goes back in time, from {from_s:g} s to {to_s:g} s")
        if self.repeats and not self.points[-1][0] > 0:
            raise ValueError("a rate curve that repeats must last longer than 0 s")

    @cached_property
    def _columns(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Times, rates and what is expected by each point."""
        import numpy as np

        times, rates = np.array(self.points, dtype=np.float64).T
        return times, rates, np.array(self._expected)

    @cached_property
    def _expected(self) -> tuple[float, ...]:
        """How many arrivals are expected by each point."""
        areas = ((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairwise(self.points))
        return (0.0, *accumulate(areas))

    @classmethod
    def constant(cls, per_s: float) -> RateCurve:
        """The same rate for ever. At rate 0 nothing is ever due. Raises ValueError."""
        return cls(((0.0, float(per_s)),))

    @property
    def length_s(self) -> float:
        """The time of the last point; 0 for a constant rate."""
        return self.points[-1][0]

    @property
    def highest_per_s(self) -> float:
        """The highest rate there ever is."""
        return max(per_s for _, per_s in self.points)

    def scaled(self, factor: float) -> RateCurve:
        """The same shape with every rate multiplied by `factor`. Raises ValueError."""
        return RateCurve(tuple((t_s, per_s * factor) for t_s, per_s in self.points), self.repeats)

    def stretched(self, factor: float) -> RateCurve:
        """The same shape with every time multiplied by `factor`. Raises ValueError."""
        return RateCurve(tuple((t_s * factor, per_s) for t_s, per_s in self.points), self.repeats)

    def led_by(self, lead_s: float) -> RateCurve:
        """The same shape after `lead_s` seconds of its last rate. Raises ValueError where it repeats, and has none."""
        if self.repeats:
            raise ValueError("a rate that repeats itself has no last rate to lead with")
        last = self.points[-1][1]
        return RateCurve(((0.0, last), (lead_s, last), *((lead_s + t_s, per_s) for t_s, per_s in self.points)))

    def when_s(self, arrivals: float) -> float:
        """Seconds after which `arrivals` are expected to have come; infinity where they never will.

        Where nothing is due for a while, the moment at which it ends: an arrival comes when there is a rate.
        """
        begun_s, rest = 0.0, arrivals
        if self.repeats:
            if not self._expected[-1]:
                return math.inf
            rounds, rest = divmod(arrivals, self._expected[-1])
            begun_s = rounds * self.length_s
        segment = bisect_right(self._expected, rest) - 1
        from_s, from_per_s = self.points[segment]
        if segment == len(self.points) - 1:  # beyond the last point its rate holds
            return begun_s + from_s + (rest - self._expected[segment]) / from_per_s if from_per_s else math.inf
        to_s, to_per_s = self.points[segment + 1]
        # The root of from·x + (slope/2)·x² = due, in the form that loses no digits where the slope is small.
        due, slope = rest - self._expected[segment], (to_per_s - from_per_s) / (to_s - from_s)
        root = from_per_s + math.sqrt(max(0.0, from_per_s**2 + 2 * slope * due))
        return begun_s + min(to_s, from_s + (2 * due / root if root else 0.0))

    def expected(self, t_s: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """How many arrivals are expected within the first `t_s` seconds, of the shape of `t_s`; none before 0."""
        import numpy as np

        elapsed = np.maximum(np.asarray(t_s, dtype=np.float64), 0.0)
        begun = np.zeros_like(elapsed)
        if self.repeats:
            rounds = np.floor(elapsed / self.length_s)
            begun, elapsed = rounds * self._expected[-1], elapsed - rounds * self.length_s
        times, rates, by = self._columns
        segment = np.searchsorted(times, elapsed, side="right") - 1
        into_s = elapsed - times[segment]
        following = np.minimum(segment + 1, len(times) - 1)
        width = times[following] - times[segment]
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = np.where(width > 0, (rates[following] - rates[segment]) / width, 0.0)
        done: npt.NDArray[np.float64] = begun + by[segment] + into_s * (rates[segment] + slope * into_s / 2)
        return done


def expected_between(curves: Iterable[RateCurve], from_s: float, to_s: float) -> float:
    """How many arrivals are expected of all curves together between two times, in seconds since the schedule began."""
    return float(sum(curve.expected(to_s) - curve.expected(from_s) for curve in curves))


def highest_per_s(curves: Iterable[RateCurve]) -> float:
    """A rate that all curves together never exceed."""
    return sum(curve.highest_per_s for curve in curves)
