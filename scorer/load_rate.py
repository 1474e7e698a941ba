"""Did the load keep its arrival rate? By its schedule, or by what can be said of users who wait for answers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from scorer.arrivals import Arrivals, Pauses
from scorer.batch import Cut
from scorer.facts import Facts
from scorer.grounds import Grounds, kind, one
from scorer.piece import Piece
from scorer.schedule import Schedule, schedule_of
from scorer.span import Span
from scorer.tally import Tally
from scorer.targets import Targets
from scorer.verdict import Says


def load_rate(facts: Facts, targets: Targets) -> Says:
    """Whether enough of what was due was sent, without a long silence, and no rows were lost."""
    load = facts.manifest.load
    if load is not None and (load.model == "closed" or "schedule" in load.lacks):
        return _without_schedule(facts, targets)
    try:
        schedule = schedule_of(load, facts.manifest.clock_wall_ns)
    except LookupError as problem:
        return False, str(problem)
    span = facts.under_load
    if span is None:
        return False, "no phase under load was recorded"
    came = facts.of(Arrivals(span, schedule, _least_natural(schedule, span), targets.validity.observer_gap_s))
    # One process can't send two at once. Other generators' times may be coarse, and users who were kept waiting for the
    # same thing may ask at once: of those it isn't asked.
    if twice := came.twice if load is not None and not load.lacks else 0:
        return False, f"{twice} requests are recorded twice"
    for name, count in sorted(facts.samples.rows.items()):
        if name in facts.workers and facts.workers[name].count > count:
            return (
                False,
                f"there are {facts.workers[name].count} rows of {name}, which by its own count recorded {count}",
            )
    gone = _gone_with_workers(facts, schedule, span)
    due = max(came.total + round(gone), schedule.at_least(span.start_ns, span.end_ns))
    if not came.sent or not due:
        return False, f"sent {came.sent} of {due} requests due in {span.seconds:.1f} s"
    most = math.ceil(schedule.at_most(span.start_ns, span.end_ns) / targets.validity.sent_over_due)
    if came.first > most:
        return (
            False,
            f"{came.first} arrivals are recorded, and the schedule has at most {most}: this load is another one",
        )
    natural = schedule.natural_gap(due)
    gap = _gap(came.undue, schedule, natural)
    if gap is not None:
        return False, f"no arrival is recorded as due for {gap[0]:.2f} s (at most {gap[1]:.3g} s at its rate)"
    silence_s, limit_s = _silence(came.silent, schedule, natural, targets.validity.observer_gap_s)
    ok = came.sent / due >= targets.validity.sent_over_due and silence_s <= limit_s
    return ok, (
        f"sent {came.sent} of {due} due ({100 * came.sent / due:.2f} %, at least "
        f"{100 * targets.validity.sent_over_due:g} %), longest silence {silence_s:.2f} s (at most "
        f"{limit_s:.3g} s){_names_lost(facts, gone)}"
    )


def load_grounds(facts: Facts) -> Grounds:
    """The arrivals under load, those on either side of the longest silence, and the workers that were lost."""
    span = facts.under_load
    if span is None:
        return Grounds()
    requests = facts.requests.due_within(span.start_ns, span.end_ns)
    sent = requests.where(requests.sent)
    sent = sent.where(np.lexsort((sent.ok, sent.latency_ns, sent.scheduled_ns, sent.start_ns)))
    silences_ns = np.diff(sent.start_ns)
    longest = int(np.argmax(silences_ns)) if len(silences_ns) else None
    return Grounds(
        (
            kind("sent from the baseline to the end of the window", sent),
            kind("due that were never sent", requests, ~requests.sent),
            one("sent last before the longest silence between two of them", sent, longest),
            one("sent first after that silence", sent, None if longest is None else longest + 1),
        ),
        entries=tuple(entry for entry in facts.timeline if entry.kind == "load" and entry.event == "worker-lost"),
    )


def needs(facts: Facts, targets: Targets) -> tuple[Piece[Any], ...]:
    """The pieces that the check will ask for."""
    load, span, baseline, window = facts.manifest.load, facts.under_load, facts.before_fault, facts.window
    if load is not None and (load.model == "closed" or "schedule" in load.lacks):
        return tuple(Tally(Cut.due_within(part)) for part in (baseline, window) if part is not None)
    try:
        schedule = schedule_of(load, facts.manifest.clock_wall_ns)
    except LookupError:
        return ()
    if span is None:
        return ()
    return (Arrivals(span, schedule, _least_natural(schedule, span), targets.validity.observer_gap_s),)


def _least_natural(schedule: Schedule, span: Span) -> float:
    """So long a gap is natural whatever turns out to have been due."""
    return schedule.natural_gap(max(1, schedule.at_least(span.start_ns, span.end_ns)))


def _gap(undue: Pauses, schedule: Schedule, natural: float) -> tuple[float, float] | None:
    """The worst gap in what is recorded as due that its rate doesn't explain, and what it would, in seconds."""
    gaps_s, expected = undue.seconds, undue.expected(schedule)
    beyond = np.flatnonzero((expected > natural * (1 + 1e-9)) & (gaps_s > schedule.coarse_s))
    if not len(beyond):
        return None
    longest = beyond[np.argmax(expected[beyond])]
    return float(gaps_s[longest]), max(schedule.coarse_s, float(gaps_s[longest] * natural / expected[longest]))


