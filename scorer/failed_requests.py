"""Failed requests in the window: a count, not an estimate. What was never sent may have failed, or not."""

from __future__ import annotations

from scorer.facts import Facts
from scorer.grounds import Grounds, of_window
from scorer.verdict import Measure


def failed_requests(facts: Facts) -> Measure:
    """Requests that failed, and at most those that were due and never sent besides. Raises LookupError."""
    counts, unseen = facts.counted(), facts.unseen
    n, bad, sent = counts.total, counts.failed, counts.sent
    unsent = counts.unsent + unseen.missing
    return Measure(
        name="failed-requests",
        value=bad if n else None,
        low=bad - facts.spare(),
        high=bad + counts.unsent + unseen.unknown if n else None,
        unit="requests",
        n=n,
        method="count; arrivals that were never sent, or left no row, are counted as failed in the upper bound",
        evidence=(f"{bad} of {sent} sent requests failed, {unsent} were never sent", *unseen.evidence)
        if n
        else ("no request was due in the window",),
    )


def failed_grounds(facts: Facts) -> Grounds:
    """What the count rests on. Raises LookupError."""
    spare = facts.spare()
    figures = (f"of those that failed an open workload would not have sent {spare:,}, at most",) if spare else ()
    return Grounds(of_window(facts), figures=figures)
