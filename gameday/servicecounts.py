"""From the counters of many pods to what the service did, second by second. Pure.

A counter starts at 0 with its process and only rises. What it rose by between two scrapes happened between them; a
value that is lower than the last one belongs to a new process. A pod's requests after its last scrape are nowhere
counted, and those before its first came at any time since it began.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from gameday.prometheus import Series

SECOND_NS = 1_000_000_000
Counts = dict[int, float]
"""How much a sum of counters rose, by the end of the second in which that was scraped, UTC nanoseconds."""


@dataclass(frozen=True, slots=True)
class Rise:
    """When a counter was seen to have risen, UTC nanoseconds, and by how much. `new`: it is its first sample."""

    at_ns: int
    risen: float
    new: bool = False


def rises(series: Series, known_ns: int) -> Iterator[Rise]:
    """The rises of a counter.

    known_ns: a counter whose first sample is later began after that, at 0; of one that was there before, nobody knows
    when it rose to its first sample.
    """
    for at_ns, value in series.samples[:1]:
        if at_ns > known_ns and value > 0:
            yield Rise(at_ns, value, new=True)
    for (_, before), (at_ns, now) in pairwise(series.samples):
        risen = now - before if now >= before else now
        if risen > 0:
            yield Rise(at_ns, risen)


def by_second(group: Iterable[Series], known_ns: int, *, new: bool = False) -> Counts:
    """The rises of several counters together; new: those to their first samples, else all others."""
    counts: defaultdict[int, float] = defaultdict(float)
    for series in group:
        for rise in rises(series, known_ns):
            if rise.new is new:
                counts[-(-rise.at_ns // SECOND_NS) * SECOND_NS] += rise.risen
    return dict(counts)


def widest_gap_ns(group: Iterable[Series], since_ns: int) -> int:
    """How far apart two samples of one series lie at the most, where the later one is not before `since_ns`."""
    return max(
        (
            later - earlier
            for series in group
            for (earlier, _), (later, _) in pairwise(series.samples)
            if later >= since_ns
        ),
        default=0,
    )


@dataclass(frozen=True)
class Gone:
    """Targets that fell silent: how many, and how many requests they may have served after their last scrapes, if each
    was as busy then as between its busiest two scrapes."""

    targets: int
    unscraped: float


def gone(group: Iterable[Series], since_ns: int, until_ns: int) -> Gone:
    """The targets that had their last sample between the two times, and none since."""
    targets: defaultdict[str, list[Series]] = defaultdict(list)
    for series in group:
        if series.samples:
            targets[series.labels.get("instance", "")].append(series)
    silent = [own for own in targets.values() if since_ns <= max(series.samples[-1][0] for series in own) < until_ns]
    return Gone(len(silent), sum(map(_busiest, silent)))


def _busiest(own: Iterable[Series]) -> float:
    """The most that one target's counters rose between two scrapes, which all of them share."""
    at: defaultdict[int, float] = defaultdict(float)
    for series in own:
        for rise in rises(series, known_ns=0):
            if not rise.new:
                at[rise.at_ns] += rise.risen
    return max(at.values(), default=0.0)