def _silence(silent: Pauses, schedule: Schedule, natural: float, gap_s: float) -> tuple[float, float]:
    """The silence that is longest for what was expected in it, and its limit, in seconds.

    At low rates arrivals lie apart by nature. Where nothing was expected for a while, nobody was silent.
    """
    silences_s, expected = silent.seconds, silent.expected(schedule)
    for long in np.flatnonzero((silences_s > gap_s) & (expected > natural)):
        silences_s[long] = schedule.busy_s(int(silent.from_ns[long]), int(silent.to_ns[long]))
    with np.errstate(divide="ignore", invalid="ignore"):
        limits_s = np.where(expected > 0, np.maximum(gap_s, silences_s * natural / expected), np.inf)
    limits_s = np.maximum(limits_s, schedule.coarse_s)
    worst = int(np.argmax(silences_s / limits_s))
    return float(silences_s[worst]), float(limits_s[worst])


def _gone_with_workers(facts: Facts, schedule: Schedule, span: Span) -> float:
    """How many arrivals were expected of lost workers after the last of each that was recorded."""
    load = facts.manifest.load
    shares = (
        schedule.expected(min(span.end_ns, max(span.start_ns, last_ns)), span.end_ns)
        for last_ns in facts.lost_workers.values()
    )
    return sum(shares) / max(1, len(load.workers) if load else 0)


def _names_lost(facts: Facts, gone: float) -> str:
    lost = sorted(facts.lost_workers)
    return f"; lost in the run: {', '.join(lost)}, and with it about {gone:.0f} arrivals" if lost else ""


def _without_schedule(facts: Facts, targets: Targets) -> Says:
    """Requests must have been sent before the fault and after it; what was left out widens the measures' bounds."""
    load, span, baseline, window = facts.manifest.load, facts.under_load, facts.before_fault, facts.window
    if span is None or baseline is None or window is None:
        return False, "no phase under load was recorded"
    sent = [facts.of(Tally(Cut.due_within(part))).sent for part in (baseline, window)]
    if not all(sent):
        return False, f"sent {sent[0]} requests before the fault and {sent[1]} from then on"
    gone = sum(max(0, span.end_ns - max(span.start_ns, last_ns)) for last_ns in facts.lost_workers.values())
    share = gone / 1e9 / span.seconds / max(1, len(load.workers) if load else 0)
    lost = sorted(facts.lost_workers)
    kind = "closed-loop" if load is not None and load.model == "closed" else "no schedule is recorded"
    return 1 - share >= targets.validity.sent_over_due, (
        f"{kind}: sent {sent[0]} requests in {baseline.seconds:.1f} s before the fault and {sent[1]} in "
        f"{window.seconds:.1f} s from then on; {facts.unseen.evidence[0]}"
        + (f"; lost in the run: {', '.join(lost)}, {100 * share:.2g} % of the load" if lost else "")
    )
