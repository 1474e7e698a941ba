"""The stages of a recovery: what happened between the fault and the end of it, and which part took longest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from scorer.facts import Facts
from scorer.intervals import Interval, tidy
from scorer.verdict import Stage


@dataclass(frozen=True)
class Milestone:
    """Something that a recovery passes, and the span (UTC nanoseconds) in which it happened."""

    name: str
    when: Interval


def stages(fault: Interval, milestones: Iterable[Milestone]) -> tuple[Stage, ...]:
    """The time from each milestone to the next, in seconds, the first from the fault; the longest is dominant.

    A milestone that wasn't seen makes its stage part of the next one. One that lies before its predecessor (the
    watches of pods and deployments deliver independently) makes a stage of zero.
    """
    names: list[str] = []
    values: list[float] = []
    bounds: list[Interval] = []
    before = fault
    for milestone in milestones:
        names.append(milestone.name)
        bounds.append(milestone.when.since(before).scaled(1e-9))
        values.append(max(0.0, middle(milestone.when) - middle(before)) / 1e9)
        before = milestone.when if middle(milestone.when) >= middle(before) else before
    longest = values.index(max(values)) if values else -1
    return tuple(
        Stage(
            name=name,
            value=tidy(value),
            low=tidy(min(value, bound.low)),
            high=tidy(max(value, bound.high)),
            dominant=index == longest,
        )
        for index, (name, value, bound) in enumerate(zip(names, values, bounds, strict=True))
    )


def fault_milestones(facts: Facts) -> tuple[Milestone, ...]:
    """What the watches saw after the fault, for the first replaced pod of the first effect that replaces pods.

    detect: Kubernetes marked the victim or dropped it; reschedule: its replacement was created; start: that ran;
    ready: that was ready.
    """
    effect = next((effect for effect in facts.manifest.effects if effect.kind == "pods-replaced"), None)
    if effect is None:
        return ()
    victims, replacements = facts.victims(effect), facts.replacements(effect)
    replacement = min((pod for pod in replacements if pod.ready), key=lambda pod: middle(pod.ready), default=None)
    if replacement is None and replacements:
        replacement = replacements[0]
    detected = min((pod.marked for pod in victims if pod.marked), key=middle, default=None)
    seen = [("detect", detected)]
    if replacement is not None:
        seen += [("reschedule", replacement.seen), ("start", replacement.running), ("ready", replacement.ready)]
    return tuple(Milestone(name, when) for name, when in seen if when is not None)


def middle(when: Interval | None) -> float:
    """The middle of a span; infinity for what was not seen."""
    return float("inf") if when is None else (when.low + when.high) / 2
