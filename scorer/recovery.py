"""Recovery as users see it: from the fault until every SLI is, and stays, within its SLO.

`docs/measurement.md` derives the interval. In short: the service was bad when the last bad request was under way, and
good when a request was answered after which an outage that hits requests as this one did would have hit another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from scorer.batch import Batch, Cut
from scorer.facts import Facts
from scorer.grounds import Grounds, kind, one
from scorer.intervals import Interval, few_chance, reach, tidy, trials_needed
from scorer.omission import Omission, Pace
from scorer.requests import Flags, Ints
from scorer.stages import Milestone, fault_milestones, stages
from scorer.stretch import Following, Stretch, bad_requests
from scorer.targets import Targets
from scorer.trail import Done, Trail
from scorer.unseen import waited
from scorer.verdict import Measure, Stage

_LAST_HITS, _FEW_HITS = 25, 6
"""The outage's end is bounded by its last 25 bad requests; where it let others through meanwhile also by its last 6 and
fewer, lest it thinned out before it ended."""
_THINNED = 0.02
"""An outage thinned out where one of the same probability throughout would end in so few bad requests this rarely."""


def recovery_user(facts: Facts, targets: Targets) -> Measure:
    """Seconds from the fault to users' recovery. Raises LookupError where no fault was recorded."""
    trail, stretch, silent_s = _followed(facts, targets)
    fault = facts.fault
    assert fault is not None  # _followed would have raised
    confidence = targets.validity.confidence
    method = (
        f"first good stretch of at least {targets.recovery.hold_s:g} s that lasts to the end of the recording; "
        f"its start bounded from the last bad requests at {100 * confidence:g} %"
    )

    def measured(
        value: float | None, low: float, high: float, evidence: tuple[str, ...], path: tuple[Stage, ...] = ()
    ) -> Measure:
        return Measure(
            name="recovery-user",
            value=None if value is None else tidy(value),
            low=tidy(low),
            high=tidy(high),
            unit="s",
            n=stretch.total,
            method=method,
            evidence=evidence,
            stages=path,
        )

    if stretch.broken_by is None and stretch.held:
        high, evidence = _never_bad(facts, targets, trail, stretch)
        return measured(0.0, 0.0, high, evidence)
    shown = None if stretch.broken_by is None else stretch.broken_by.shown
    unsure_ns = facts.clock_uncertainty_ns + facts.failed_early_ns
    low_s = 0.0 if shown is None else max(0.0, float(shown.start_ns) - fault.high - unsure_ns) / 1e9
    if not stretch.held:
        watched = (facts.ended_ns - fault.low) / 1e9
        return measured(
            None,
            low_s,
            float("inf"),
            (
                f"users had not recovered for {targets.recovery.hold_s:g} s when the recording ended, "
                f"{watched:.1f} s after the fault"
                + (f": nobody had sent anything for {silent_s:.1f} s" if silent_s else ""),
            ),
        )
    assert stretch.broken_by is not None  # what was never broken and is held was dealt with above
    end = Interval(float(stretch.broken_by.start_ns), _answered_ns(trail.first_good(stretch.first)))
    latest, evidence = end_of_outage(trail, stretch, targets, facts.unseen.missing)
    good = Milestone("traffic good", end)
    value = (max(fault.low, (end.low + end.high) / 2) - (fault.low + fault.high) / 2) / 1e9
    high_s = (_answered_ns(latest) - fault.low + facts.clock_uncertainty_ns) / 1e9
    flaps = (f"flaps: {stretch.flaps}",) if stretch.flaps else ()
    return measured(
        max(value, low_s),
        low_s,
        high_s,
        (*evidence, *flaps),
        stages(fault, (*_before(fault_milestones(facts), end.high), good)),
    )


