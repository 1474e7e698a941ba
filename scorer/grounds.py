"""What a measure or a check rests on: rows of each kind, with the first and the last of them, and timeline entries.

Handed out by functions beside the measures, from the same masks, so that an explanation can't tell another story.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bundle.timeline import Entry
from scorer.facts import Facts
from scorer.requests import Flags, Ints, Requests


@dataclass(frozen=True)
class Kind:
    """`count` rows of one kind, which `says` names. `first` and `last`, by when they were sent, hold a row each, or
    none: where there is none of that kind, or where it is known only how many left no row."""

    says: str
    count: int
    first: Requests | None = None
    last: Requests | None = None


@dataclass(frozen=True)
class Grounds:
    """The rows and the entries that went into a figure, and what else did, a line each."""

    kinds: tuple[Kind, ...] = ()
    entries: tuple[Entry, ...] = ()
    figures: tuple[str, ...] = ()


def kind(says: str, requests: Requests, rows: Flags | Ints | None = None) -> Kind:
    """The requests that a mask or an index array selects, all without one. Their order makes no difference."""
    chosen = requests if rows is None else requests.where(rows)
    if not len(chosen):
        return Kind(says, 0)
    return Kind(
        says, len(chosen), _at(chosen, int(chosen.start_ns.min()), 0), _at(chosen, int(chosen.start_ns.max()), -1)
    )


def one(says: str, requests: Requests, index: int | None) -> Kind:
    """The single request at an index as a kind; None: there is none."""
    return kind(says, requests, np.array([] if index is None else [index], dtype=np.int64))


def of_window(facts: Facts) -> tuple[Kind, ...]:
    """The arrivals of the window by how they came out. Raises LookupError where there is no window."""
    judged, unseen = facts.judged, facts.unseen
    kinds = (
        kind("failed", judged, judged.sent & ~judged.ok),
        kind("answered well", judged, judged.sent & judged.ok),
        kind("due that were never sent", judged, ~judged.sent),
        Kind("due that left no row, at most", unseen.missing),
    )
    if unseen.omission is None:
        return kinds
    return (
        *kinds,
        Kind("that an open workload would have sent and this load didn't, at most", unseen.omitted),
        Kind("that an open workload would not have sent, at least", unseen.surplus),
    )


def _at(requests: Requests, start_ns: int, place: int) -> Requests:
    """The first (0) or last (-1) of the requests sent at a time."""
    ties = requests.where(requests.start_ns == start_ns)
    order = np.lexsort((ties.ok, ties.latency_ns, ties.scheduled_ns))
    return ties.where(order[[place]])
