"""Error rate and availability in the window: two sides of one share."""

from __future__ import annotations

from scorer.facts import Facts
from scorer.grounds import Grounds, of_window
from scorer.intervals import Interval, clopper_pearson, tidy
from scorer.requests import Flags, Requests
from scorer.tally import Counts
from scorer.targets import Slo
from scorer.unseen import NOTHING, Unseen
from scorer.verdict import Measure


def bad_share(
    counts: Counts, slo: Slo | None, confidence: float, unseen: Unseen = NOTHING, spare: int = 0
) -> tuple[int, Interval]:
    """How many of the sent requests were bad by an SLO (None: that failed), and the bounds of the share of bad ones.

    Requests need not be alike: for trials of differing probabilities the exact binomial bounds of their mean are
    conservative (Hoeffding, 1956). Arrivals that were never sent, and the `unseen` that left no row, count as good in
    the lower bound, as bad in the upper. What an open workload would not have sent, `spare` bad ones among it, counts
    as good in the lower bound, and in the upper as never sent.
    """
    bad, (least, n), (most, trials) = _bounds(counts, slo, unseen, spare)
    return bad, Interval(clopper_pearson(least, n, confidence).low, clopper_pearson(most, trials, confidence).high)


def bad_rows(requests: Requests, slo: Slo | None) -> Flags:
    """Which of the requests were sent and were bad by an SLO (None: that failed)."""
    good = requests.ok if slo is None or slo.slow_ns is None else requests.ok & (requests.latency_ns <= slo.slow_ns)
    return requests.sent & ~good


def share_grounds(facts: Facts) -> Grounds:
    """What the error rate and the availability of the window rest on. Raises LookupError."""
    _, (least, n), (most, trials) = _bounds(facts.counted(), None, facts.unseen, facts.spare())
    return Grounds(
        of_window(facts),
        figures=(
            f"the least share of failures is bounded from {least:,} of {n:,}, the greatest from {most:,} of {trials:,}",
        ),
    )


def _bounds(
    counts: Counts, slo: Slo | None, unseen: Unseen, spare: int
) -> tuple[int, tuple[int, int], tuple[int, int]]:
    """How many were bad; bad ones and trials of the lower bound, and those of the upper."""
    bad, n = counts.bad_by_limit[None if slo is None else slo.slow_ns], counts.total + unseen.unknown
    trials = max(0, n - unseen.surplus)
    most = min(trials, bad + counts.unsent + unseen.unknown)
    return bad, (bad - spare, n), (most, trials)


def error_rate(facts: Facts, confidence: float) -> Measure:
    """Per cent of requests that failed. Raises LookupError."""
    return _share(facts, confidence, "error-rate")


def availability(facts: Facts, confidence: float) -> Measure:
    """Per cent of requests that were answered well. Raises LookupError."""
    return _share(facts, confidence, "availability")


def _share(facts: Facts, confidence: float, name: str) -> Measure:
    counts, unseen = facts.counted(), facts.unseen
    bad, share = bad_share(counts, None, confidence, unseen, facts.spare())
    sent = counts.sent
    bounds, value = share.scaled(100), 100 * bad / sent if sent else None
    if name == "availability":
        bounds, value = Interval(100 - bounds.high, 100 - bounds.low), None if value is None else 100 - value
    return Measure(
        name=name,
        value=None if value is None else tidy(value),
        low=tidy(bounds.low),
        high=tidy(bounds.high),
        unit="%",
        n=counts.total,
        method=f"Clopper–Pearson, each bound at {100 * confidence:g} %; unsent arrivals bad in one, good in the other",
        evidence=(
            f"{bad} of {sent} sent requests failed, {counts.unsent + unseen.missing} were never sent",
            *unseen.evidence,
        )
        if sent
        else ("no request was sent in the window",),
    )
