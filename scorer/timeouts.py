"""Time-outs in the window: the share of requests that got no answer for as long as the load's client waits."""

from __future__ import annotations

import numpy as np

from scorer.facts import Facts
from scorer.grounds import Grounds, kind
from scorer.intervals import clopper_pearson, tidy
from scorer.requests import Flags
from scorer.verdict import Measure

_EARLY_NS = 50_000_000
"""A request that failed this much before its time-out counts as one: timers differ in what they count from."""


def timeout_share(facts: Facts, confidence: float) -> Measure:
    """Per cent of requests that timed out. Raises LookupError where the client's time-out isn't known.

    Arrivals that were never sent, or left no row, count as good in the lower bound and as timed out in the upper.
    """
    judged, unseen = facts.judged, facts.unseen
    rows = _timed_out(facts)
    slow, sent = int(np.count_nonzero(rows)), len(judged) - judged.unsent
    n = len(judged) + unseen.unknown
    trials = max(0, n - unseen.surplus)
    most = min(trials, slow + judged.unsent + unseen.unknown)
    return Measure(
        name="timeout-share",
        value=tidy(100 * slow / sent) if sent else None,
        low=tidy(100 * clopper_pearson(slow - unseen.beyond(judged.start_ns[rows]), n, confidence).low),
        high=tidy(100 * clopper_pearson(most, trials, confidence).high),
        unit="%",
        n=len(judged),
        method=f"Clopper–Pearson, each bound at {100 * confidence:g} %; unsent arrivals bad in one, good in the other",
        evidence=(f"{slow} of {sent} sent requests failed after the time-out or later", *unseen.evidence)
        if sent
        else ("no request was sent in the window",),
    )


def timeout_grounds(facts: Facts) -> Grounds:
    """The requests that timed out, and the others that failed. Raises LookupError."""
    judged, rows = facts.judged, _timed_out(facts)
    return Grounds(
        (
            kind("timed out", judged, rows),
            kind("failed sooner", judged, judged.sent & ~judged.ok & ~rows),
            kind("answered well", judged, judged.sent & judged.ok),
        )
    )


def _timed_out(facts: Facts) -> Flags:
    load, judged = facts.manifest.load, facts.judged
    if load is None or load.timeout_s is None:
        raise LookupError("nobody recorded after how long a request times out")
    if "failed-start" in load.lacks:
        raise LookupError(
            "the record doesn't say when requests that got no connection were sent, nor so how long they took"
        )
    took_ns = judged.done_ns - judged.start_ns
    rows: Flags = judged.sent & ~judged.ok & (took_ns >= round(load.timeout_s * 1e9) - _EARLY_NS)
    return rows
