"""The geometry of an objective's small chart: its bounds as a bar, its target and threshold as lines."""

from __future__ import annotations

from dataclasses import dataclass

from scorer.verdict import Objective

WIDTH = 200.0
"""Width of the chart, in the units of its view box."""

_PAD = 0.12
"""Room left on either side of the outermost number, as a share of the range."""


@dataclass(frozen=True, slots=True)
class IntervalChart:
    """Where everything stands, from 0 to WIDTH. An open end (`high` None, say) reaches the chart's edge."""

    low: float
    high: float
    value: float | None
    target: float
    threshold: float
    open_low: bool
    open_high: bool
    good_from: float
    good_to: float
    scale_from: float
    scale_to: float


def interval_chart(objective: Objective) -> IntervalChart | None:
    """The chart of an objective, or None where nothing was measured."""
    measure = objective.measure
    if measure.value is None and measure.low is None and measure.high is None:
        return None
    seen = [measure.value, measure.low, measure.high, objective.target, objective.threshold]
    known = [number for number in seen if number is not None]
    least, most = min(known), max(known)
    pad = _PAD * ((most - least) or abs(most) or 1.0)
    scale_from = max(0.0, least - pad) if least >= 0 else least - pad
    scale_to = most + pad

    def place(number: float) -> float:
        return round(WIDTH * (number - scale_from) / (scale_to - scale_from), 2)

    at_most = objective.comparison == "at most"
    return IntervalChart(
        low=0.0 if measure.low is None else place(measure.low),
        high=WIDTH if measure.high is None else place(measure.high),
        value=None if measure.value is None else place(measure.value),
        target=place(objective.target),
        threshold=place(objective.threshold),
        open_low=measure.low is None,
        open_high=measure.high is None,
        good_from=0.0 if at_most else place(objective.target),
        good_to=place(objective.target) if at_most else WIDTH,
        scale_from=scale_from,
        scale_to=scale_to,
    )
