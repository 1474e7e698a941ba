"""Who led when: the leaderships that polling each replica's role showed, and where nobody looked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from bundle.timeline import Entry
from scorer.blindness import longest_blindness_s
from scorer.cluster import when
from scorer.facts import Facts
from scorer.intervals import Interval
from scorer.polls import longest_unasked_s
from scorer.span import Span

WATCHES = "leaders"
"""What an observer of roles says that it watches."""


@dataclass(frozen=True)
class Leadership:
    """A stretch in which one replica led, and the spans (UTC ns) in which it began and ended; `ended` None: it was
    never seen to end. `at_first`: it led when polling began. `term` None: the replica didn't say. `silent`: since when
    nothing was heard of it, where that is all that is known of its end."""

    context: str
    region: str
    name: str
    term: int | None
    began: Interval
    ended: Interval | None
    at_first: bool
    silent: Interval | None = None

    @property
    def replica(self) -> str:
        """The replica as a person names it."""
        return f"{self.region}/{self.name}" if self.name else self.region

    def held_ns(self, ended_ns: int) -> float:
        """For how long it surely lasted, in a recording that ended then; infinite where it lasted to the end."""
        if self.ended is None:
            return float("inf") if ended_ns >= self.began.high else 0.0
        return max(0.0, self.ended.low - self.began.high)


def leaderships_of(timeline: Iterable[Entry]) -> tuple[Leadership, ...]:
    """Every leadership that was seen, in the order in which they began, by the latest moment.

    A replica that is seen to lead the same term again led it all the while, and just didn't answer: a term has one
    leader, who leads it once (Ongaro and Ousterhout 2014, §5.2).
    """
    open_now: dict[tuple[str, str, str], Leadership] = {}
    closed: list[Leadership] = []
    for entry in timeline:
        if entry.kind != "leader":
            continue
        key, term = (entry.context, entry.namespace, entry.name), entry.attributes.get("term")
        term = term if isinstance(term, int) and not isinstance(term, bool) else None
        led = open_now.pop(key, None)
        if entry.event == "silent":
            if led is not None:
                open_now[key] = replace(led, silent=when(entry))
            continue
        if led is not None and entry.event != "lost" and led.term == term:
            open_now[key] = replace(led, silent=None)
            continue
        if led is not None:  # lost, or elected again in another term
            ended = when(entry)
            since = ended if led.silent is None else led.silent
            closed.append(replace(led, ended=Interval(min(since.low, ended.low), ended.high), silent=None))
        if entry.event != "lost":
            region = str(entry.attributes.get("region") or entry.context)
            first = entry.event == "present"
            if (same := _same_term(closed, entry, term)) is not None:
                closed.remove(same)
                open_now[key] = replace(same, ended=None)
                continue
            open_now[key] = Leadership(entry.context, region, entry.name, term, when(entry), None, first)
    # of one that fell silent for good nobody knows more than that
    left = (led if led.silent is None else replace(led, ended=led.silent) for led in open_now.values())
    return tuple(sorted((*closed, *left), key=lambda led: (led.began.high, led.began.low, led.replica)))


def _same_term(closed: Iterable[Leadership], entry: Entry, term: int | None) -> Leadership | None:
    """The leadership that this entry goes on with."""
    replica = (entry.context, entry.name)
    of_term = (led for led in closed if term is not None and led.term == term)
    return next((led for led in of_term if (led.context, led.name) == replica), None)


def leader_before(leaderships: Iterable[Leadership], moment: Interval) -> Leadership:
    """Who led when something happened: of several, the one of the newest term. Raises LookupError: nobody did."""
    led = [
        leadership
        for leadership in leaderships
        if leadership.began.high <= moment.low and (leadership.ended is None or leadership.ended.high >= moment.low)
    ]
    if not led:
        raise LookupError("no leader was seen before the fault: there was none to lose")
    return max(led, key=lambda leadership: (-1 if leadership.term is None else leadership.term, leadership.began.high))


def contested(leaderships: Iterable[Leadership]) -> dict[int, tuple[str, ...]]:
    """The terms in which several replicas led, which Raft rules out (Ongaro and Ousterhout 2014, §5.2), and who."""
    replicas: dict[int, set[str]] = defaultdict(set)
    for leadership in leaderships:
        if leadership.term is not None:
            replicas[leadership.term].add(f"{leadership.context}: {leadership.replica}")
    return {term: tuple(sorted(names)) for term, names in sorted(replicas.items()) if len(names) > 1}


def blind_regions(facts: Facts, span: Span, longest_s: float, apart_s: float) -> tuple[str, ...]:
    """The contexts of the drill in which, within a span, nobody could ask for roles for longer than `longest_s`, or
    a replica that was there was not asked for longer than `apart_s`."""
    return tuple(
        context
        for context in facts.manifest.contexts
        if longest_blindness_s(facts.timeline, context, WATCHES, span) > longest_s
        or longest_unasked_s(facts.samples, facts.timeline, context, span) > apart_s
    )
