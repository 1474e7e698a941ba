"""The 95th percentile of latency in the window, counted from when each request was due."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scorer.facts import Facts
from scorer.grounds import Grounds, kind, of_window
from scorer.intervals import quantile_ranks, tidy
from scorer.requests import Ints, Requests
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
    sent = _latencies_ns(judged)
    n, unsent, failed = len(judged) + unseen.unknown, judged.unsent + unseen.unknown, judged.bad
    method = f"order statistics, each bound at {100 * confidence:g} %; failed requests are slower than any answer"
    evidence: tuple[str, ...] = (f"{len(sent)} requests, {failed} failed and {unsent} never sent among them",)
    ranks = _ranks(facts, confidence)
    never_ms = window.seconds * 1e3
    value = _at(sent, ranks.value)
    low = 0.0 if ranks.low is None else _at(sent, ranks.low)
    high = float("inf") if ranks.high is None else _at(sent, ranks.high)
    if ranks.high is None:
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


@dataclass(frozen=True)
class _Ranks:
    """The 1-based ranks of the percentile and of its bounds among the requests that were sent; None: no such bound."""

    value: int
    low: int | None
    high: int | None


def _ranks(facts: Facts, confidence: float) -> _Ranks:
    judged, unseen = facts.judged, facts.unseen
    n, unsent = len(judged) + unseen.unknown, judged.unsent + unseen.unknown
    low, _ = quantile_ranks(n, 0.95, confidence)
    _, high = quantile_ranks(max(0, n - unseen.surplus), 0.95, confidence)
    # Unsent as instant: the lowest `unsent` ranks are zeros. Unsent as never answered: the highest are infinite.
    spare = unseen.beyond(judged.start_ns[judged.sent & ~judged.ok])
    return _Ranks(
        value=-(-95 * (len(judged) - judged.unsent) // 100),
        low=None if low is None else low - unsent - spare,
        high=None if high is None else high + unseen.surplus,
    )


def latency_grounds(facts: Facts, confidence: float) -> Grounds:
    """What the percentile rests on: the requests that hold its rank and those of its bounds. Raises LookupError."""
    judged, ranks = facts.judged, _ranks(facts, confidence)
    sent = judged.where(judged.sent)
    latencies_ns = _latencies_ns(judged)
    kinds = list(of_window(facts))
    for says, rank in (("the percentile", ranks.value), ("lower bound", ranks.low), ("upper bound", ranks.high)):
        if rank is not None and 1 <= rank <= len(sent):
            found = np.partition(latencies_ns, rank - 1)[rank - 1]
            kinds.append(kind(f"of rank {rank:,} of {len(sent):,} by latency: {says}", sent, latencies_ns == found))
    return Grounds(tuple(kinds))


def _latencies_ns(judged: Requests) -> Ints:
    """The latencies of the requests that were sent, by which they are ranked."""
    return np.where(judged.ok, judged.latency_ns, NEVER_NS)[judged.sent]


def _at(latencies_ns: Ints, rank: int) -> float:
    """The order statistic of a 1-based rank in milliseconds: 0 below the first, infinite beyond the last."""
    if rank < 1:
        return 0.0
    if rank > len(latencies_ns):
        return float("inf")
    found = int(np.partition(latencies_ns, rank - 1)[rank - 1])
    return float("inf") if found == NEVER_NS else found / 1e6
