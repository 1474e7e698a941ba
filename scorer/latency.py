"""The 95th percentile of latency in the window, counted from when each request was due."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scorer.facts import Facts
from scorer.grounds import Grounds, kind, of_window
from scorer.intervals import quantile_ranks, tidy
from scorer.ranked import order_statistics
from scorer.requests import Ints, Requests
from scorer.values import NEVER_NS
from scorer.verdict import Measure


def latency_p95(facts: Facts, confidence: float) -> Measure:
    """p95 in milliseconds, by order statistics. Raises LookupError.

    A failed request is slower than any answer; to leave it out would let a service improve its latency by failing
    fast. An arrival that was never sent, or left no row, counts as instant in the lower bound and as never answered in
    the upper; of requests that an open workload would not have sent, the fastest are left out of the upper bound.
    Where a lower bound is "never", the length of the window is given: no answer came in all that was watched.
    """
    counts, unseen, window = facts.counted(), facts.unseen, facts.window
    assert window is not None  # it would have raised
    n, unsent, sent, failed = counts.total + unseen.unknown, counts.unsent + unseen.unknown, counts.sent, counts.failed
    method = f"order statistics, each bound at {100 * confidence:g} %; failed requests are slower than any answer"
    evidence: tuple[str, ...] = (f"{sent} requests, {failed} failed and {unsent} never sent among them",)
    ranks = _ranks(facts, confidence)
    never_ms = window.seconds * 1e3
    low, value, high = _in_ms(facts, ranks)
    if ranks.high is None:
        evidence = (
            f"{n} requests are too few to bound the 95th percentile from above at {100 * confidence:g} %",
            *evidence,
        )
    elif np.isinf(high):
        evidence = (
            f"{failed} of {sent} sent requests failed"
            + (f" and {unseen.unknown} may be missing" if unseen.unknown else "")
            + ", so that the 95th percentile may have no answer",
            *evidence,
        )
    return Measure(
        name="latency-p95",
        value=tidy(value) if sent else None,
        low=tidy(min(low, never_ms)),
        high=tidy(high),
        unit="ms",
        n=counts.total,
        method=method,
        evidence=(*evidence, *unseen.evidence),
    )


@dataclass(frozen=True)
class _Ranks:
    """The 1-based ranks of the percentile and of its bounds among the requests that were sent; None: no such bound."""

    value: int
    low: int | None
    high: int | None

    @property
    def every(self) -> tuple[int, int, int]:
        """Those of the lower bound, the value and the upper bound; 0 for none."""
        return self.low or 0, self.value, self.high or 0


def _ranks(facts: Facts, confidence: float) -> _Ranks:
    counts, unseen = facts.counted(), facts.unseen
    n, unsent, spare = counts.total + unseen.unknown, counts.unsent + unseen.unknown, facts.spare()
    low, _ = quantile_ranks(n, 0.95, confidence)
    _, high = quantile_ranks(max(0, n - unseen.surplus), 0.95, confidence)
    # Unsent as instant: the lowest `unsent` ranks are zeros. Unsent as never answered: the highest are infinite.
    return _Ranks(
        value=-(-95 * counts.sent // 100),
        low=None if low is None else low - unsent - spare,
        high=None if high is None else high + unseen.surplus,
    )


def ranks(facts: Facts, confidence: float) -> tuple[int, ...]:
    """Which ranks of the window's latencies are asked for. Raises LookupError."""
    return _ranks(facts, confidence).every


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


def _in_ms(facts: Facts, ranks: _Ranks) -> tuple[float, float, float]:
    """The order statistics of the lower bound, the value and the upper bound in milliseconds, infinite for never."""
    low, value, high = order_statistics(facts, facts.cut, "latency", ranks.every)

    def ms(found_ns: int) -> float:
        return float("inf") if found_ns == NEVER_NS else found_ns / 1e6

    return ms(low), ms(value), float("inf") if ranks.high is None else ms(high)
