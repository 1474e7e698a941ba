"""What users who wait for answers leave out: the coordinated omission of a closed workload.

An open workload would have gone on at the baseline's rate. What a closed one sent less than that, nobody knows how it
would have fared; what it sent more, an open one would not have sent. `docs/measurement.md` derives both.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from scorer.requests import Ints, Requests
from scorer.schedule import Floats
from scorer.span import Span

CONFIDENCE = 0.95
"""That of each bound of the baseline's rate."""
_CELL_S, _CELL_ARRIVALS = 1.0, 100.0


@dataclass(frozen=True, eq=False)
class Omission:
    """The window in cells, and the sent requests that started in each.

    A cell is as long as it takes for 100 requests, a second at least: shorter ones would take each chance variation
    for an omission, longer ones let a fast stretch hide a stall. A silence longer than `natural_s` is a cell by itself.
    `least_per_s` and `per_s` bound the rate of an open workload.
    """

    edges_ns: Ints
    counts: Ints
    least_per_s: float
    per_s: float
    natural_s: float

    @cached_property
    def omitted(self) -> int:
        """At most so many arrivals of an open workload were not sent."""
        return int(np.ceil(np.maximum(0.0, self._expected(self.per_s) - self.counts).sum()))

    @cached_property
    def surplus(self) -> int:
        """At least so many requests were sent that an open workload would not have sent."""
        return int(np.maximum(0.0, self.counts - self._expected(self.per_s)).sum())

    def beyond(self, starts_ns: Ints) -> int:
        """At most so many of these, which were sent in the window, an open workload would not have sent."""
        here = _counts(starts_ns, self.edges_ns)
        spare: Floats = np.maximum(0.0, self.counts - self._expected(self.least_per_s))
        return int(np.ceil(np.minimum(here, spare).sum()))

    def _expected(self, per_s: float) -> Floats:
        return np.diff(self.edges_ns) / 1e9 * per_s

    def pace(self, requests: Requests) -> Pace:
        """How fast each user would have gone on, by how many of these requests waited at once."""
        starts, dones = np.sort(requests.start_ns), np.sort(requests.done_ns)
        waiting = np.arange(1, len(starts) + 1) - np.searchsorted(dones, starts)
        return Pace(self.per_s, int(waiting.max(initial=1)))


@dataclass(frozen=True, slots=True)
class Pace:
    """The rate of all users, in arrivals a second, and how many waited at once at most."""

    per_s: float
    waiting: int

    def of(self, bad: Requests) -> Ints:
        """How many arrivals each bad request stands for: for all that its user would have sent while it waited.

        As many users as ever waited at once share the rate, or more do, so that each has so much of it at most.
        """
        waited_s = (bad.done_ns - bad.start_ns) / 1e9
        return np.maximum(1, np.ceil(waited_s * self.per_s / self.waiting)).astype(np.int64)


def omission(requests: Requests, baseline: Span, window: Span) -> Omission:
    """What was left out in a window. Raises LookupError where nothing was sent in the baseline, or the window is empty.

    The bounds of the baseline's rate are those of a Poisson count: users who wait send more evenly than that.
    """
    from scipy.special import gammaincinv

    starts = np.sort(requests.start_ns[requests.sent])
    before = starts[(starts >= baseline.start_ns) & (starts < baseline.end_ns)]
    if not len(before) or window.seconds <= 0:
        raise LookupError("no request was sent in a baseline whose rate an open workload would have kept")
    least_per_s = float(gammaincinv(len(before), 1 - CONFIDENCE)) / baseline.seconds
    per_s = float(gammaincinv(len(before) + 1, CONFIDENCE)) / baseline.seconds
    # Of so many gaps of a Poisson process one is longer in 1 of 16,000 runs. Users who move in step fall silent for
    # longer: they show the moments at which they ask, and nobody knows what lies between.
    natural_s = float(np.log(16_000 * max(1.0, per_s * window.seconds))) / per_s
    within = starts[(starts >= window.start_ns) & (starts < window.end_ns)]
    cells = max(1, int(window.seconds / max(_CELL_S, _CELL_ARRIVALS / per_s)))
    regular = np.linspace(window.start_ns, window.end_ns, cells + 1).astype(np.int64)
    marks = np.concatenate([[window.start_ns], within, [window.end_ns]])
    silent = np.flatnonzero(np.diff(marks) > natural_s * 1e9)
    # A silence ends with the request that breaks it and begins just after the last one before it.
    edges = np.unique(np.concatenate([regular, np.minimum(marks[silent] + 1, window.end_ns), marks[silent + 1]]))
    return Omission(edges, _counts(within, edges), least_per_s, per_s, natural_s)


def _counts(starts_ns: Ints, edges_ns: Ints) -> Ints:
    return np.diff(np.searchsorted(np.sort(starts_ns), edges_ns)).astype(np.int64)
