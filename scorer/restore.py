"""Restore: from the moment that a region's replicas were asked back to the moment that it served again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bundle.manifest import Effect
from scorer.cluster import ReplicaReading, replicas_of
from scorer.facts import Facts
from scorer.grounds import Grounds
from scorer.intervals import Interval, tidy
from scorer.readiness import back_at_desired
from scorer.regions import read_answers, region_names
from scorer.span import Span
from scorer.stages import Milestone, middle, stages
from scorer.verdict import Measure

if TYPE_CHECKING:
    from bundle.reader import Bundle

_METHOD = (
    "watched: from the moment that the deployment wanted its replicas back to the one from which, to the end of the "
    "recording, it had them ready, and the region had answered a request well since"
)


def region_restored(facts: Facts, bundle: Bundle) -> Measure:
    """Seconds from the asking to the region's serving. Raises LookupError where no fault took replicas away, or nobody
    knows how many there were, and BundleError."""
    effect = _effect(facts)
    before, after = _readings(facts, effect)
    gone = next((n for n, reading in enumerate(after) if reading.desired == effect.count), None)
    if not before or gone is None:
        raise LookupError(f"{effect.name} in {effect.context} was not seen to lose its replicas")
    wanted, since = before[-1].desired, after[gone:]
    asked = next((reading.since for reading in since if reading.desired >= wanted), None)
    if asked is None:
        says = f"{effect.name} in {effect.context} was never asked for its {wanted} replicas again"
        return _measure(None, 0.0, None, len(since), (says,))
    ready = back_at_desired(tuple(reading for reading in since if reading.since.high >= asked.low))
    open_s = max(0.0, facts.ended_ns - asked.high) / 1e9
    if ready is None:
        says = f"{effect.name} did not have its {wanted} replicas ready when the recording ended, {open_s:.1f} s later"
        return _measure(None, open_s, None, len(since), (says,))
    region = region_names(facts).get(effect.context, effect.context)
    answered_ns = _first_answer_ns(facts, bundle, region, ready.low)
    if answered_ns is None:
        says = f"no request was seen to be answered well by {region} once its replicas were ready"
        return _measure(None, tidy(ready.since(asked).scaled(1e-9).low) or 0.0, None, len(since), (says,))
    end = Interval(ready.low, max(ready.high, answered_ns))
    bounds = end.since(asked).scaled(1e-9)
    return Measure(
        name="region-restored",
        value=tidy(max(0.0, middle(end) - middle(asked)) / 1e9),
        low=tidy(bounds.low),
        high=tidy(bounds.high),
        unit="s",
        n=len(since),
        method=_METHOD,
        evidence=(
            f"the watches leave {(ready.high - ready.low) / 1e9:.3g} s open, and the first good answer of {region} "
            f"came {(answered_ns - ready.low) / 1e9:.3g} s after its replicas were ready at the earliest",
        ),
        stages=stages(asked, (Milestone("ready", ready), Milestone("serving", end))),
    )


def restore_grounds(facts: Facts) -> Grounds:
    """The readings of the deployment that lost its replicas. Raises LookupError."""
    effect = _effect(facts)
    return Grounds(
        entries=tuple(
            entry
            for entry in facts.timeline
            if entry.kind == "deployment"
            and (entry.context, entry.namespace, entry.name) == (effect.context, effect.namespace, effect.name)
        )
    )


def _effect(facts: Facts) -> Effect:
    effect = next((effect for effect in facts.manifest.effects if effect.kind == "replicas"), None)
    if effect is None or facts.acted(effect) is None:
        raise LookupError("no fault was recorded that took a region's replicas away")
    return effect


def _readings(facts: Facts, effect: Effect) -> tuple[tuple[ReplicaReading, ...], tuple[ReplicaReading, ...]]:
    """The readings of the deployment before the action, and those since."""
    acted = facts.acted(effect)
    assert acted is not None  # _effect saw to it
    every = tuple(
        reading
        for reading in replicas_of(facts.timeline, effect.context, effect.namespace)
        if reading.name == effect.name
    )
    before = tuple(reading for reading in every if reading.since.high < acted.low)
    return before, every[len(before) :]


def _first_answer_ns(facts: Facts, bundle: Bundle, region: str, since_ns: float) -> float | None:
    """When the first request sent since then was answered well by a region, UTC ns."""
    answers = read_answers(bundle, Span(int(since_ns), facts.ended_ns + 1))
    good = answers.of(region)
    done_ns = good.done_ns[good.sent & good.ok & (good.start_ns >= since_ns - facts.clock_uncertainty_ns)]
    return float(np.min(done_ns)) + facts.clock_uncertainty_ns if len(done_ns) else None


def _measure(value: float | None, low: float, high: float | None, count: int, evidence: tuple[str, ...]) -> Measure:
    return Measure(
        name="region-restored", value=value, low=low, high=high, unit="s", n=count, method=_METHOD, evidence=evidence
    )
