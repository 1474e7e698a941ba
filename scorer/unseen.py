"""Arrivals of the window that left no row: lost on their way to the record, or never sent by users who waited.

Nobody knows how they would have fared, so that every lower bound takes them for good and every upper bound for bad.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from scorer.batch import Cut
from scorer.omission import Omission, omission
from scorer.requests import Ints
from scorer.schedule import Schedule, schedule_of
from scorer.span import Span
from scorer.tally import Tally

if TYPE_CHECKING:
    from scorer.facts import Facts


@dataclass(frozen=True, eq=False)
class Unseen:
    """What the record of the window doesn't hold.

    `missing` are arrivals that were due and left no row. `holes` are those of them that the record lost, where nobody
    saw what went on; not those that a worker took with it that died, whose share the others had as well at any time.
    `omission` is what users who wait left out; None for an open load whose schedule and scheduled times were recorded:
    it leaves out nothing.
    """

    missing: int = 0
    omission: Omission | None = None
    holes: int = 0

    @property
    def unknown(self) -> int:
        """At most so many arrivals of an open workload left no row."""
        return self.missing + self.omitted

    @property
    def omitted(self) -> int:
        """Those that were never sent because users waited, at most."""
        return 0 if self.omission is None else self.omission.omitted

    @property
    def surplus(self) -> int:
        """Requests in the window that an open workload would not have sent, at least."""
        return 0 if self.omission is None else self.omission.surplus

    def beyond(self, starts_ns: Ints) -> int:
        """Of the requests sent at these times those that an open workload would not have sent, at most."""
        return 0 if self.omission is None else self.omission.beyond(starts_ns)

    @property
    def evidence(self) -> tuple[str, ...]:
        """A line about what users who wait left out, where there are any."""
        if self.omission is None:
            return ()
        return (
            f"at the baseline's rate, {self.omission.per_s:.4g} requests/s at most, an open workload would have sent "
            f"up to {self.omitted} more",
        )


NOTHING = Unseen()
"""Where every arrival left its row."""


def waited(facts: Facts) -> bool:
    """Whether the load may have left out what an open workload would have sent."""
    load = facts.manifest.load
    if facts.window is None or load is None:
        return False
    return load.model != "open" or "schedule" in load.lacks or "scheduled-time" in load.lacks


def unseen(facts: Facts) -> Unseen:
    """What the record of a drill's window doesn't hold. Raises LookupError where that cannot be known."""
    window, load = facts.window, facts.manifest.load
    if window is None or load is None:
        return NOTHING
    astray, lost = _astray(facts, window) + load.unreadable, _gone_astray(facts)
    holes = lost + load.unreadable
    if load.model == "open" and "schedule" not in load.lacks:
        with suppress(LookupError):  # validity says why
            lost = max(lost, _lost(facts, schedule_of(load, facts.manifest.clock_wall_ns), window))
        if not facts.lost_workers:
            holes = lost + load.unreadable
    if not waited(facts):
        return Unseen(astray + lost, holes=holes)
    baseline = facts.before_fault
    if baseline is None:
        raise LookupError("no baseline was recorded whose rate an open workload would have kept")
    left_out = omission(facts.requests, baseline, window)
    # What was lost by the schedule is missing from the baseline's rate as well: it is counted once.
    return Unseen(astray + max(0, lost - left_out.omitted), left_out, holes)


def _astray(facts: Facts, window: Span) -> int:
    """Failed requests just outside of the window that may belong to it, by what is uncertain of their times."""
    return sum(facts.of(piece).failed for piece in edges(facts, window))


def edges(facts: Facts, window: Span) -> tuple[Tally, ...]:
    """What counts the requests outside of the window that may belong to it if they failed."""
    load = facts.manifest.load
    before_ns = facts.clock_uncertainty_ns
    after_ns = before_ns + facts.failed_early_ns
    before, after = Cut(done_before_ns=window.start_ns), Cut(due_from_ns=window.end_ns, done_from_ns=window.start_ns)
    if load is None or "clock" not in load.lacks:  # else any failure there is may have been in the window
        if not after_ns:
            return ()
        before = replace(before, done_from_ns=window.start_ns - before_ns)
        after = replace(after, due_before_ns=window.end_ns + after_ns)
    return Tally(before), Tally(after)


def _lost(facts: Facts, schedule: Schedule, window: Span) -> int:
    load = facts.manifest.load
    assert load is not None  # it has a schedule
    if schedule.spacing == "uniform":
        astray = len(load.workers) if facts.clock_uncertainty_ns else 1
        return schedule.lost(due(facts, window), window.start_ns, window.end_ns, astray)
    return sum(_lost_with(facts, schedule, window, last_ns) for last_ns in facts.lost_workers.values())


def needs(facts: Facts) -> tuple[Tally, ...]:
    """What is gathered of the requests for this."""
    window = facts.window
    return () if window is None else (*edges(facts, window), Tally(Cut.due_within(window)))


def due(facts: Facts, span: Span) -> int:
    """How many arrivals are recorded as due in a span."""
    return facts.of(Tally(Cut.due_within(span))).total


def _gone_astray(facts: Facts) -> int:
    """How many rows of the whole run are missing by their workers' own counts. Nobody knows when they were due."""
    held = facts.workers
    return sum(max(0, count - (held[name].count if name in held else 0)) for name, count in facts.samples.rows.items())


def _lost_with(facts: Facts, schedule: Schedule, window: Span, last_ns: int) -> int:
    """At most so many arrivals went with a worker whose last row was due then.

    Answers that it still waited for are lost as well, so that its rows may have holes as long as a time-out.
    """
    load = facts.manifest.load
    assert load is not None  # it has a schedule
    from_ns = max(window.start_ns, last_ns - round((load.timeout_s or 0.0) * 1e9))
    if from_ns >= window.end_ns:
        return 0
    every = schedule.expected(from_ns, window.end_ns)
    share = every / max(1, len(load.workers))
    holes = every + 4 * np.sqrt(every) - due(facts, Span(from_ns, window.end_ns))
    return max(0, int(np.ceil(min(share + 4 * np.sqrt(share), holes))))