def recovery_grounds(facts: Facts, targets: Targets) -> Grounds:
    """The requests that users' recovery and its bounds rest on. Raises LookupError where no fault was recorded."""
    trail, stretch, _ = _followed(facts, targets)
    requests, broken = Batch(facts.requests).cut(trail.cut), stretch.broken_by
    kinds = [
        kind("sent, and under way at the fault or sent after it", requests),
        *(kind(f"bad for {slo.title}", requests, bad_requests(requests, slo)) for slo in targets.slos.values()),
    ]
    if broken is None:
        if stretch.held and (last := _needed(facts, targets, trail)[1]) is not None:
            kinds.append(one("by whose end an outage would have shown: upper bound", requests, last.index))
        return Grounds(tuple(kinds))
    shown, good = broken.shown, trail.first_good(stretch.first)
    kinds += [
        one(f"that put {broken.slo.title} out of its SLO for the last time", requests, broken.index),
        one("bad, the last one close upon another: lower bound", requests, None if shown is None else shown.index),
        one("good, answered first after the last break", requests, None if good is None else good.index),
    ]
    if stretch.held:
        latest, _ = end_of_outage(trail, stretch, targets, facts.unseen.missing)
        says = "good, by whose answer the outage was over: upper bound"
        kinds.append(one(says, requests, None if latest is None else latest.index))
    return Grounds(tuple(kinds), figures=(f"good stretches that were broken again: {stretch.flaps}",))


def following(facts: Facts, targets: Targets) -> Following:
    """The piece that follows recovery. Raises LookupError where no fault was recorded."""
    if facts.fault is None:
        raise LookupError("no fault was recorded to recover from")
    confidence, slos = targets.validity.confidence, tuple(targets.slos.values())
    # Tolerated bad requests lie apart: at the tolerated share, the chance that one follows within `near` requests of
    # the one before it is a third of 1 - confidence: several may come after the outage, and one is enough to err.
    near = (max(1, int(np.log1p(-(1 - confidence) / 3) / np.log1p(-slo.tolerated))) for slo in slos)
    hold_ns = round(targets.recovery.hold_s * 1e9)
    asked = Following(int(facts.fault.low), facts.ended_ns, slos, tuple(near), hold_ns)
    pace = _pace(facts, asked.cut)
    return asked if pace is None else replace(asked, pace=pace)


def _pace(facts: Facts, cut: Cut) -> Pace | None:
    omission = facts.unseen.omission if waited(facts) else None
    return None if omission is None else omission.pace(Batch(facts.requests).cut(cut))


def _followed(facts: Facts, targets: Targets) -> tuple[Trail, Stretch, float]:
    """The requests from the fault on, their good stretch, and the silence in seconds that ended it. Raises
    LookupError."""
    asked = following(facts, targets)
    stretch = facts.of(asked)
    omission = facts.unseen.omission
    silent_s = 0.0 if omission is None else _silence_at_the_end_s(facts, targets, stretch, omission)
    trail = Trail(facts.source, asked.cut, stretch.sizes)
    return trail, replace(stretch, held=False) if silent_s else stretch, silent_s


def _silence_at_the_end_s(facts: Facts, targets: Targets, stretch: Stretch, omission: Omission) -> float:
    """How long nobody had sent anything when the recording ended, where all may have waited for an answer; else 0."""
    limit_s = max(targets.validity.observer_gap_s, min(targets.recovery.hold_s, omission.natural_s))
    last_ns = facts.ended_ns if stretch.last_start_ns is None else stretch.last_start_ns
    silent_s = (facts.ended_ns - last_ns) / 1e9
    return silent_s if silent_s > limit_s else 0.0


def _answered_ns(done: Done | None) -> float:
    """When a request was answered; infinite for None."""
    return float("inf") if done is None else float(done.done_ns)


def _never_bad(facts: Facts, targets: Targets, trail: Trail, stretch: Stretch) -> tuple[float, tuple[str, ...]]:
    """By when an outage that breaks the strictest SLO would have shown itself, in seconds from the fault."""
    needs, last = _needed(facts, targets, trail)
    fault, strictest = facts.fault, list(targets.slos.values()).index(targets.strictest)
    assert fault is not None
    bad = stretch.bad_arrivals[strictest] + facts.unseen.missing
    clean = "no request was bad" if not bad else f"{bad} bad requests are within every SLO"
    if last is None:
        return float("inf"), (
            f"{clean}, but it needs {needs} requests after the fault to exclude an outage, has {stretch.total}",
        )
    latest = (float(last.done_ns) - fault.low + facts.clock_uncertainty_ns) / 1e9
    return latest, (
        f"{clean}; an outage of more than {100 * targets.strictest.tolerated:g} % would have shown in the first "
        f"{needs} requests after the fault, which took {latest:.2f} s",
    )


