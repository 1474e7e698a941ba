"""What was due by when: the schedule that a bundle says its load kept.

Measured in expected arrivals instead of seconds, every schedule is one of rate one (the time-rescaling theorem:
Çınlar, Introduction to Stochastic Processes, 1975, §4.7), so that one rule judges gaps and counts whatever its curve.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bundle.manifest import LoadRecord
from bundle.rates import RateCurve
from scorer.requests import Ints

Floats = npt.NDArray[np.float64]

NO_RATE = "no load was applied: its rate is not above 0 or was not recorded"
_EDGE = 1e-6
"""Sums of a curve are exact to far less than this; an arrival expected by all but so much is expected."""


@dataclass(frozen=True)
class Schedule:
    """Arrivals at a constant rate, or by curves whose rates add up, one for each class of users.

    `began_ns` is when the first second of the curves began, UTC; `spacing` as `docs/bundle.md` has it. For `coarse_s`
    seconds nothing may be due although it is expected, where no more is known of where arrivals lie.
    """

    began_ns: int
    spacing: str
    rate_per_s: float = 0.0
    curves: tuple[RateCurve, ...] = ()
    coarse_s: float = 0.0

    def arrivals(self, times_ns: Ints) -> Floats:
        """How many arrivals are expected by each of these times, counted from any one moment; of the same shape."""
        elapsed_s = (times_ns - self.began_ns) / 1e9
        if not self.curves:
            return self.rate_per_s * elapsed_s
        expected: Floats = np.sum([curve.expected(elapsed_s) for curve in self.curves], axis=0)
        return expected

    def expected(self, from_ns: int, to_ns: int) -> float:
        """How many arrivals are expected in [from, to)."""
        by = self.arrivals(np.array([from_ns, to_ns], dtype=np.int64))
        return float(by[1] - by[0])

    def at_least(self, from_ns: int, to_ns: int) -> int:
        """The fewest arrivals that can have been due in [from, to), but for 1 in 16,000 runs; never below 0.

        An even spacing leaves open where the first arrival of each class lies. A Poisson process has as many arrivals
        as it likes, within four standard deviations. So is counted what was replayed: its curve tells the rate of each
        whole second, not where in the first and the last of them the arrivals lie, and those of independent users
        stray no more.
        """
        expected = self.expected(from_ns, to_ns)
        slack = max(1, len(self.curves)) if self.spacing == "uniform" else 4 * np.sqrt(expected)
        return max(0, round(expected - slack + _EDGE))

    def at_most(self, from_ns: int, to_ns: int) -> int:
        """The most arrivals that can have been due in [from, to), but for 1 in 16,000 runs."""
        expected = self.expected(from_ns, to_ns)
        slack = max(1, len(self.curves)) if self.spacing == "uniform" else 4 * np.sqrt(expected) + 4
        return math.ceil(expected + slack - _EDGE)

    def lost(self, recorded: int, from_ns: int, to_ns: int, workers: int) -> int:
        """How many arrivals, of those that were due in [from, to), are not among the `recorded` ones.

        Known only of even spacing: else 0. `workers` is by how many the schedule was shared out whose clocks are not
        quite known: each may have moved one of its arrivals across an edge. At most one: their clocks are exact.
        """
        if self.spacing != "uniform":
            return 0
        slack = max(1, len(self.curves)) * max(1, workers)
        return max(0, int(self.expected(from_ns, to_ns) + _EDGE) - slack - recorded)

    def natural_gap(self, count: int) -> float:
        """The longest gap between two of so many arrivals, in expected arrivals; a longer one is rows that were lost.

        Of `count` gaps of a Poisson process one is longer than ln(16,000 count) in 1 of 16,000 runs.
        """
        most = max(12.0, 2.0 * len(self.curves))
        return most if self.spacing == "uniform" else max(most, float(np.log(16_000 * count)))

    def busy_s(self, from_ns: int, to_ns: int) -> float:
        """How much of [from, to) something was expected in, to a thousandth of it, in seconds."""
        steps = np.diff(self.arrivals(np.linspace(from_ns, to_ns, 1001).astype(np.int64)))
        return float(np.count_nonzero(steps > 0)) / 1000 * (to_ns - from_ns) / 1e9


def schedule_of(load: LoadRecord | None, clock_wall_ns: int) -> Schedule:
    """The schedule of an open load, whose constant rate counts from `clock_wall_ns`. Raises LookupError, saying why,
    where the record holds none."""
    if load is None or load.model != "open" or "schedule" in load.lacks:
        raise LookupError(NO_RATE)
    coarse_s = 0.0
    if "start-resolution" in load.lacks:
        coarse_s += 2e-9 * max((worker.clock_uncertainty_ns for worker in load.workers), default=0)
    if load.curves:
        if load.began_ns is None:
            raise LookupError("no load was applied: when its curves began was not recorded")
        if load.spacing not in ("uniform", "poisson"):
            # Replayed arrivals are known by whole seconds: at the start of one, and at the end of the next.
            coarse_s += 2.0
        return Schedule(load.began_ns, load.spacing, curves=load.curves, coarse_s=coarse_s)
    if load.rate_per_s is None or not 0 < load.rate_per_s < np.inf:
        raise LookupError(NO_RATE)
    return Schedule(clock_wall_ns, load.spacing, rate_per_s=load.rate_per_s, coarse_s=coarse_s)
