"""Recovery as users see it: from the fault until every SLI is, and stays, within its SLO.

`docs/measurement.md` derives the interval. In short: the service was bad when the last bad request was under way, and
good when a request was answered after which an outage that hits requests as this one did would have hit another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from scorer.facts import Facts
from scorer.grounds import Grounds, kind, one
from scorer.intervals import Interval, few_chance, reach, tidy, trials_needed
from scorer.omission import Omission
from scorer.requests import Flags, Ints, Requests
from scorer.stages import Milestone, fault_milestones, stages
from scorer.targets import Slo, Targets
from scorer.verdict import Measure, Stage

_LAST_HITS = (6, 25)
"""The outage's end is bounded by its last 25 bad requests, and by its last 6, lest it thinned out before it ended."""
_THINNED = 0.02
"""An outage thinned out where one of the same probability throughout would end in so few bad requests this rarely."""


@dataclass(frozen=True)
class Break:
    """The bad request, by index, that put an SLI out of its SLO for the last time, and the SLO."""

    index: int
    slo: Slo


@dataclass(frozen=True)
class Stretch:
    """Where the good stretch begins that lasts to the end of the recording, what broke the one before, how often one
    broke that had lasted a fifth of the hold time, and whether this one lasted the whole of it."""

    first: int
    broken_by: Break | None
    flaps: int
    held: bool


def good_stretch(requests: Requests, slos: tuple[Slo, ...], hold_ns: int, omission: Omission | None = None) -> Stretch:
    """Find the stretch in which every SLI, counted from its start, is within its SLO at every moment.

    `requests` in order of their start. Only bad requests can break a stretch, so only they are walked through. Where
    users wait for answers a bad one counts for all that its user left out meanwhile, by `omission`.
    """
    bad_by_slo = [bad_requests(requests, slo) for slo in slos]
    totals = [_arrivals(requests, bad, omission) for bad in bad_by_slo]
    start_ns = requests.start_ns
    first, broken_by, flaps, counts = 0, None, 0, [0] * len(slos)
    for index in np.flatnonzero(np.logical_or.reduce(bad_by_slo)).tolist():
        for number, (bad, slo) in enumerate(zip(bad_by_slo, slos, strict=True)):
            total = totals[number]
            counts[number] += int(total[index + 1] - total[index]) if bad[index] else 0
            if counts[number] > slo.tolerated * int(total[index + 1] - total[first]) * (1 + 1e-9):
                flaps += broken_by is not None and 5 * (start_ns[index] - start_ns[first]) >= hold_ns
                first, broken_by, counts = index + 1, Break(index, slo), [0] * len(slos)
                break
    held = first < len(requests) and int(start_ns[-1] - start_ns[first]) >= hold_ns
    return Stretch(first, broken_by, flaps, held)


def _arrivals(requests: Requests, bad: Flags, omission: Omission | None) -> Sequence[int] | Ints:
    """How many arrivals the first 0, 1, 2, … requests stand for."""
    if omission is None:
        return range(len(requests) + 1)
    return np.concatenate([[0], np.cumsum(omission.weights(requests, bad))])


def bad_requests(requests: Requests, slo: Slo) -> Flags:
    """Which requests an SLO counts as bad."""
    return ~requests.ok if slo.slow_ns is None else ~requests.ok | (requests.latency_ns > slo.slow_ns)


def recovery_user(facts: Facts, targets: Targets) -> Measure:
    """Seconds from the fault to users' recovery. Raises LookupError where no fault was recorded."""
    requests, stretch, silent_s = _followed(facts, targets)
    assert facts.fault is not None  # _followed would have raised
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
            n=len(requests),
            method=method,
            evidence=evidence,
            stages=path,
        )

    if stretch.broken_by is None and stretch.held:
        high, evidence = _never_bad(facts, targets, requests)
        return measured(0.0, 0.0, high, evidence)
    shown = _last_shown(requests, stretch, confidence)
    unsure_ns = facts.clock_uncertainty_ns + facts.failed_early_ns
    low_s = 0.0 if shown is None else max(0.0, float(requests.start_ns[shown]) - facts.fault.high - unsure_ns) / 1e9
    if not stretch.held:
        watched = (facts.ended_ns - facts.fault.low) / 1e9
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
    first_good_ns = _answered_ns(requests, _first_good(requests, stretch.first))
    end = Interval(float(requests.start_ns[stretch.broken_by.index]), first_good_ns)
    latest, evidence = _end_of_outage(requests, stretch, confidence, facts.unseen.missing)
    good = Milestone("traffic good", end)
    value = (max(facts.fault.low, (end.low + end.high) / 2) - (facts.fault.low + facts.fault.high) / 2) / 1e9
    high_s = (_answered_ns(requests, latest) - facts.fault.low + facts.clock_uncertainty_ns) / 1e9
    flaps = (f"flaps: {stretch.flaps}",) if stretch.flaps else ()
    return measured(
        max(value, low_s),
        low_s,
        high_s,
        (*evidence, *flaps),
        stages(facts.fault, (*_before(fault_milestones(facts), end.high), good)),
    )


