"""Arrivals of the window that left no row: lost on their way to the record, or never sent by users who waited.

Nobody knows how they would have fared, so that every lower bound takes them for good and every upper bound for bad.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scorer.omission import Omission, omission
from scorer.requests import Ints
from scorer.schedule import Schedule, schedule_of
from scorer.span import Span

if TYPE_CHECKING:
    from scorer.facts import Facts


@dataclass(frozen=True, eq=False)
class Unseen:
    """What the record of the window doesn't hold.

    `missing` are arrivals that were due and left no row. `omission` is what users who wait left out; None for an open
    load whose schedule and scheduled times were recorded: it leaves out nothing.
    """

    missing: int = 0
    omission: Omission | None = None

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


def unseen(facts: Facts) -> Unseen:
    """What the record of a drill's window doesn't hold. Raises LookupError where that cannot be known."""
    window, load = facts.window, facts.manifest.load
    if window is None or load is None:
        return NOTHING
    astray, lost = _astray(facts, window) + load.unreadable, 0
    if load.model == "open" and "schedule" not in load.lacks:
        with suppress(LookupError):  # validity says why
            lost = _lost(facts, schedule_of(load, facts.manifest.clock_wall_ns), window)
        if "scheduled-time" not in load.lacks:
            return Unseen(astray + lost)
    baseline = facts.before_fault
    if baseline is None:
        raise LookupError("no baseline was recorded whose rate an open workload would have kept")
    left_out = omission(facts.requests, baseline, window)
    # What was lost by the schedule is missing from the baseline's rate as well: it is counted once.
    return Unseen(astray + max(0, lost - left_out.omitted), left_out)


def _astray(facts: Facts, window: Span) -> int:
    """Failed requests just outside of the window that may belong to it, by what is uncertain of their times."""
    load = facts.manifest.load
    if load is not None and "clock" in load.lacks:  # any failure there is may have been in the window
        failed = facts.requests.where(facts.requests.sent & ~facts.requests.ok)
        outside = (failed.done_ns < window.start_ns) | (failed.scheduled_ns >= window.end_ns)
        return int(np.count_nonzero(outside))
    before_ns = facts.clock_uncertainty_ns
    after_ns = before_ns + facts.failed_early_ns
    if not after_ns:
        return 0
    failed = facts.requests.where(facts.requests.sent & ~facts.requests.ok)
    before = (failed.done_ns >= window.start_ns - before_ns) & (failed.done_ns < window.start_ns)
    after = (failed.scheduled_ns >= window.end_ns) & (failed.scheduled_ns < window.end_ns + after_ns)
    return int(np.count_nonzero(before | after))


def _lost(facts: Facts, schedule: Schedule, window: Span) -> int:
    load = facts.manifest.load
    assert load is not None  # it has a schedule
    dues = facts.requests.due_within(window.start_ns, window.end_ns).scheduled_ns
    if schedule.spacing == "uniform":
        astray = len(load.workers) if facts.clock_uncertainty_ns else 1
        by_schedule = schedule.lost(dues, window.start_ns, window.end_ns, astray)
    else:
        lost = facts.lost_workers.values()
        by_schedule = sum(_lost_with(facts, schedule, window, dues, last_ns) for last_ns in lost)
    return max(by_schedule, _gone_astray(facts))


def _gone_astray(facts: Facts) -> int:
    """How many rows of the whole run are missing by their workers' own counts. Nobody knows when they were due."""
    held = facts.workers
    return sum(max(0, count - (held[name].count if name in held else 0)) for name, count in facts.samples.rows.items())


def _lost_with(facts: Facts, schedule: Schedule, window: Span, dues: Ints, last_ns: int) -> int:
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
    holes = every + 4 * np.sqrt(every) - np.count_nonzero(dues >= from_ns)
    return max(0, int(np.ceil(min(share + 4 * np.sqrt(share), holes))))
