"""A batch of a bundle's requests, and the cuts of it that measures look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from scorer.requests import NONE, Flags, Requests, WorkerRows, every
from scorer.span import Span

_NEVER, _FOREVER = -(2**63), 2**63 - 1


@dataclass(frozen=True, slots=True)
class Cut:
    """The arrivals that were due in [`due_from_ns`, `due_before_ns`) and done in [`done_from_ns`, `done_before_ns`);
    without those that were never sent where `sent` is true."""

    due_from_ns: int = _NEVER
    due_before_ns: int = _FOREVER
    done_from_ns: int = _NEVER
    done_before_ns: int = _FOREVER
    sent: bool = False

    @classmethod
    def due_within(cls, span: Span) -> Cut:
        """Those that were due in a span."""
        return cls(due_from_ns=span.start_ns, due_before_ns=span.end_ns)

    @classmethod
    def touching(cls, span: Span) -> Cut:
        """Those that were due before the end of a span and not yet done at its start."""
        return cls(due_before_ns=span.end_ns, done_from_ns=span.start_ns)

    @property
    def of_sent(self) -> Cut:
        """Those of them that were sent."""
        return replace(self, sent=True)


@dataclass(frozen=True, eq=False)
class Batch:
    """Some rows in order, without absurd ones: how many of these there were is `absurd`. `workers` is what each load
    worker left in it, by its name, absurd rows included."""

    rows: Requests
    absurd: int = 0
    workers: Mapping[str, WorkerRows] = field(default_factory=dict)
    _cuts: dict[Cut, Requests] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def ordered(self) -> bool:
        """Whether the rows are in the order of their keys."""
        extent = self.rows.extent
        if extent.steps.least > 0 or len(self.rows) < 2:
            return True
        if extent.steps.least < 0:
            return False
        ties = np.flatnonzero(np.diff(self.rows.start_ns) == 0)
        before = [key[ties] for key in self.rows.order_keys()]
        after = [key[ties + 1] for key in self.rows.order_keys()]
        less, same = np.zeros(len(ties), np.bool_), np.ones(len(ties), np.bool_)
        for one, other in zip(before, after, strict=True):
            less |= same & (one < other)
            same &= one == other
        return bool(np.all(less | same))

    def cut(self, cut: Cut) -> Requests:
        """The rows of a cut: of most batches all of them, or none, which takes no time."""
        if cut not in self._cuts:
            self._cuts[cut] = self._cut(cut)
        return self._cuts[cut]

    def _cut(self, cut: Cut) -> Requests:
        if cut.sent:
            rows = self.cut(replace(cut, sent=False))
            return rows if every(rows.sent) else rows.where(rows.sent)
        rows, first, last = self.rows, self.rows.extent.due.least, self.rows.extent.due.most
        if last < cut.due_from_ns or first >= cut.due_before_ns or first >= cut.done_before_ns:  # nothing is done early
            return NONE
        masks = []
        if first < cut.due_from_ns:
            masks.append(rows.scheduled_ns >= cut.due_from_ns)
        if last >= cut.due_before_ns:
            masks.append(rows.scheduled_ns < cut.due_before_ns)
        if first < cut.done_from_ns:
            masks.append(rows.done_ns >= cut.done_from_ns)
        if cut.done_before_ns < _FOREVER and cut.done_before_ns <= rows.extent.last_done_ns:
            masks.append(rows.done_ns < cut.done_before_ns)
        if not masks:
            return rows
        kept: Flags = np.logical_and.reduce(masks)
        return rows if kept.all() else rows.where(kept)