def recovery_grounds(facts: Facts, targets: Targets) -> Grounds:
    """The requests that users' recovery and its bounds rest on. Raises LookupError where no fault was recorded."""
    requests, stretch, _ = _followed(facts, targets)
    confidence, broken = targets.validity.confidence, stretch.broken_by
    kinds = [
        kind("sent, and under way at the fault or sent after it", requests),
        *(kind(f"bad for {slo.title}", requests, bad_requests(requests, slo)) for slo in targets.slos.values()),
    ]
    if broken is None:
        if stretch.held and (needs := _needed(facts, targets, requests)[0]) <= len(requests):
            last = int(np.argmax(requests.done_ns[:needs]))
            kinds.append(one("by whose end an outage would have shown: upper bound", requests, last))
        return Grounds(tuple(kinds))
    kinds += [
        one(f"that put {broken.slo.title} out of its SLO for the last time", requests, broken.index),
        one("bad, the last one close upon another: lower bound", requests, _last_shown(requests, stretch, confidence)),
        one("good, answered first after the last break", requests, _first_good(requests, stretch.first)),
    ]
    if stretch.held:
        latest, _ = _end_of_outage(requests, stretch, confidence, facts.unseen.missing)
        kinds.append(one("good, by whose answer the outage was over: upper bound", requests, latest))
    return Grounds(tuple(kinds), figures=(f"good stretches that were broken again: {stretch.flaps}",))


def _followed(facts: Facts, targets: Targets) -> tuple[Requests, Stretch, float]:
    """The requests from the fault on, their good stretch, and the silence in seconds that ended it. Raises
    LookupError."""
    if facts.fault is None:
        raise LookupError("no fault was recorded to recover from")
    requests = _since(facts, int(facts.fault.low))
    hold_ns = round(targets.recovery.hold_s * 1e9)
    omission = facts.unseen.omission
    stretch = good_stretch(requests, tuple(targets.slos.values()), hold_ns, omission)
    silent_s = 0.0 if omission is None else _silence_at_the_end_s(facts, targets, requests, omission)
    return requests, replace(stretch, held=False) if silent_s else stretch, silent_s


def _silence_at_the_end_s(facts: Facts, targets: Targets, requests: Requests, omission: Omission) -> float:
    """How long nobody had sent anything when the recording ended, where all may have waited for an answer; else 0."""
    limit_s = max(targets.validity.observer_gap_s, min(targets.recovery.hold_s, omission.natural_s))
    silent_s = (facts.ended_ns - int(requests.start_ns[-1] if len(requests) else facts.ended_ns)) / 1e9
    return silent_s if silent_s > limit_s else 0.0


def _since(facts: Facts, fault_ns: int) -> Requests:
    """The sent requests that were under way at the fault or came after it, in order of their start."""
    every = facts.requests
    requests = every.where(every.sent & (every.done_ns >= fault_ns) & (every.scheduled_ns < facts.ended_ns))
    return requests.where(np.lexsort((requests.ok, requests.latency_ns, requests.scheduled_ns, requests.start_ns)))


def _first_good(requests: Requests, index: int) -> int | None:
    """Which of the requests from `index` on got a good answer first; None where none did."""
    good = index + np.flatnonzero(requests.ok[index:])
    return int(good[np.argmin(requests.done_ns[good])]) if len(good) else None


def _answered_ns(requests: Requests, index: int | None) -> float:
    """When a request was answered; infinite for None."""
    return float("inf") if index is None else float(requests.done_ns[index])


