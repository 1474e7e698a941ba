"""What a verdict needs of the requests, so that they are read once for all of it; twice where few batches don't show
where the percentiles lie.

A measure that asks for more than is named here is as right, and reads them again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bundle.errors import BundleError
from scorer import alerts, generator, latency, load_rate, ranked, stepped, unseen
from scorer.facts import Facts
from scorer.near import glance
from scorer.piece import Piece
from scorer.ranked import Cells
from scorer.recovery import following
from scorer.tally import Record, Tally, limits_of
from scorer.targets import Targets
from scorer.validity import before


def read(facts: Facts, targets: Targets) -> None:
    """Gather all of it in few passes. Raises BundleError where the requests are damaged."""
    try:
        if facts.window is not None:
            facts.near.extend(glance(facts.source, facts.cut))
        facts.gather(pieces(facts, targets))
        if facts.window is not None:
            latencies = latency.ranks(facts, targets.validity.confidence)
            ranked.read(facts, facts.cut, {"latency": latencies, "lateness": generator.ranks(facts)})
    except BundleError:
        raise
    except Exception:  # what a damaged bundle provokes here every check and measure meets itself, and says
        _ = facts.recorded


def pieces(facts: Facts, targets: Targets) -> Iterator[Piece[Any]]:
    """What is gathered for the validity checks, the budget, the alerts, and the measures of nearly every drill."""
    limits = limits_of(targets.slos.values())
    yield Record(facts.latest_done_ns)
    yield from load_rate.needs(facts, targets)
    yield from unseen.needs(facts)
    yield from alerts.needs(facts, targets)
    yield from stepped.needs(facts)
    baseline = before(facts)
    if baseline is not None:
        yield Tally(baseline, limits)
    if facts.window is not None:
        yield from (Tally(facts.cut), Tally(facts.cut, limits))
        yield from facts.near or (Cells(facts.cut, "latency"), Cells(facts.cut, "lateness"))
    if facts.fault is not None and not unseen.waited(facts):  # else the baseline must be known first
        yield following(facts, targets)
