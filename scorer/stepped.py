"""Proof that the load stepped up: its requests came faster, and the autoscaler's metric went over its target by that.

A step that is too small to bring the metric over its target gives an autoscaler nothing to do, and shows nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterator

from bundle.manifest import Effect, PhaseName
from scorer.autoscaler import HpaReading, Level, autoscaler_of, levels_of, turned
from scorer.batch import Cut
from scorer.facts import Facts
from scorer.grounds import Grounds
from scorer.intervals import Interval, clopper_pearson
from scorer.load_step import load_rise, peak_until_ns
from scorer.span import Span
from scorer.tally import Tally
from scorer.verdict import Says

_LOOK_NS = 30_000_000_000
"""So much before the step is compared with as much after it, where the load lasts that long."""
_CONFIDENCE = 0.99


def needs(facts: Facts) -> Iterator[Tally]:
    """What is gathered of the requests, where an effect is the load's step."""
    if any(effect.kind == "load-step" for effect in facts.manifest.effects):
        try:
            yield from (Tally(Cut.due_within(span)) for span in _around(facts))
        except LookupError:  # there is no step; whoever asks whether it is proven is told
            return


def stepped(facts: Facts, effect: Effect, acted: Interval) -> Says:
    """Whether the load rose while the action of the effect was at work, and what that did to the autoscaler's metric.
    Raises LookupError where there is no step, or not one autoscaler."""
    rise = load_rise(facts.manifest.load)
    if not (acted.low <= rise.low and rise.high <= acted.high):
        return False, f"the load rose {(acted.low - rise.low) / 1e9:.1f} s before {effect.activity} began to look"
    rose, says = _rose(facts)
    readings = autoscaler_of(facts)
    until_ns = peak_until_ns(facts.manifest.load, facts.ended_ns)
    over, tells = _came_over(levels_of(readings, facts), readings, rise, until_ns)
    return rose and over, f"{says}; {effect.name} in {effect.context}: {tells}"


def step_grounds(facts: Facts) -> Grounds:
    """The readings of the autoscaler that say what its metric was, and the rates before and after the step."""
    try:
        entries = [reading.entry for reading in autoscaler_of(facts) if reading.cpu is not None]
        return Grounds(entries=tuple(entries), figures=(_rose(facts)[1],))
    except LookupError:
        return Grounds()


def _rose(facts: Facts) -> Says:
    """Given how many requests came around the step, each as likely after it as it is longer: more came after it."""
    before, after = _around(facts)
    was, is_ = (facts.of(Tally(Cut.due_within(span))).sent for span in (before, after))
    if not (before.seconds and after.seconds and was + is_):
        return False, "no requests were recorded around the load's step"
    by_chance = after.seconds / (before.seconds + after.seconds)
    rates = f"{was / before.seconds:.3g} to {is_ / after.seconds:.3g} requests/s"
    if clopper_pearson(is_, was + is_, _CONFIDENCE).low <= by_chance:
        return False, f"the load did not rise beyond chance, from {rates}"
    return True, f"the load rose from {rates}"


def _around(facts: Facts) -> tuple[Span, Span]:
    """A while before the step, in the baseline or after it, and as much after it. Raises LookupError."""
    rise, baseline = load_rise(facts.manifest.load), facts.span_of(PhaseName.BASELINE)
    if baseline is None:
        raise LookupError("there was no baseline before the load's step")
    until_ns = peak_until_ns(facts.manifest.load, facts.ended_ns)
    low, high = int(rise.low), int(rise.high)
    return (
        Span(min(low, max(baseline.start_ns, low - _LOOK_NS)), low),
        Span(high, max(high, min(int(until_ns), high + _LOOK_NS))),
    )


def _came_over(levels: tuple[Level, ...], readings: tuple[HpaReading, ...], rise: Interval, until_ns: float) -> Says:
    """Whether the metric came over its target while the load was at its peak: later, something else raised it."""
    known = [level for level in levels if level.when.high < rise.low]
    if not known:
        return False, "its CPU was not known before the load rose"
    if known[-1].over:
        return False, "its CPU was over the target before the load rose"
    over = turned(levels, True, rise.low, until_ns)
    if over is None:
        during = [r.cpu for r in readings if r.cpu is not None and rise.low <= r.since.high <= until_ns]
        highest = max(during, default=None)
        seen = "was not read again" if highest is None else f"was {highest:g} % of the requested at most"
        goal = next(r.goal for r in readings if r.goal is not None)  # without one there are no levels
        return False, f"its CPU {seen}, not over its target of {goal:g} %: there was nothing to scale up for"
    return True, f"its CPU was over its target {max(0.0, over.high - rise.low) / 1e9:.1f} s after the load rose"