def _never_bad(facts: Facts, targets: Targets, requests: Requests) -> tuple[float, tuple[str, ...]]:
    """By when an outage that breaks the strictest SLO would have shown itself, in seconds from the fault."""
    needs, bad = _needed(facts, targets, requests)
    fault = facts.fault
    assert fault is not None
    clean = "no request was bad" if not bad else f"{bad} bad requests are within every SLO"
    if needs > len(requests):
        return float("inf"), (
            f"{clean}, but it needs {needs} requests after the fault to exclude an outage, has {len(requests)}",
        )
    latest = (float(requests.done_ns[:needs].max()) - fault.low + facts.clock_uncertainty_ns) / 1e9
    return latest, (
        f"{clean}; an outage of more than {100 * targets.strictest.tolerated:g} % would have shown in the first "
        f"{needs} requests after the fault, which took {latest:.2f} s",
    )


def _needed(facts: Facts, targets: Targets, requests: Requests) -> tuple[int, int]:
    """How many requests after the fault exclude an outage that breaks the strictest SLO, and how many were bad."""
    slo, confidence = targets.strictest, targets.validity.confidence
    rows = bad_requests(requests, slo)
    omission = facts.unseen.omission
    bad = np.cumsum(rows if omission is None else rows * omission.weights(requests, rows)) + facts.unseen.missing
    needs = trials_needed(facts.unseen.missing, slo.tolerated, confidence)
    while needs <= len(requests) and (more := trials_needed(int(bad[needs - 1]), slo.tolerated, confidence)) > needs:
        needs = more
    return needs, int(bad[-1])


def _last_shown(requests: Requests, stretch: Stretch, confidence: float) -> int | None:
    """The last bad request that can't be one of those which the SLO tolerates at any time.

    Tolerated ones lie apart: at the tolerated share, the chance that one follows within `near` requests of the bad one
    before it is a third of 1 - confidence: several may come after the outage, and one is enough to err. None where no
    bad request came so close upon another, or upon the fault.
    """
    if stretch.broken_by is None:
        return None
    slo = stretch.broken_by.slo
    near = max(1, int(np.log1p(-(1 - confidence) / 3) / np.log1p(-slo.tolerated)))
    hits = np.flatnonzero(bad_requests(requests, slo)[: stretch.broken_by.index + 1])
    shown = hits[np.diff(hits, prepend=-1) <= near]
    return int(shown[-1]) if len(shown) else None


def _end_of_outage(
    requests: Requests, stretch: Stretch, confidence: float, missing: int
) -> tuple[int | None, tuple[str, ...]]:
    """The request by whose answer the outage had ended, None where none shows that; and how it was found.

    missing: how many requests left no row. They may all have been bad, and due as late as they could still put the SLI
    out of its SLO: while they and the bad ones of the stretch are more than it tolerates.
    """
    assert stretch.broken_by is not None
    index, slo, miss = stretch.broken_by.index, stretch.broken_by.slo, 1 - confidence
    hits = np.flatnonzero(bad_requests(requests, slo)[: index + 1])
    # Four fifths of the chance to err go to an outage like its last bad requests, one fifth to one so thin that only
    # the SLO's own share bounds it.
    unseen = max(_unseen(hits, last, 0.8 * miss) for last in (*_LAST_HITS, *_thin_ends(hits)))
    unseen = min(unseen, trials_needed(0, slo.tolerated, 1 - 0.2 * miss))
    after = index + 1
    if missing:
        bad = missing + int(np.count_nonzero(bad_requests(requests, slo)[after:]))
        after += max(0, int(np.ceil(bad / slo.tolerated)) - missing)
    latest = _first_good(requests, after + unseen)
    says = f"bad requests for {slo.title}: {len(hits)}; the outage may have gone on unseen for {unseen} more"
    if latest is None:
        return latest, (f"{says}, and only {len(requests) - index - 1} followed the last bad one",)
    return latest, (says,)


def _thin_ends(hits: Ints) -> Iterator[int]:
    """How many of the last hits, fewer than the least of `_LAST_HITS`, are seen to lie further apart than those before.

    Were the outage of one probability, the places of the last hits and of the 25 before them would be any choice.
    """
    for last in range(1, min(_LAST_HITS[0], len(hits))):
        head = min(len(hits), last + _LAST_HITS[1])
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
