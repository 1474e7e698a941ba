"""How closely replicas were asked for their role: what each poll said of itself, while its pod was there.

That nobody noted a gap shows nothing: a poll that has died notes nothing any more. So what counts is what it told while
it lived, and a replica that nobody asked any more, though it was there, counts as one that wasn't seen.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from bundle.timeline import Entry
from scorer.samples import Polls, Samples
from scorer.span import Span

EVERY_S = 1.0
"""A poll tells of itself so often, `docs/bundle.md` says: its first word is of the second before it, and in the second
after its last one nothing more need be heard of it."""


def longest_unasked_s(samples: Samples, timeline: Iterable[Entry], context: str, span: Span) -> float:
    """The longest stretch of a span, in seconds, in which a replica of a context was there and wasn't asked.

    That is the whole span where none of them ever was.
    """
    polls = {name: polls for name, polls in samples.polls.items() if name.rpartition("/")[0] == context}
    if not polls:
        return span.seconds
    gone = {
        f"{context}/{entry.name}": entry.latest_ns
        for entry in timeline
        if entry.kind == "pod" and entry.event == "deleted" and entry.context == context
    }
    return max(_unasked_s(told, span, gone.get(name, span.end_ns)) for name, told in polls.items())


def _unasked_s(told: Polls, span: Span, gone_ns: int) -> float:
    """The same of one replica, which was there until `gone_ns`."""
    order = np.argsort(told.t_ns, kind="stable")
    times, widest_s = told.t_ns[order], told.widest_s[order]
    since = np.concatenate([times[:1] - round(EVERY_S * 1e9), times[:-1]])
    within = (times > span.start_ns) & (since < span.end_ns)
    after_s = (min(gone_ns, span.end_ns) - max(int(times[-1]), span.start_ns)) / 1e9 - EVERY_S
    # what is no number is no word of how closely it asked
    apart = np.where(np.isfinite(widest_s), widest_s, np.inf)[within]
    return max(0.0, after_s, float(apart.max(initial=0.0)))
