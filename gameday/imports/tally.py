"""What was met while a record was read: what the summary says, and what the bundle must name as lacking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from gameday.imports.errors import BadRecord
from gameday.imports.recognise import recognised
from gameday.imports.rows import Flags, Rows

ENOUGH_LINES = 1000
"""When so many lines could not be read, and they are the most of all, the rest is not waited for."""


@dataclass
class Tally:
    """Counts of one import. `rows` are requests taken over, `unsent` arrivals among them that were never sent.

    unreadable: lines that are no row, `first_unreadable` the number of the first. absurd: requests with times,
    latencies or statuses that cannot be. torn: the last line was cut, as by the death of its writer. left_out: what is
    no request of its own, by what it is. lacks: what this very file cannot say beyond what its format never does.
    resolution_ns: how coarse its times are. paced: when each request was due is known. first_ns, last_ns: the first
    start and the last end, UTC.
    """

    where: str
    format: str
    rows: int = 0
    bad: int = 0
    unsent: int = 0
    unreadable: int = 0
    first_unreadable: int = 0
    absurd: int = 0
    torn: bool = False
    left_out: dict[str, int] = field(default_factory=dict)
    lacks: set[str] = field(default_factory=set)
    resolution_ns: int = 1
    paced: bool = False
    first_ns: int | None = None
    last_ns: int | None = None

    def unread(self, number: int, line: str, count: int = 1) -> None:
        """Note that `count` lines from line `number` on are no row.

        Raises BadRecord where they are of another format, or where most lines are none.
        """
        other = recognised(line.encode())
        if other is not None and other != self.format:
            what = f"is {self.format} at first and {other} in line {number}"
            if number == 1:
                what = f"is no {self.format} but {other}"
            raise BadRecord(what, where=self.where, do="import each format by itself")
        if not self.unreadable:
            self.first_unreadable = number
        self.unreadable += count
        if self.unreadable >= ENOUGH_LINES:
            self.check()

    def readable(self, rows: Rows, valid: Flags, numbers: Sequence[int]) -> Rows:
        """The rows that are `valid`; the others are noted by the numbers of their lines."""
        for row in np.flatnonzero(~valid).tolist():
            self.unread(numbers[row], "")
        return rows.where(valid)

    def sane(self, rows: Rows) -> Rows:
        """The rows that can be, counted."""
        kept = rows.where(rows.sane())
        self.absurd += len(rows) - len(kept)
        if not len(kept):
            return kept
        self.rows += len(kept)
        self.unsent += int(np.count_nonzero(~kept.sent))
        self.bad += int(np.count_nonzero(kept.sent & ~kept.ok))
        first_ns, last_ns = int(kept.start_ns.min()), int((kept.start_ns + kept.latency_ns).max())
        self.first_ns = first_ns if self.first_ns is None else min(self.first_ns, first_ns)
        self.last_ns = last_ns if self.last_ns is None else max(self.last_ns, last_ns)
        return kept

    def leave_out(self, what: str, count: int = 1) -> None:
        """Note something that is whole and no request."""
        if count:
            self.left_out[what] = self.left_out.get(what, 0) + count

    def check(self) -> None:
        """Raises BadRecord where more could not be read than could, or where there is no request at all."""
        lost = self.unreadable + self.absurd
        if lost > self.rows:
            first = f"; the first is line {self.first_unreadable}" if self.unreadable else ""
            raise BadRecord(
                f"{lost} of {lost + self.rows} lines cannot be read as {self.format}: {self.unreadable} make no row, "
                f"{self.absurd} have times or statuses that cannot be{first}",
                where=self.where,
                do="give the file as the generator wrote it, or name its format with --format",
            )
        if not self.rows:
            left = ", ".join(f"{count} {what}" for what, count in self.left_out.items())
            raise BadRecord(
                f"holds no request{f', only {left}' if left else ''}", where=self.where, do="record single requests"
            )
