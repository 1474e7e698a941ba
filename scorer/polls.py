"""How closely replicas were asked for their role: what each poll said of itself, while its pod was there.

That nobody noted a gap shows nothing: a poll that has died notes nothing any more, and one that never began never did.
So what counts is what it told while it lived, and a replica that nobody asked, though it was there, counts as one that
wasn't seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from bundle.timeline import Entry
from scorer.cluster import deployment_of, pods_of
from scorer.samples import Polls, Samples
from scorer.span import Span

EVERY_S = 1.0
"""A poll tells of itself so often, `docs/bundle.md` says: its first word is of the second before it, and in the second
after its last one, or after its pod came, nothing more need be heard of it."""
_EVERY_NS = round(EVERY_S * 1e9)


@dataclass(frozen=True, slots=True)
class _Life:
    """A replica was there from one time to another, UTC ns; it came and went unseen where they are infinite."""

    name: str
    from_ns: float
    until_ns: float


def longest_unasked_s(samples: Samples, timeline: Iterable[Entry], context: str, span: Span) -> float:
    """The longest stretch of a span, in seconds, in which a replica of a context was there and wasn't asked.

    That is the whole span where none of them ever was. Replicas are the pods that were polled and, by their names, all
    others of their deployments.
    """
    polls = {
        name.rpartition("/")[2]: polls for name, polls in samples.polls.items() if name.rpartition("/")[0] == context
    }
    if not polls:
        return span.seconds
    lives = _lives(timeline, context, polls.keys())
    unseen = polls.keys() - {life.name for life in lives}
    lives += [_Life(name, -np.inf, np.inf) for name in unseen]
    return max(_unasked_s(_told(polls, life, lives), life, span) for life in lives)


def _lives(timeline: Iterable[Entry], context: str, polled: Iterable[str]) -> list[_Life]:
    """When each replica that the watch saw was there: it can be asked once it runs."""
    polled = set(polled)
    deployments = set(map(deployment_of, polled)) - {""}
    timeline = [entry for entry in timeline if entry.kind == "pod" and entry.context == context]
    pods = [
        pod for namespace in {entry.namespace for entry in timeline} for pod in pods_of(timeline, context, namespace)
    ]
    return [
        _Life(
            pod.name,
            -np.inf if pod.running is None else pod.running.high,
            np.inf if pod.deleted is None else pod.deleted.high,
        )
        for pod in pods
        if pod.name in polled or (pod.running is not None and deployment_of(pod.name) in deployments)
    ]


def _told(polls: dict[str, Polls], life: _Life, lives: Iterable[_Life]) -> Polls:
    """What the poll of a replica told, in order: until another of its name came."""
    told = polls.get(life.name, Polls())
    later = [other.from_ns for other in lives if other.name == life.name and other.from_ns > life.from_ns]
    order = np.argsort(told.t_ns, kind="stable")
    order = order[(told.t_ns[order] > life.from_ns) & (told.t_ns[order] <= min(later, default=np.inf))]
    return Polls(told.t_ns[order], told.widest_s[order])


def _unasked_s(told: Polls, life: _Life, span: Span) -> float:
    """The same of one replica."""
    times = told.t_ns
    first, last = (times[0] - _EVERY_NS, times[-1]) if len(times) else (life.from_ns, life.from_ns)
    before_s = _seconds(span, life.from_ns if np.isfinite(life.from_ns) else first, min(first, life.until_ns))
    after_s = _seconds(span, last + _EVERY_NS, life.until_ns)
    since = np.concatenate([times[:1] - _EVERY_NS, times[:-1]])
    within = (times > span.start_ns) & (since < span.end_ns)
    # what is no number is no word of how closely it asked
    apart = np.where(np.isfinite(told.widest_s), told.widest_s, np.inf)[within]
    return max(before_s, after_s, float(apart.max(initial=0.0)))


def _seconds(span: Span, from_ns: float, until_ns: float) -> float:
    """How much of a span lies between two times."""
    return max(0.0, min(until_ns, span.end_ns) - max(from_ns, span.start_ns)) / 1e9
