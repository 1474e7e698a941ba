"""Requests counted by second, as monitoring counts them: when they were over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from scorer.batch import Batch, Cut
from scorer.facts import Facts
from scorer.requests import Flags, Ints, Requests, every, none
from scorer.span import Span
from scorer.tally import limits_of
from scorer.targets import Slo

S_NS = 1_000_000_000


@dataclass(frozen=True, eq=False)
class Seconds:
    """Columns with a row for each second of a span, the first from `start_ns` (UTC) on: requests that were sent, those
    of them that were bad by an SLO, and arrivals that were never sent."""

    start_ns: int
    sent: Ints
    bad: Ints
    unsent: Ints

    def __len__(self) -> int:
        return len(self.sent)


def per_second(facts: Facts, slo: Slo, span: Span, beside: Iterable[Slo] = ()) -> Seconds:
    """The requests that were over in each second of a span; the last may be a part of a second. `beside` are the SLOs
    that are asked for as well: they are counted together."""
    sent, unsent, bad = facts.of(EachSecond(span, limits_of([slo, *beside])))
    return Seconds(span.start_ns, sent, bad[slo.slow_ns], unsent)


Counted: TypeAlias = tuple[Ints, Ints, Mapping[int | None, Ints]]
"""Of each second the requests that were sent, those that never were, and the bad ones by limit (None: failed)."""


@dataclass(frozen=True, slots=True)
class EachSecond:
    """The piece that counts by second, by the failed ones and by some limits beyond which an answer is bad."""

    span: Span
    limits_ns: tuple[int, ...]

    def look(self, batch: Batch) -> tuple[int, Counted]:
        """The second that a batch begins with, and the counts from then on."""
        rows = batch.cut(Cut(done_from_ns=self.span.start_ns, done_before_ns=self.span.end_ns))
        first, total = self._total(rows)
        nothing = np.zeros_like(total)

        def counted(some: Flags) -> Ints:
            if none(some):
                return nothing
            places = np.flatnonzero(some)
            done_ns = rows.scheduled_ns[places] + rows.latency_ns[places]
            return np.bincount((done_ns - self.span.start_ns) // S_NS - first, minlength=len(total))

        bad_by_limit: dict[int | None, Flags] = {limit: rows.slower(limit) for limit in self.limits_ns}
        bad_by_limit[None] = np.broadcast_to(np.False_, len(rows))
        if not every(rows.ok):
            bad_by_limit = {limit: slow | ~rows.ok for limit, slow in bad_by_limit.items()}
        unsent = nothing
        if not every(rows.sent):
            unsent = counted(~rows.sent)
            bad_by_limit = {limit: bad & rows.sent for limit, bad in bad_by_limit.items()}
        bad = {limit: counted(some) for limit, some in bad_by_limit.items()}
        return first, (total - unsent, unsent, bad)

    def _total(self, rows: Requests) -> tuple[int, Ints]:
        """The first second in which one of these may have been done, and how many were in each from then on."""
        if rows.extent.regular:  # none of them was done before it was sent
            first = max(0, int(rows.start_ns[0]) - self.span.start_ns) // S_NS
            next_ns = self.span.start_ns + (first + 1) * S_NS
            before = rows.extent.done_before(range(next_ns, rows.extent.last_done_ns + 1, S_NS))
            if before is not None:
                return first, np.diff(np.concatenate([[0], before, [len(rows)]]))
        seconds = (rows.done_ns - self.span.start_ns) // S_NS
        first = int(seconds.min()) if len(seconds) else 0
        return first, np.bincount(seconds - first)

    def fold(self) -> _Seconds:
        """Nothing counted yet."""
        return _Seconds(self)


class _Seconds:
    def __init__(self, asked: EachSecond) -> None:
        count = max(1, -(-(asked.span.end_ns - asked.span.start_ns) // S_NS))
        self.sent, self.unsent = (np.zeros(count, dtype=np.int64) for _ in range(2))
        self.bad = {limit: np.zeros(count, dtype=np.int64) for limit in (None, *asked.limits_ns)}

    def add(self, part: tuple[int, Counted]) -> None:
        first, (sent, unsent, bad) = part
        here = slice(first, first + len(sent))
        self.sent[here] += sent
        self.unsent[here] += unsent
        for limit, counts in bad.items():
            self.bad[limit][here] += counts

    def result(self) -> Counted:
        return self.sent, self.unsent, self.bad
