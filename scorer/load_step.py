"""When the load rose to its peak, and when it fell again, by the schedule that the bundle records."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from bundle.manifest import LoadRecord
from bundle.rates import RateCurve
from scorer.intervals import Interval

_PathPoint = tuple[float, float]
"""Seconds since the schedule began, and arrivals a second of all curves together."""


def load_rise(load: LoadRecord | None) -> Interval:
    """From the moment that the rate began to rise to its peak to the one that it was there, UTC ns. Raises LookupError
    where there is no such step: a constant rate, one that repeats, or no schedule at all."""
    path, began_ns, top = _peak(load)
    start = top
    while start and path[start - 1][1] < path[start][1]:
        start -= 1
    return Interval(began_ns + path[start][0] * 1e9, began_ns + path[top][0] * 1e9)


def load_fall(load: LoadRecord | None) -> Interval:
    """From the moment that the rate began to fall from its peak to the one that it stopped falling, UTC ns. Raises
    LookupError where it never falls."""
    path, began_ns, top = _peak(load)
    start = top
    while start + 1 < len(path) and path[start + 1][1] >= path[top][1]:
        start += 1
    end = start
    while end + 1 < len(path) and path[end + 1][1] < path[end][1]:
        end += 1
    if end == start:
        raise LookupError("the load never falls from its peak")
    return Interval(began_ns + path[start][0] * 1e9, began_ns + path[end][0] * 1e9)


def peak_until_ns(load: LoadRecord | None, ended_ns: float) -> float:
    """Until when the load stayed at its peak, UTC ns: to its fall, or to the end of the recording. Raises LookupError
    where there is no step."""
    load_rise(load)
    try:
        return min(load_fall(load).low, ended_ns)
    except LookupError:
        return ended_ns


def _peak(load: LoadRecord | None) -> tuple[list[_PathPoint], int, int]:
    """The rate's path, when it began, and where on it the highest rate is first reached."""
    if load is None or load.model != "open" or not load.curves or load.began_ns is None:
        raise LookupError("the load has no step: its rate is constant, or there is no schedule")
    if any(curve.repeats for curve in load.curves):
        raise LookupError("the load has no one step: its rate repeats itself")
    path = _path(load.curves)
    highest = max(rate for _, rate in path)
    return path, load.began_ns, next(at for at, (_, rate) in enumerate(path) if rate >= highest)


def _path(curves: Iterable[RateCurve]) -> list[_PathPoint]:
    """The points of the curves' sum, two where it jumps; it begins with nothing at 0 s."""
    curves = tuple(curves)
    times = sorted({t_s for curve in curves for t_s, _ in curve.points})
    path = [(0.0, 0.0)]
    for t_s in times:
        before, after = (sum(side) for side in zip(*(_sides(curve, t_s) for curve in curves), strict=True))
        path += [(t_s, rate) for rate in ((before, after) if t_s and before != after else (after,))]
    return path


def _sides(curve: RateCurve, t_s: float) -> tuple[float, float]:
    """The rate just before a time, and just after it."""
    there = [rate for at_s, rate in curve.points if at_s == t_s]
    if there:
        return there[0], there[-1]
    for (from_s, from_rate), (to_s, to_rate) in pairwise(curve.points):
        if from_s < t_s < to_s:
            rate = from_rate + (to_rate - from_rate) * (t_s - from_s) / (to_s - from_s)
            return rate, rate
    return curve.points[-1][1], curve.points[-1][1]
