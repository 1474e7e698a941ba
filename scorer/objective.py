"""A promise and what was measured against it: the grade, why, and what would settle what is open."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from scorer.intervals import trials_needed
from scorer.targets import MEASURE_UNITS, ObjectiveTarget
from scorer.verdict import Grade, Measure, Objective

Comparison = Literal["at most", "at least"]
Bound = Literal["target", "threshold"]
_SHARES = frozenset({"error-rate", "availability", "timeout-share"})
"""The measures that are shares of requests, so that more requests can settle them."""


def grade(low: float | None, high: float | None, target: float, threshold: float, comparison: Comparison) -> Grade:
    """The grade of an interval: all of it within the target, within the threshold, beyond it, or neither.

    A missing bound is no bound: what is open above is never shown to be at most anything.
    """
    if comparison == "at least":
        return grade(None if high is None else -high, None if low is None else -low, -target, -threshold, "at most")
    if high is not None and high <= target:
        return Grade.PASS
    if high is not None and high <= threshold:
        return Grade.WARN
    if low is not None and low > threshold:
        return Grade.FAIL
    return Grade.INCONCLUSIVE


def decided(objective: Objective) -> str:
    """The comparison that gave an objective its grade, in words and whole figures."""
    measure, at_most = objective.measure, objective.comparison == "at most"
    bound, other = (measure.high, measure.low) if at_most else (measure.low, measure.high)
    name, other_name = ("upper", "lower") if at_most else ("lower", "upper")
    within, beyond = ("≤", ">") if at_most else ("≥", "<")
    target, threshold = f"target {objective.target:.9g}", f"threshold {objective.threshold:.9g}"

    def end(side: str, figure: float | None) -> str:
        return (
            f"{side} bound {'∞' if figure is None and side == 'upper' else '−∞' if figure is None else f'{figure:.9g}'}"
        )

    if objective.verdict is Grade.PASS:
        return f"{end(name, bound)} {within} {target}: pass"
    if objective.verdict is Grade.WARN:
        return f"{end(name, bound)} {beyond} {target}, and {within} {threshold}: warn"
    if objective.verdict is Grade.FAIL:
        return f"{end(other_name, other)} {beyond} {threshold}: fail"
    return f"{end(name, bound)} {beyond} {threshold}, and {end(other_name, other)} {within} {threshold}: inconclusive"


def clean_requests_needed(promises: Iterable[ObjectiveTarget], confidence: float, *, of: Bound) -> int:
    """How many requests, all of them good, it takes to claim every promised share at its target or threshold."""
    needs = 1
    for promise in promises:
        if promise.measure in ("error-rate", "availability"):
            limit = promise.limit.within("%")[of == "threshold"]
            tolerated = (limit if promise.at_most else 100 - limit) / 100
            if 0 < tolerated < 1:
                needs = max(needs, trials_needed(0, tolerated, confidence))
    return needs


def judge(
    name: str,
    promise: ObjectiveTarget,
    measure: Measure,
    confidence: float,
    *,
    unsent: int = 0,
    unrecorded: int = 0,
    settled_by: str = "",
) -> Objective:
    """Hold a measure against its promise. `settled_by` is what would settle an open one, where more requests don't.

    unsent: how many of the measure's requests were never sent; unrecorded: how many more left no row. The value is a
    share of those that were sent, the bound on which a claim rests takes all of them for bad.
    """
    comparison: Comparison = "at most" if promise.at_most is not None else "at least"
    target, threshold = promise.limit.within(MEASURE_UNITS[promise.measure])
    verdict = grade(measure.low, measure.high, target, threshold, comparison)
    return Objective(
        name=name,
        title=promise.title,
        verdict=verdict,
        comparison=comparison,
        target=target,
        threshold=threshold,
        measure=measure,
        says=f"cannot tell: {settled_by}"
        if settled_by and verdict is Grade.INCONCLUSIVE and measure.n
        else _says(verdict, measure, target, threshold, comparison, confidence, (unsent, unrecorded)),
    )


def figure(amount: float | None, unit: str) -> str:
    """A figure as a person reads it: four significant digits and its unit; counts and thousands whole."""
    if amount is None:
        return "unbounded"
    return f"{amount:,.0f} {unit}" if unit in ("requests", "probes") or abs(amount) >= 1000 else f"{amount:.4g} {unit}"


def _says(
    verdict: Grade,
    measure: Measure,
    target: float,
    threshold: float,
    comparison: Comparison,
    confidence: float,
    unknown: tuple[int, int],
) -> str:
    unit = measure.unit
    bound = measure.high if comparison == "at most" else measure.low
    other = measure.low if comparison == "at most" else measure.high
    if verdict is Grade.PASS:
        return f"{comparison} {figure(bound, unit)}, promised {comparison} {figure(target, unit)}"
    if verdict is Grade.WARN:
        return (
            f"{comparison} {figure(bound, unit)}: beyond the target of {figure(target, unit)}, "
            f"within the threshold of {figure(threshold, unit)}"
        )
    opposite = "at least" if comparison == "at most" else "at most"
    if verdict is Grade.FAIL:
        return f"{opposite} {figure(other, unit)}, promised {comparison} {figure(threshold, unit)}"
    return f"cannot tell: {_settled_by(measure, target, threshold, comparison, confidence, unknown)}"


def _settled_by(
    measure: Measure,
    target: float,
    threshold: float,
    comparison: Comparison,
    confidence: float,
    unknown: tuple[int, int],
) -> str:
    if measure.n == 0:
        return measure.evidence[0] if measure.evidence else "there are no observations"
    if measure.name in _SHARES and measure.value is not None:
        unsent, unrecorded = unknown
        share = (measure.value if comparison == "at most" else 100 - measure.value) / 100
        bad, n = round(share * (measure.n - unsent)) + unsent + unrecorded, measure.n + unrecorded
        for claim in (target, threshold):
            limit = (claim if comparison == "at most" else 100 - claim) / 100
            if 0 < limit < 1 and bad < limit * n:
                needs = trials_needed(bad, limit, confidence)
                how = "bad, unsent or unrecorded" if any(unknown) else "bad"
                kind = f"requests with no more than {bad} {how}" if bad else "clean requests"
                return f"needs {needs} {kind} to claim {comparison} {figure(claim, '%')}, has {n}"
    if measure.value is None or measure.high is None:
        return measure.evidence[0] if measure.evidence else "it is open above"
    return (
        f"{figure(measure.low, measure.unit)} to {figure(measure.high, measure.unit)} holds the "
        f"{figure(threshold, measure.unit)} on which it turns; more requests narrow it"
    )
