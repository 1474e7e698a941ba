"""The truth of a planted drill, from its rows before any of them is lost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scorer.planted_plan import Plan
from scorer.planted_rows import Rows

_S, _MS = 1_000_000_000, 1_000_000


@dataclass(frozen=True, slots=True)
class Truth:
    """What really happened. `recovery_s` is None where the service never recovered, 0 where it was never bad."""

    fault_ns: int
    recovery_s: float | None
    ready_s: float | None
    failed: int
    """Failed requests under way in the window that objectives are judged over, of those that were sent and recorded."""
    due: int
    """Arrivals of the window, and here and below also those that were never sent, or left no row."""
    would_fail: int
    """Those of them that failed, or would have."""
    p95_ms: float
    """95 % of them were answered well within this, or would have been; infinite where fewer were."""
    last_failed_s: float
    """When the last arrival that failed before the recovery was due, in seconds from the fault; 0 where none did."""
    spacing_s: float
    """Between the last arrival that was due before the recovery and the first one after; 0 where one is missing."""
    shown_s: float
    """Between the start of the last request that failed before the recovery and the first good answer to one that was
    sent after it: all that rows can show of when a hard outage ended. 0 where one is missing."""


def truth_of(plan: Plan, fault_ns: int, rows: Rows, window: tuple[int, int]) -> Truth:
    """The truth of a plan with these rows, judged over a window of nanoseconds."""
    recovered = max((outage.end_s for outage in plan.outages), default=0.0)
    after = int(np.searchsorted(rows.scheduled, fault_ns + round(recovered * _S)))
    judged = rows.where((rows.done >= window[0]) & (rows.scheduled < window[1]))
    latencies = np.sort(np.where(judged.ok, (judged.late + judged.service) / _MS, np.inf))
    return Truth(
        fault_ns=fault_ns,
        recovery_s=None if recovered >= plan.after_s else recovered,
        ready_s=plan.ready_s,
        failed=int(np.count_nonzero(~(judged.ok | judged.unsent | judged.lost))),
        due=len(judged.ok),
        would_fail=int(np.count_nonzero(~judged.ok)),
        p95_ms=float(latencies[-(-95 * len(latencies) // 100) - 1]) if len(latencies) else 0.0,
        last_failed_s=float((rows.scheduled[:after][~rows.ok[:after]][-1:].sum() or fault_ns) - fault_ns) / _S,
        shown_s=_shown_s(rows, fault_ns + round(recovered * _S)),
        spacing_s=float(np.sum(np.diff(rows.scheduled[max(0, after - 1) : after + 1]))) / _S if after else 0.0,
    )


def _shown_s(rows: Rows, end_ns: int) -> float:
    recorded = rows.where(~(rows.unsent | rows.lost))
    starts, done = recorded.scheduled + recorded.late, recorded.done
    failed = starts[~recorded.ok & (done <= end_ns)]
    if not len(failed):
        return 0.0
    good = done[recorded.ok & (starts > failed.max())]
    return float(good.min() - failed.max()) / _S if len(good) else 0.0
