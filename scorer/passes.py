"""What a verdict needs of the requests, so that they are read twice for all of it: the second time to see closely what
the first has found.

A measure that asks for more than is named here is as right, and reads them again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bundle.errors import BundleError
from scorer import alerts, generator, latency, load_rate, stepped, unseen
from scorer.facts import Facts
from scorer.piece import Piece
from scorer.ranked import Cells
from scorer.recovery import following
from scorer.tally import Record, Tally, limits_of
from scorer.targets import Targets
from scorer.validity import before


def read(facts: Facts, targets: Targets) -> None:
    """Gather all of it in two passes. Raises BundleError where the requests are damaged."""
    try:
        facts.gather(pieces(facts, targets))
        if facts.window is not None:
            confidence = targets.validity.confidence
            facts.gather([latency.closer_look(facts, confidence), generator.closer_look(facts)])
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
        yield from (Cells(facts.cut, "latency"), Cells(facts.cut, "lateness"))
    if facts.fault is not None and not unseen.waited(facts):  # else the baseline must be known first
        yield following(facts, targets)
