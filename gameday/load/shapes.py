"""The shapes that a load profile may give its rate: `rate = ramp(10, 100, over_s=60)`.

Each is a curve of points (`bundle.rates.RateCurve`), after whose last one the rate holds, except for a sine, which
repeats. `--rate` scales a shape so that its highest rate is the one asked for, `--duration` stretches it so that its
last point lies there. All raise ValueError where the figures make no sense.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator
from pathlib import Path

from bundle.rates import RateCurve
from gameday.load.arrivals import RecordedArrivals

SINE_POINTS = 128
"""Points of one period: a straight line between two of them is off by at most 0.03 % of the amplitude."""


def constant(per_s: float) -> RateCurve:
    """The same rate for ever."""
    return RateCurve.constant(per_s)


def ramp(from_per_s: float, to_per_s: float, *, over_s: float) -> RateCurve:
    """From one rate to another, evenly; the latter then holds."""
    return RateCurve(((0.0, from_per_s), (over_s, to_per_s)))


def step(*rates: tuple[float, float]) -> RateCurve:
    """One rate after another: (seconds, arrivals a second) for each, the first at 0."""
    points: list[tuple[float, float]] = []
    for at_s, per_s in rates:
        points += [(at_s, points[-1][1])] if points else []
        points.append((at_s, per_s))
    return RateCurve(tuple(points))


def spike(base_per_s: float, peak_per_s: float, *, at_s: float, for_s: float) -> RateCurve:
    """A base rate, and for a while, all of a sudden, the peak."""
    return step((0.0, base_per_s), (at_s, peak_per_s), (at_s + for_s, base_per_s))


def sine(mean_per_s: float, amplitude_per_s: float, *, period_s: float) -> RateCurve:
    """A rate that swings around its mean, which is where it begins, upwards."""
    turns = (number / SINE_POINTS for number in range(SINE_POINTS + 1))
    return RateCurve(
        tuple((turn * period_s, mean_per_s + amplitude_per_s * math.sin(math.tau * turn)) for turn in turns),
        repeats=True,
    )


def replay_rates(path: str | Path) -> RateCurve:
    """Rates from a CSV of seconds and arrivals a second, linear in between; two rows of the same time are a step.

    Times count from the first row. A first line of names is left out. Raises ValueError with file and line, OSError.
    """
    points = [(t_s, per_s) for t_s, per_s in _rows(path, columns=2)]
    return RateCurve(tuple((t_s - points[0][0], per_s) for t_s, per_s in points))


def replay_arrivals(path: str | Path) -> RecordedArrivals:
    """Arrivals from a CSV whose first column is the time of each in seconds, in order; other columns are left alone.

    Times count from the first row. A first line of names is left out. Raises ValueError with file and line, OSError.
    """
    times = [t_s for (t_s,) in _rows(path, columns=1)]
    return RecordedArrivals(tuple(t_s - times[0] for t_s in times))


def _rows(path: str | Path, columns: int) -> Iterator[tuple[float, ...]]:
    """The first `columns` numbers of each line. Raises ValueError where a line has none, and where there is no line."""
    with Path(path).open(newline="", encoding="utf-8-sig") as file:
        found = 0
        for number, cells in enumerate(csv.reader(file), start=1):
            if not any(cell.strip() for cell in cells):
                continue
            row = _numbers(cells[:columns])
            if len(row) == columns:
                found += 1
                yield row
            elif found or number > 1:
                raise ValueError(f"{path}:{number}: expected {columns} number{'s'[: columns - 1]}, found {cells!r}")
        if not found:
            raise ValueError(f"{path}: holds no numbers")


def _numbers(cells: Iterable[str]) -> tuple[float, ...]:
    """The cells as finite numbers; fewer than there are cells where one is none."""
    row: list[float] = []
    for cell in cells:
        try:
            value = float(cell)
        except ValueError:
            break
        if not math.isfinite(value):
            break
        row.append(value)
    return tuple(row)
