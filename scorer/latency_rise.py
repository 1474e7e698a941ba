"""How much slower the service was than in the baseline: while the fault was at work, and after it was over."""

from __future__ import annotations

import math

from scorer.facts import Facts
from scorer.grounds import Grounds, kind
from scorer.intervals import tidy
from scorer.percentile import p95
from scorer.span import Span
from scorer.targets import Targets
from scorer.verdict import Measure


def latency_rise(facts: Facts, targets: Targets) -> Measure:
    """p95 while the fault was at work less p95 of the baseline, in milliseconds. Raises LookupError."""
    return _rise("latency-rise", facts, at_work(facts), "the fault", targets.validity.confidence)


def latency_after(facts: Facts, targets: Targets) -> Measure:
    """p95 after the fault less p95 of the baseline, in milliseconds. Raises LookupError."""
    return _rise("latency-after", facts, after(facts, targets), "the time after it", targets.validity.confidence)


def at_work(facts: Facts) -> Span:
    """While the fault was surely at work: from when it had begun to when it was undone at the earliest, or the window's
    end. Raises LookupError."""
    if facts.fault is None or facts.window is None:
        raise LookupError("no fault was recorded to have begun")
    end_ns = _undone(facts)
    return Span(int(facts.fault.high), facts.window.end_ns if end_ns is None else end_ns[0])


def after(facts: Facts, targets: Targets) -> Span:
    """From the hold time after the fault's end to the end of the window. Raises LookupError where it never ended."""
    end_ns = _undone(facts)
    if facts.window is None or end_ns is None:
        raise LookupError("the fault was not seen to end")
    start_ns = end_ns[1] + round(targets.recovery.hold_s * 1e9)
    if start_ns >= facts.window.end_ns:
        raise LookupError("the recovery phase ended within the hold time after the fault")
    return Span(start_ns, facts.window.end_ns)


def rise_grounds(facts: Facts, span: Span) -> Grounds:
    """The requests of the baseline and of a span. Raises LookupError."""
    before = _baseline(facts)
    return Grounds(
        (
            kind("of the baseline", facts.requests.due_within(before.start_ns, before.end_ns)),
            kind("of the time it is held against", facts.requests.due_within(span.start_ns, span.end_ns)),
        )
    )


def _undone(facts: Facts) -> tuple[int, int] | None:
    """When the last end of a fault was, at the earliest and at the latest."""
    ends = [entry for entry in facts.timeline if entry.kind == "fault" and entry.event == "end"]
    return (ends[-1].earliest_ns, ends[-1].latest_ns) if ends else None


def _baseline(facts: Facts) -> Span:
    before = facts.before_fault
    if before is None:
        raise LookupError("no baseline was recorded")
    return before


def _rise(name: str, facts: Facts, span: Span, of: str, confidence: float) -> Measure:
    before = _baseline(facts)
    base = facts.requests.due_within(before.start_ns, before.end_ns)
    during = facts.requests.due_within(span.start_ns, span.end_ns)
    # Each bound errs where one of two does: half the chance for each.
    each = 1 - (1 - confidence) / 2
    was = p95(base, base.unsent, each)
    became = p95(during, during.unsent + facts.unseen.unknown, each)
    # Where even the lower bound is "never", no answer came in all that was watched.
    bounds = _less(min(became.low, span.seconds * 1e3), was.high), _less(became.high, was.low)
    evidence = [
        f"p95 was {was.value:.4g} ms in {len(base)} requests of the baseline and {became.value:.4g} ms in "
        f"{len(during)} of {of}, {during.bad} of which failed"
    ]
    if math.isinf(bounds[0]) or math.isinf(bounds[1]):
        few = f"{len(base)} and {len(during)} requests are too few, or too many failed, to bound p95 on both sides"
        evidence.insert(0, few)
    found = became.value - was.value
    return Measure(
        name=name,
        value=None if math.isnan(found) or math.isinf(found) else tidy(found),
        low=tidy(bounds[0]),
        high=tidy(bounds[1]),
        unit="ms",
        n=len(during),
        method=f"difference of two percentiles by order statistics, each bound at {100 * confidence:g} %",
        evidence=tuple(evidence),
    )


def _less(minuend: float, subtrahend: float) -> float:
    """The difference; minus infinity where what is subtracted has no bound, infinity where only the other has none."""
    return -math.inf if math.isinf(subtrahend) else minuend - subtrahend
