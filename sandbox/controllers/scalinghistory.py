"""From the replicas that are called for to those that may be set, by what was recommended and done lately. Pure.

Facts from Kubernetes 1.34 pkg/controller/podautoscaler/horizontal.go.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sandbox.client import KubeObject
from sandbox.clock import NS_PER_S

FACTOR, AT_LEAST = 2, 4
"""How far one step up may go where no behavior is set."""

_RECENT_LOWER = "recent recommendations were lower than current one, applying the lowest recent recommendation"
_RECENT_HIGHER = "recent recommendations were higher than current one, applying the highest recent recommendation"


@dataclass(frozen=True, slots=True)
class Moment:
    """A number of replicas at a time: recommended, added or taken away."""

    replicas: int
    at_ns: int


@dataclass(frozen=True, slots=True)
class History:
    """What was recommended for one autoscaler, before any limit, and by how many replicas it was scaled."""

    recommended: tuple[Moment, ...] = ()
    added: tuple[Moment, ...] = ()
    removed: tuple[Moment, ...] = ()

    def begun(self, replicas: int, now_ns: int) -> History:
        """The history, with the present number as the first recommendation where there is none yet."""
        return self if self.recommended else replace(self, recommended=(Moment(replicas, now_ns),))

    def scaled(self, before: int, after: int, behavior: KubeObject | None, now_ns: int) -> History:
        """The history after a change of the replicas; without a behavior nobody will ask for it."""
        if behavior is None or before == after:
            return self
        oldest_ns = now_ns - _longest_period_s(behavior) * NS_PER_S
        added, removed = _since(self.added, oldest_ns), _since(self.removed, oldest_ns)
        change = (Moment(abs(after - before), now_ns),)
        return replace(
            self,
            added=added + change if after > before else added,
            removed=removed + change if after < before else removed,
        )


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an autoscaler's spec and the present number of replicas allow."""

    current: int
    lowest: int
    highest: int


@dataclass(frozen=True, slots=True)
class Normalized:
    """The number that may be set, with the reasons and messages of the conditions AbleToScale and ScalingLimited."""

    replicas: int
    able: tuple[str, str]
    limited: bool
    limit: tuple[str, str]
    history: History


READY = ("ReadyForNewScale", "recommended size matches current size")
WITHIN = ("DesiredWithinRange", "the desired count is within the acceptable range")
TOO_MANY = ("TooManyReplicas", "the desired replica count is more than the maximum replica count")
TOO_FEW = ("TooFewReplicas", "the desired replica count is less than the minimum replica count")
TOO_FAST_UP = ("ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate")
TOO_FAST_DOWN = ("ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate")


def normalize(
    wanted: int,
    bounds: Bounds,
    behavior: KubeObject | None,
    downscale_stabilization_s: float,
    history: History,
    now_ns: int,
) -> Normalized:
    """Stabilize `wanted` against what was recommended lately, then keep it within what may be done at once."""
    if behavior is None:
        window_ns = int(downscale_stabilization_s * NS_PER_S)
        recent = [each for each in history.recommended if each.at_ns >= now_ns - window_ns]
        stable = max([wanted, *(each.replicas for each in recent)])
        held_back = ("ScaleDownStabilized", _RECENT_HIGHER)
        replicas, limit = _within_step(stable, bounds)
    else:
        up, down = behavior["scaleUp"], behavior["scaleDown"]
        window_ns = int(max(_window_s(up, 0.0), _window_s(down, downscale_stabilization_s)) * NS_PER_S)
        recent = [each for each in history.recommended if each.at_ns >= now_ns - window_ns]
        lowest = _extreme(min, wanted, recent, now_ns, _window_s(up, 0.0))
        highest = _extreme(max, wanted, recent, now_ns, _window_s(down, downscale_stabilization_s))
        stable = min(max(bounds.current, lowest), highest)
        rises = wanted >= bounds.current
        held_back = ("ScaleUpStabilized", _RECENT_LOWER) if rises else ("ScaleDownStabilized", _RECENT_HIGHER)
        replicas, limit = _within_rate(stable, bounds, behavior, history, now_ns)
    return Normalized(
        replicas,
        READY if stable == wanted else held_back,
        replicas != stable,
        limit,
        replace(history, recommended=(*recent, Moment(wanted, now_ns))),
    )


def _extreme(
    choose: Callable[[int, int], int], wanted: int, recent: Sequence[Moment], now_ns: int, window_s: float
) -> int:
    for each in recent:
        if each.at_ns > now_ns - window_s * NS_PER_S:
            wanted = choose(wanted, each.replicas)
    return wanted


def _within_step(wanted: int, bounds: Bounds) -> tuple[int, tuple[str, str]]:
    step = max(FACTOR * bounds.current, AT_LEAST)
    highest, why = (step, TOO_FAST_UP) if bounds.highest > step else (bounds.highest, TOO_MANY)
    if wanted < bounds.lowest:
        return bounds.lowest, TOO_FEW
    return (highest, why) if wanted > highest else (wanted, WITHIN)


def _within_rate(
    wanted: int, bounds: Bounds, behavior: KubeObject, history: History, now_ns: int
) -> tuple[int, tuple[str, str]]:
    if wanted > bounds.current:
        limit = max(_limit(bounds.current, behavior["scaleUp"], history, now_ns, rises=True), bounds.current)
        highest, why = (limit, TOO_FAST_UP) if bounds.highest > limit else (bounds.highest, TOO_MANY)
        return (highest, why) if wanted > highest else (wanted, WITHIN)
    if wanted < bounds.current:
        limit = min(_limit(bounds.current, behavior["scaleDown"], history, now_ns, rises=False), bounds.current)
        lowest, why = (limit, TOO_FAST_DOWN) if bounds.lowest < limit else (bounds.lowest, TOO_FEW)
        return (lowest, why) if wanted < lowest else (wanted, WITHIN)
    return wanted, WITHIN


def _limit(current: int, rules: KubeObject, history: History, now_ns: int, *, rises: bool) -> int:
    """The number of replicas that the policies allow, counted from what there was when each one's period began."""
    if rules["selectPolicy"] == "Disabled":
        return current
    allowed: list[int] = []
    for policy in rules["policies"]:
        start = (
            current
            - _changed(history.added, policy["periodSeconds"], now_ns)
            + _changed(history.removed, policy["periodSeconds"], now_ns)
        )
        if policy["type"] == "Pods":
            allowed.append(start + (policy["value"] if rises else -policy["value"]))
        elif rises:
            # Rounded up: a share of few replicas would else be none, and the target never grow.
            allowed.append(math.ceil(start * (1 + policy["value"] / 100)))
        else:
            allowed.append(int(start * (1 - policy["value"] / 100)))
    return max(allowed) if rises is (rules["selectPolicy"] != "Min") else min(allowed)


def _changed(moments: Sequence[Moment], period_s: int, now_ns: int) -> int:
    return sum(each.replicas for each in moments if each.at_ns > now_ns - period_s * NS_PER_S)


def _since(moments: Sequence[Moment], oldest_ns: int) -> tuple[Moment, ...]:
    return tuple(each for each in moments if each.at_ns >= oldest_ns)


def _window_s(rules: KubeObject, otherwise_s: float) -> float:
    given = rules.get("stabilizationWindowSeconds")
    return otherwise_s if given is None else float(given)


def _longest_period_s(behavior: KubeObject) -> int:
    return max(int(policy["periodSeconds"]) for rules in behavior.values() for policy in rules["policies"])
