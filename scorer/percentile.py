"""The 95th percentile of any set of requests, with its bounds: what differences between two of them rest on."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from scorer.intervals import quantile_ranks
from scorer.requests import Ints, Requests


@dataclass(frozen=True)
class Percentile:
    """Milliseconds. `value` is not a number where nothing was sent; infinite is a request that was never answered well,
    or a bound for which there are too few."""

    low: float
    value: float
    high: float


def p95(requests: Requests, unknown: int, confidence: float) -> Percentile:
    """p95 of latency from the due time by order statistics, each bound at this confidence; a failed request is slower
    than any answer. `unknown` more requests were instant in the lower bound and never answered in the upper."""
    sent = requests.where(requests.sent)
    latencies_ns = np.where(sent.ok, sent.latency_ns, np.iinfo(np.int64).max)
    value = _at_ms(latencies_ns, -(-95 * len(sent) // 100)) if len(sent) else math.nan
    if unknown > 19 * len(
        sent
    ):  # the known ones bound nothing, and a damaged time makes numbers too large to reckon with
        return Percentile(0.0, value, math.inf)
    low, high = quantile_ranks(len(sent) + unknown, 0.95, confidence)
    return Percentile(
        low=0.0 if low is None else _at_ms(latencies_ns, low - unknown),
        value=value,
        high=math.inf if high is None else _at_ms(latencies_ns, high),
    )


def _at_ms(latencies_ns: Ints, rank: int) -> float:
    """The order statistic of a 1-based rank: 0 below the first, infinite beyond the last and where it has no answer."""
    if rank < 1:
        return 0.0
    if rank > len(latencies_ns):
        return math.inf
    found = int(np.partition(latencies_ns, rank - 1)[rank - 1])
    return math.inf if found == np.iinfo(np.int64).max else found / 1e6
