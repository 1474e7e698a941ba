"""What would be known of a drill were everything known: of each objective's measure, from the plan alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.accuracy.kinds import AFTER_S
from scorer.planted import EPOCH_NS, Outage, Plan, Truth
from scorer.planted_rows import rows_of

_S = 1_000_000_000
TWIN_PER_S = 400.0
SLOW_S = 0.15
"""Slower answers are bad by the SLO of the targets that drills are judged by."""


@dataclass(frozen=True)
class Known:
    """The truth by measure, in the unit of the measure; infinite where the promise can't be kept: never recovered, or
    more than 5 % never answered. Better is always less, so that availability stands as the per cent that failed."""

    by_measure: Mapping[str, float]
    recovered_from_s: float
    """Users may as well say that it was over by then: who comes so late into a stall is answered within the SLO."""


def known(plan: Plan, truth: Truth) -> Known:
    """Of an open load it is what all its arrivals got, or would have got; of a closed one what a twin with an open load
    gets of the same service, at the rate that its users kept before the fault."""
    due, failed, p95_ms = truth.due, float(truth.would_fail), truth.p95_ms
    share = failed / due
    if plan.users is not None:
        share, p95_ms = _of_twin(plan, truth)
        failed = share * AFTER_S * _baseline_per_s(plan, truth)
    last = next(iter(reversed(met(plan, truth))), None)
    recovered_s = 0.0 if last is None else np.inf if last.end_s >= plan.after_s else last.end_s
    stalled = any(outage.held == "answered" for outage in plan.outages)
    return Known(
        {
            "recovery-user": recovered_s,
            "recovery-ready": np.inf if truth.ready_s is None else truth.ready_s,
            "latency-p95": p95_ms,
            "error-rate": 100 * share,
            "availability": 100 * share,
            "failed-requests": failed,
            "unmet-probes": float(len(plan.unmet_after)),
        },
        recovered_from_s=max(0.0, recovered_s - SLOW_S) if stalled else recovered_s,
    )


def met(plan: Plan, truth: Truth) -> tuple[Outage, ...]:
    """The outages of a plan, in order of their end, but for those at the end in which no request failed.

    Recovery is what users see: by the SLIs, which are shares of requests. An outage that no request met is none.
    """
    outages = sorted(plan.outages, key=lambda outage: outage.end_s)
    while outages and _fails(outages[-1]) and truth.last_failed_s < outages[-1].start_s:
        outages.pop()
    return tuple(outages)


def _fails(outage: Outage) -> bool:
    return outage.slow_ms is None and not outage.held


def _earliest_ns(plan: Plan) -> int:
    return EPOCH_NS + round((plan.warm_up_s + plan.baseline_s + 1) * _S)


def _of_twin(plan: Plan, truth: Truth) -> tuple[float, float]:
    """The share that failed and p95 in ms of an open load in the window."""
    twin = replace(plan, users=None, rate_per_s=TWIN_PER_S, late_ms=1e-6)
    end_ns = _earliest_ns(plan) + round(AFTER_S * _S)
    rows = rows_of(twin, np.random.default_rng(plan.seed), truth.fault_ns, end_ns)
    judged = rows.where((rows.done >= _earliest_ns(plan)) & (rows.scheduled < end_ns))
    latencies = np.sort(np.where(judged.ok, judged.service / 1e6, np.inf))
    return float(np.mean(~judged.ok)), float(latencies[int(0.95 * len(latencies))])


def _baseline_per_s(plan: Plan, truth: Truth) -> float:
    rows = rows_of(replace(plan, outages=()), np.random.default_rng(plan.seed), truth.fault_ns, _earliest_ns(plan))
    since = EPOCH_NS + round(plan.warm_up_s * _S)
    return float(np.count_nonzero(rows.scheduled >= since)) / (plan.baseline_s + 1)