def _needed(facts: Facts, targets: Targets, trail: Trail) -> tuple[int, Done | None]:
    """How many requests after the fault exclude an outage that breaks the strictest SLO, and which of them was done
    last; None where there are not so many."""
    pace = _pace(facts, trail.cut)
    return trail.needed(targets.strictest, facts.unseen.missing, targets.validity.confidence, pace)


def end_of_outage(
    trail: Trail, stretch: Stretch, targets: Targets, missing: int
) -> tuple[Done | None, tuple[str, ...]]:
    """The request by whose answer the outage had ended, None where none shows that; and how it was found.

    missing: how many requests left no row. They may all have been bad, and due as late as they could still put the SLI
    out of its SLO: while they and the bad ones of the stretch are more than it tolerates.
    """
    broken, miss = stretch.broken_by, 1 - targets.validity.confidence
    assert broken is not None
    slo, hits = broken.slo, broken.hits
    # Four fifths of the chance to err go to an outage like its last bad requests, one fifth to one so thin that only
    # the SLO's own share bounds it.
    let_through = trail.let_through(hits[-_LAST_HITS - _FEW_HITS :])
    lasts = {_LAST_HITS}
    if let_through[-_LAST_HITS + 1 :].any():
        lasts |= {_FEW_HITS, *_thin_ends(hits), *_soft_ends(let_through)}
    unseen = max(_unseen(hits, last, 0.8 * miss) for last in lasts)
    unseen = min(unseen, trials_needed(0, slo.tolerated, 1 - 0.2 * miss))
    after = broken.index + 1
    if missing:
        number = list(targets.slos.values()).index(slo)
        bad = missing + stretch.bad[number] - broken.total_hits
        after += max(0, int(np.ceil(bad / slo.tolerated)) - missing)
    latest = trail.first_good(after + unseen)
    says = f"bad requests for {slo.title}: {broken.total_hits}; the outage may have gone on unseen for {unseen} more"
    if latest is None:
        return latest, (f"{says}, and only {stretch.total - broken.index - 1} followed the last bad one",)
    return latest, (says,)


def _soft_ends(let_through: Flags) -> Iterator[int]:
    """How many of the last hits, fewer than `_FEW_HITS`, came after a hard outage had let the first requests through.

    A hard outage lets none through; one that does is another from then on, however close its hits lie.
    """
    for last in range(1, min(_FEW_HITS, len(let_through))):
        if let_through[-last] and not let_through[max(0, len(let_through) - last - _LAST_HITS + 1) : -last].any():
            yield last


def _thin_ends(hits: Ints) -> Iterator[int]:
    """How many of the last hits, fewer than `_FEW_HITS`, are seen to lie further apart than those before.

    Were the outage of one probability, the places of the last hits and of the 25 before them would be any choice.
    """
    for last in range(1, min(_FEW_HITS, len(hits))):
        head = min(len(hits), last + _LAST_HITS)
        before = int(hits[-head - 1]) if len(hits) > head else -1
        thin = int(hits[-1] - hits[-last - 1])
        # The last place is a hit by definition; the others are chosen.
        if few_chance(last - 1, head - 1, int(hits[-1]) - before - 1, thin - 1) <= _THINNED:
            yield last


def _unseen(hits: Ints, last: int, miss: float) -> int:
    """How many requests an outage may have gone on for after the last of its hits, by its `last` hits."""
    before = int(hits[-last - 1]) if len(hits) > last else -1
    position = int(hits[-1]) - before
    return reach(min(last, len(hits)), position, miss) - position


def _before(milestones: tuple[Milestone, ...], end_ns: float) -> Iterator[Milestone]:
    """The milestones that users' recovery may have waited for: what came after it, it didn't wait for."""
    return (milestone for milestone in milestones if milestone.when.low <= end_ns)
