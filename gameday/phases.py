"""When a drill moves on to its next phase: a pure function of what is known now.

The fault starts only after the baseline has settled, and the recovery is over only when the cluster is whole again
and users have seen nothing bad for the hold time: a drill that is cut short can show nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from bundle.manifest import PhaseName

ORDER = tuple(PhaseName)
ROLLBACK_TIMEOUT_S = 60.0
"""How long the experiment's rollbacks may take."""


@dataclass(frozen=True, slots=True)
class PhaseLimits:
    """How long each phase lasts, at least or at most, in seconds.

    requests: so many must have been sent in the recovery phase before it may be over. unseen_s: how long recovery
    lasts at least where the load comes from elsewhere and nobody can count. highest_per_s: the highest rate that the
    load will ever be asked for; None where nobody knows.
    """

    warm_up_s: float = 5.0
    baseline_s: float = 15.0
    baseline_max_s: float = 60.0
    fault_max_s: float = 900.0
    hold_s: float = 5.0
    requests: int = 0
    unseen_s: float = 60.0
    recovery_max_s: float = 180.0
    cool_down_s: float = 5.0
    highest_per_s: float | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known at one moment of a drill.

    in_phase_s: since the phase began. rate_per_s: requests answered in the last seconds. asked_per_s: the rate that was
    asked for in that time, None where the load is closed-loop. clean_s: since the last bad request, None where the load
    comes from elsewhere and nobody sees it. chaos_running: whether Chaos Toolkit still runs. whole: whether every
    watched deployment is back at its desired replicas. requests: how many were sent since recovery began.
    """

    in_phase_s: float
    rate_per_s: float
    asked_per_s: float | None
    clean_s: float | None
    chaos_running: bool
    whole: bool
    requests: int = 0


class Step(StrEnum):
    """What to do next. `give-up`: no further phase makes sense, end the drill now."""

    STAY = "stay"
    NEXT = "next"
    GIVE_UP = "give-up"


@dataclass(frozen=True, slots=True)
class Decision:
    """The step, and why in a few words where it isn't the ordinary course."""

    step: Step
    why: str = ""


STAY, NEXT = Decision(Step.STAY), Decision(Step.NEXT)


def decide(phase: PhaseName, now: Situation, limits: PhaseLimits) -> Decision:
    """Whether to stay in `phase`, move on, or give up."""
    match phase:
        case PhaseName.WARM_UP:
            if now.in_phase_s < limits.warm_up_s:
                return STAY
            if limits.highest_per_s == 0:
                return Decision(Step.GIVE_UP, "the load is at rate 0: with no request due, nothing could be shown")
            return NEXT
        case PhaseName.BASELINE:
            if now.in_phase_s >= limits.baseline_s and not unsettled(now, limits):
                return NEXT
            if now.in_phase_s >= limits.baseline_max_s:
                return Decision(
                    Step.GIVE_UP,
                    f"the baseline did not settle in {limits.baseline_max_s:g} s: " + ", ".join(unsettled(now, limits)),
                )
            return STAY
        case PhaseName.FAULT:
            if not now.chaos_running:
                return NEXT
            if now.in_phase_s >= limits.fault_max_s:
                return Decision(Step.GIVE_UP, f"the experiment did not end within {limits.fault_max_s:g} s")
            return STAY
        case PhaseName.RECOVERY:
            if now.whole and _seen_enough(now, limits):
                return NEXT
            if now.in_phase_s >= limits.recovery_max_s:
                return Decision(Step.NEXT, f"not over after {limits.recovery_max_s:g} s")
            return STAY
        case PhaseName.COOL_DOWN:
            return NEXT if now.in_phase_s >= limits.cool_down_s else STAY


def _seen_enough(now: Situation, limits: PhaseLimits) -> bool:
    if now.clean_s is None:
        return now.in_phase_s >= limits.unseen_s
    return now.clean_s >= limits.hold_s and now.requests >= limits.requests


def unsettled(now: Situation, limits: PhaseLimits) -> list[str]:
    """What still keeps the baseline from being one; empty where it has settled."""
    reasons = []
    if not now.whole:
        reasons.append("a deployment is not at its desired replicas")
    if now.clean_s is None:
        return reasons
    if now.clean_s < limits.hold_s:
        reasons.append(f"a request failed {now.clean_s:.1f} s ago" if now.requests else "no request was sent")
    if now.asked_per_s is None:
        if now.rate_per_s <= 0:
            reasons.append("no request was answered")
    elif now.rate_per_s < least_rate(now.asked_per_s, limits.hold_s):
        reasons.append(f"{now.rate_per_s:.1f} of {now.asked_per_s:g} requests/s were answered")
    return reasons


def least_rate(asked_per_s: float, over_s: float) -> float:
    """The rate that a load at `asked_per_s` shows over `over_s` seconds, at the least.

    Poisson arrivals vary by the square root of their number: four standard deviations below is beyond chance, and 5 %
    more are allowed for requests that are still under way.
    """
    return max(0.0, 0.95 * asked_per_s - 4 * math.sqrt(asked_per_s / over_s))


def left_s(phase: PhaseName, now: Situation, limits: PhaseLimits) -> float | None:
    """How long `phase` will still take, in seconds, if all goes well; None where nobody can know."""
    if phase is PhaseName.RECOVERY and now.clean_s is not None:
        if not now.rate_per_s:
            return None
        return max(0.0, limits.hold_s - now.clean_s, (limits.requests - now.requests) / now.rate_per_s)
    expected = {
        PhaseName.WARM_UP: limits.warm_up_s,
        PhaseName.BASELINE: limits.baseline_s,
        PhaseName.RECOVERY: limits.unseen_s,
        PhaseName.COOL_DOWN: limits.cool_down_s,
    }.get(phase)
    return None if expected is None else max(0.0, expected - now.in_phase_s)


def longest_s(limits: PhaseLimits) -> float:
    """How long a drill with these limits may last in all, in seconds; the load ends by itself after that."""
    phases = limits.warm_up_s + limits.baseline_max_s + limits.fault_max_s + limits.recovery_max_s + limits.cool_down_s
    return phases + ROLLBACK_TIMEOUT_S
