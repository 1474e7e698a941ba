"""The 95th percentile of latency in the window, counted from when each request was due."""

from __future__ import annotations

import numpy as np

from scorer.facts import Facts
from scorer.intervals import quantile_ranks, tidy
from scorer.requests import Ints
from scorer.verdict import Measure

NEVER_NS = np.iinfo(np.int64).max
"""The latency of a request that was not answered well: longer than any."""


def latency_p95(facts: Facts, confidence: float) -> Measure:
    """p95 in milliseconds, by order statistics. Raises LookupError.

    A failed request is slower than any answer; to leave it out would let a service improve its latency by failing
    fast. An arrival that was never sent, or left no row, counts as instant in the lower bound and as never answered in
    the upper; of requests that an open workload would not have sent, the fastest are left out of the upper bound.
    Where a lower bound is "never", the length of the window is given: no answer came in all that was watched.
    """
    judged, unseen, window = facts.judged, facts.unseen, facts.window
    assert window is not None  # judged would have raised
    sent = np.where(judged.ok, judged.latency_ns, NEVER_NS)[judged.sent]
    n, unsent, failed = len(judged) + unseen.unknown, judged.unsent + unseen.unknown, judged.bad
    spare = unseen.beyond(judged.start_ns[judged.sent & ~judged.ok])
    method = f"order statistics, each bound at {100 * confidence:g} %; failed requests are slower than any answer"
    evidence: tuple[str, ...] = (f"{len(sent)} requests, {failed} failed and {unsent} never sent among them",)
    low_rank, _ = quantile_ranks(n, 0.95, confidence)
    _, high_rank = quantile_ranks(max(0, n - unseen.surplus), 0.95, confidence)
    never_ms = window.seconds * 1e3
    value = _at(sent, -(-95 * len(sent) // 100))
    # Unsent as instant: the lowest `unsent` ranks are zeros. Unsent as never answered: the highest are infinite.
    low = 0.0 if low_rank is None else _at(sent, low_rank - unsent - spare)
    high = float("inf") if high_rank is None else _at(sent, high_rank + unseen.surplus)
    if high_rank is None:
        evidence = (
            f"{n} requests are too few to bound the 95th percentile from above at {100 * confidence:g} %",
            *evidence,
        )
    elif np.isinf(high):
        evidence = (
            f"{failed} of {len(sent)} sent requests failed"
            + (f" and {unseen.unknown} may be missing" if unseen.unknown else "")
            + ", so that the 95th percentile may have no answer",
            *evidence,
        )
    return Measure(
        name="latency-p95",
        value=tidy(value) if len(sent) else None,
        low=tidy(min(low, never_ms)),
        high=tidy(high),
        unit="ms",
        n=len(judged),
        method=method,
        evidence=(*evidence, *unseen.evidence),
    )


def _at(latencies_ns: Ints, rank: int) -> float:
    """The order statistic of a 1-based rank in milliseconds: 0 below the first, infinite beyond the last."""
    if rank < 1:
        return 0.0
    if rank > len(latencies_ns):
        return float("inf")
    found = int(np.partition(latencies_ns, rank - 1)[rank - 1])
    return float("inf") if found == NEVER_NS else found / 1e6
