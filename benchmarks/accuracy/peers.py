"""The same truth as it is usually measured: by polling until an answer is good, and by the pods' ready condition."""

from __future__ import annotations

import numpy as np

from scorer.planted import Plan

POLLS_S = (1.0, 2.0, 5.0)
_TIMEOUT_S = 1.0


def polled_s(plan: Plan, every_s: float, rng: np.random.Generator) -> float:
    """Seconds from the fault to the first good answer to a poll, the polls beginning at any moment of a period.

    A poll looks at the status alone, and gives up after a second. Infinite where no poll of the drill was answered.
    """
    due_s = every_s * rng.random()
    while due_s < plan.after_s:
        if not _bad(plan, due_s, rng):
            return due_s
        due_s += every_s
    return float("inf")


def _bad(plan: Plan, at_s: float, rng: np.random.Generator) -> bool:
    if rng.random() < plan.background:
        return True
    for outage in plan.outages:
        if not outage.start_s <= at_s < outage.end_s or rng.random() >= outage.share:
            continue
        if outage.held == "answered":
            return outage.end_s - at_s > _TIMEOUT_S
        if outage.slow_ms is None or outage.slow_ms > 1e3 * _TIMEOUT_S:
            return True
    return False


def found_s(plan: Plan, rng: np.random.Generator) -> dict[str, float]:
    """What each way of measuring says, seconds from the fault; infinite for never."""
    by_poll = {f"polled every {every:g} s": polled_s(plan, every, rng) for every in POLLS_S}
    return {**by_poll, "ready condition": float("inf") if plan.ready_s is None else plan.ready_s}
