"""Failover: from the fault to a new leader in another region, and terms in which two replicas led."""

from __future__ import annotations

from scorer.facts import Facts
from scorer.grounds import Grounds
from scorer.intervals import Interval, tidy
from scorer.leaders import Leadership, blind_regions, contested, leader_before, leaderships_of
from scorer.span import Span
from scorer.stages import Milestone, middle, stages
from scorer.targets import Targets
from scorer.verdict import Measure, Stage

_METHOD = (
    "polled: from the fault to the first leader of a newer term in another region that stayed for the hold time; "
    "each change lies between the last answer that said otherwise and the first that said so"
)


def leader_elected(facts: Facts, targets: Targets) -> Measure:
    """Seconds from the fault to a new leader in another region. Raises LookupError where nobody led before the fault,
    or the leader was never lost."""
    if facts.fault is None:
        raise LookupError("no fault was recorded to have begun")
    fault, every = facts.fault, leaderships_of(facts.timeline)
    old = leader_before(every, fault)
    found, flaps = _elected(facts, targets, every, old, fault)
    count = sum(entry.kind == "leader" for entry in facts.timeline)
    if found is None:
        if old.ended is None:
            raise LookupError(f"the leader, {old.replica}, was never lost after the fault: nobody had to be elected")
        watched_s = max(0.0, facts.ended_ns - fault.high) / 1e9
        if blind := _blind(facts, targets, fault.low, facts.ended_ns, old):
            return _measure(None, 0.0, None, count, (_unseen(blind), *_flapped(flaps)))
        says = f"no leader of another region than {old.region} stayed, in the {watched_s:.1f} s that were watched"
        return _measure(None, watched_s, None, count, (says, *_flapped(flaps)))
    bounds = found.began.since(fault).scaled(1e-9)
    value = min(max(0.0, middle(found.began) - middle(fault)) / 1e9, bounds.high)
    low, high = bounds.low, float(bounds.high)
    open_s = (found.began.high - found.began.low) / 1e9
    evidence = [
        f"the polls leave {open_s:.3g} s open in which {found.replica} became leader, and the fault's own moment "
        f"{(fault.high - fault.low) / 1e9:.3g} s: polls closer together narrow it",
        f"{old.replica} led term {_term(old)} before the fault, {found.replica} led term {_term(found)} after it",
        *_flapped(flaps),
    ]
    if old.silent is not None:
        evidence.append(f"{old.replica} fell silent, and nobody saw it step down")
    if blind := _blind(facts, targets, fault.low, found.began.high, old):
        low = 0.0
        evidence.insert(0, _unseen(blind))
    held_ns = min(facts.ended_ns, found.began.high + targets.recovery.hold_s * 1e9)
    left = found.context in _blind(facts, targets, found.began.high, held_ns, old)
    if left:
        evidence.insert(0, f"{found.replica} wasn't asked all through the hold time, so that it may not have stayed")
    lingers = old.ended is None or old.ended.low > found.began.high + targets.recovery.hold_s * 1e9
    if lingers:
        evidence.insert(0, f"{old.replica} went on leading, so that nobody knows whom its clients followed")
    twice = contested(every).get(-1 if found.term is None else found.term)
    if twice:
        evidence.insert(0, f"two replicas led term {found.term}, so that neither was its leader: {' and '.join(twice)}")
    milestones = [Milestone("leader lost", old.ended)] if old.ended and middle(old.ended) <= middle(found.began) else []
    return _measure(
        tidy(max(low, value)),
        low,
        None if twice or lingers or left else high,
        count,
        tuple(evidence),
        stages(fault, (*milestones, Milestone("elected", found.began))),
    )


def contested_terms(facts: Facts, targets: Targets) -> Measure:
    """How many terms had more than one leader. Raises LookupError where no leader was ever seen.

    No upper bound where a region wasn't asked, or a leader gave no term. A leadership that began and ended between two
    polls isn't seen.
    """
    every = leaderships_of(facts.timeline)
    if not every:
        raise LookupError("no leader was ever seen")
    if facts.window is None:
        raise LookupError("the fault phase never began")
    twice = contested(every)
    gap_s = targets.validity.observer_gap_s
    blind = blind_regions(facts, facts.window, gap_s, gap_s)
    nameless = sum(leadership.term is None for leadership in every)
    unknown = [f"nobody asked for leaders all the while in {', '.join(blind)}"] if blind else []
    unknown += [f"{nameless} leaders gave no term"] if nameless else []
    return Measure(
        name="contested-terms",
        value=len(twice),
        low=len(twice),
        high=None if unknown else len(twice),
        unit="terms",
        n=len(every),
        method="count of the terms in which several replicas were seen to lead; open above where some weren't asked",
        evidence=(
            *unknown,
            *(f"term {term}: {' and '.join(names)}" for term, names in twice.items()),
            f"{len(every)} leaderships of {len({led.term for led in every})} terms were seen",
        ),
    )


def failover_grounds(facts: Facts) -> Grounds:
    """Every change of a leader."""
    return Grounds(entries=tuple(entry for entry in facts.timeline if entry.kind == "leader"))


def _elected(
    facts: Facts, targets: Targets, every: tuple[Leadership, ...], old: Leadership, fault: Interval
) -> tuple[Leadership | None, int]:
    """The leadership that ended the failover, and how many before it didn't stay."""
    flaps, hold_ns = 0, targets.recovery.hold_s * 1e9
    for led in every:
        newer = old.term is None or led.term is None or led.term > old.term
        if led.region == old.region or led.at_first or led.began.high < fault.low or not newer:
            continue
        if led.held_ns(facts.ended_ns) >= hold_ns:
            return led, flaps
        flaps += 1
    return None, flaps


def _blind(facts: Facts, targets: Targets, from_ns: float, to_ns: float, old: Leadership) -> tuple[str, ...]:
    """Where, in between, a leader may have come or gone unseen. The region that lost its leader is out of reach as a
    rule; it can't hide one that counts."""
    span = Span(int(from_ns), max(int(from_ns), int(to_ns)))
    regions = blind_regions(facts, span, 0.0, targets.validity.observer_gap_s)
    return tuple(context for context in regions if context != old.context)


def _unseen(blind: tuple[str, ...]) -> str:
    return f"nobody asked for leaders all the while in {', '.join(blind)}, so that one may have led before"


def _flapped(flaps: int) -> tuple[str, ...]:
    return (f"leaders that did not stay for the hold time: {flaps}",) if flaps else ()


def _term(leadership: Leadership) -> str:
    return "unknown" if leadership.term is None else str(leadership.term)


def _measure(
    value: float | None,
    low: float,
    high: float | None,
    count: int,
    evidence: tuple[str, ...],
    split: tuple[Stage, ...] = (),
) -> Measure:
    return Measure(
        name="leader-elected",
        value=value,
        low=tidy(low),
        high=None if high is None else tidy(high),
        unit="s",
        n=count,
        method=_METHOD,
        evidence=evidence,
        stages=split,
    )
