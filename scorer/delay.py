"""The delay that was measured at pods: while the fault was at work against before, and gone after it.

A pod's delay is the median of what answers took to come back from it; bounds are order statistics, in which a question
that came to nothing is faster than any answer in the lower one and slower in the upper.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

from bundle.manifest import Effect
from bundle.timeline import Entry
from scorer.facts import Facts
from scorer.intervals import Interval, quantile_ranks
from scorer.samples import Trips
from scorer.span import Span

_CONFIDENCE = 0.95
"""Of each bound of a median."""
_RISEN = 0.9
"""The share of the delay asked for that must be seen at least."""
_UNMOVED = 0.5
"""The share of it that a pod's median may have moved by and still count as not delayed."""
_SILENCE_NS = 1_000_000_000
"""A pod that nobody asked for so long, and for twice the delay besides, was not measured all the while."""


@dataclass(frozen=True)
class Median:
    """Milliseconds: the median of `n` answers, NaN where there are none, within its bounds."""

    value: float
    bounds: Interval
    n: int

    @classmethod
    def of(cls, trips: Trips) -> Median:
        """The median of these questions."""
        known = np.sort(trips.took_ns[trips.answered])
        lost, low, high = int(np.count_nonzero(~trips.answered)), None, None
        if len(trips.answered):
            low, high = quantile_ranks(len(trips.answered), 0.5, _CONFIDENCE)
        return cls(
            value=float(np.median(known)) / 1e6 if len(known) else float("nan"),
            bounds=Interval(
                0.0 if low is None or low <= lost else float(known[low - lost - 1]) / 1e6,
                float("inf") if high is None or high > len(known) else float(known[high - 1]) / 1e6,
            ),
            n=len(known),
        )

    def rise_over(self, earlier: Median) -> Interval:
        """How much larger it is than another, where both have bounds; else anything."""
        return Interval(self.bounds.low - earlier.bounds.high, self.bounds.high - earlier.bounds.low)


def delayed(facts: Facts, effect: Effect) -> tuple[bool, str]:
    """Whether the pods that the fault chose, and no others, answered late by what was asked for, only while it was at
    work; and one line about it. Raises ValueError for a selector not understood."""
    spans, chosen = _spans(facts, effect), _chosen(facts, effect)
    if spans is None:
        return False, f"the delay of {effect.activity} was not seen to begin after a baseline and to end"
    selected = {pod.name for pod in facts.selected(effect)}
    if len(chosen) < effect.count or not set(chosen) <= selected:
        which = ", ".join(chosen) or "no pod"
        return False, f"{effect.activity} chose {which}, not at least {effect.count} of the pods with {effect.selector}"
    says = []
    for pod in chosen:
        ok, line = _late(facts, effect, pod, spans)
        if not ok:
            return False, line
        says.append(line)
    for pod in sorted(selected - set(chosen)):
        before, during = (Median.of(_trips(facts, effect, pod, span)) for span in spans[:2])
        if before.n and during.n and during.rise_over(before).high >= _UNMOVED * effect.latency_ns / 1e6:
            return False, f"{pod} was not chosen, and its median went from {_ms(before)} to {_ms(during)}, too"
        if before.n and not during.n and _there(facts, effect, pod, spans[1]):
            return False, f"{pod} was not chosen, and gave no answer during the delay: nobody knows that it was spared"
    return True, "; ".join(says)


def delay_entries(facts: Facts, effect: Effect) -> list[Entry]:
    """The entries that show when the delay was on, and of which pods."""
    return [
        entry
        for entry in facts.timeline
        if (entry.kind == "fault" and entry.attributes.get("activity") == effect.activity)
        or (entry.kind == "chaos" and (entry.context, entry.namespace) == (effect.context, effect.namespace))
    ]


def _spans(facts: Facts, effect: Effect) -> tuple[Span, Span, Span] | None:
    """Before, while and after the delay was surely on; None where it wasn't seen to begin and to end."""
    begin, before, window = facts.begin(effect), facts.before_fault, facts.window
    ends = [
        entry
        for entry in facts.timeline
        if (entry.kind, entry.event, entry.attributes.get("activity")) == ("fault", "end", effect.activity)
    ]
    if begin is None or before is None or window is None or not ends:
        return None
    end = ends[-1]
    if not begin.latest_ns < end.earliest_ns <= end.latest_ns < window.end_ns:
        return None
    return before, Span(begin.latest_ns, end.earliest_ns), Span(end.latest_ns, window.end_ns)


def _chosen(facts: Facts, effect: Effect) -> list[str]:
    begin = facts.begin(effect)
    try:
        names = json.loads(str(begin.attributes.get("output"))) if begin is not None else None
    except ValueError:
        names = None
    return sorted(names) if isinstance(names, list) and all(isinstance(name, str) for name in names) else []


def _late(facts: Facts, effect: Effect, pod: str, spans: tuple[Span, Span, Span]) -> tuple[bool, str]:
    asked_ms = effect.latency_ns / 1e6
    before, during, after = (Median.of(_trips(facts, effect, pod, span)) for span in spans)
    says = (
        f"{pod}'s median went from {_ms(before)} to {_ms(during)} and back to {_ms(after)}, {asked_ms:g} ms asked for"
    )
    if not all(median.n for median in (before, during, after)):
        return False, f"{says}: it was not measured all the while"
    widest_ns = _widest_ns(_trips(facts, effect, pod, spans[1]), spans[1])
    if widest_ns > _gap_ns(effect):
        return False, f"{says}: for {widest_ns / 1e9:.1f} s nobody asked it"
    if during.rise_over(before).low < _RISEN * asked_ms:
        return False, f"{says}: that is not surely a rise by {_RISEN:.0%} of it"
    if after.rise_over(before).high > _UNMOVED * asked_ms:
        return False, f"{says}: it is not surely gone"
    return True, says


def _there(facts: Facts, effect: Effect, pod: str, span: Span) -> bool:
    """Whether a pod of this name was there in a span for so long that it ought to have been heard of."""
    by_ns = span.start_ns + _gap_ns(effect)
    pods = [each for each in facts.selected(effect) if each.name == pod and each.seen.low < span.end_ns]
    return any(each.deleted is None or each.deleted.low > by_ns for each in pods)


def _gap_ns(effect: Effect) -> int:
    return _SILENCE_NS + 2 * effect.latency_ns


def _trips(facts: Facts, effect: Effect, pod: str, span: Span) -> Trips:
    """The questions to a pod that were asked and over within a span."""
    trips = facts.samples.trips.get(f"{effect.context}/{pod}", Trips())
    return trips.where((trips.over_ns - trips.took_ns >= span.start_ns) & (trips.over_ns < span.end_ns))


def _widest_ns(trips: Trips, span: Span) -> int:
    """The longest part of a span, in nanoseconds, in which no question was over."""
    marks = np.concatenate([[span.start_ns], np.sort(trips.over_ns), [span.end_ns]])
    return int(np.max(np.diff(marks)))


def _ms(median: Median) -> str:
    return f"{median.value:.4g} ms" if median.n else "no answer"
