"""Requests of another generator's record as rows of a bundle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bundle.table import REQUESTS
from gameday import wording

Ints: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

BATCH_ROWS = 1 << 16
"""No more rows than these are held at once."""

_S = 1_000_000_000
EARLIEST_NS, LATEST_NS = 946_684_800 * _S, 4_102_444_800 * _S
"""2000 and 2100: what lies outside is no time at which a request was sent."""
LONGEST_NS = 86_400 * _S
"""A day: nothing waits longer for an answer."""


@dataclass(frozen=True)
class Rows:
    """Columns of equal length, one row a request. Times in UTC nanoseconds by the generator's wall clock.

    good: what the generator itself says of the outcome. sent: whether it was sent at all; of an arrival that was not,
    `start_ns` is when it was due. status: 0 where there was no response. cause: its own words for what went wrong.
    number: how many were due before it, None where that isn't recorded. due_ns: when it was due, None where it is taken
    as due when it was sent.
    """

    start_ns: Ints
    latency_ns: Ints
    status: Ints
    good: Flags
    sent: Flags
    size: Ints
    endpoint: Sequence[str]
    cause: Sequence[str]
    number: Ints | None = None
    due_ns: Ints | None = None

    def __len__(self) -> int:
        return len(self.start_ns)

    @property
    def ok(self) -> Flags:
        """Answered, and well: by the generator's own judgement, and with a status below 400."""
        return self.good & self.sent & (self.status >= 100) & (self.status < 400)

    def sane(self) -> Flags:
        """Which rows have times, a latency and a status that can be."""
        return (
            (self.start_ns >= EARLIEST_NS)
            & (self.start_ns < LATEST_NS)
            & (self.latency_ns >= 0)
            & (self.latency_ns < LONGEST_NS)
            & (self.status >= 0)
            & (self.status < 1000)
        )

    def where(self, rows: Flags) -> Rows:
        """The rows that a mask selects."""
        if rows.all():
            return self
        kept = np.flatnonzero(rows).tolist()
        return Rows(
            self.start_ns[rows],
            self.latency_ns[rows],
            self.status[rows],
            self.good[rows],
            self.sent[rows],
            self.size[rows],
            [self.endpoint[row] for row in kept],
            [self.cause[row] for row in kept],
            None if self.number is None else self.number[rows],
            None if self.due_ns is None else self.due_ns[rows],
        )

    def batch(self, worker: str) -> pa.RecordBatch:
        """The rows in the schema `bundle.table.REQUESTS`."""
        unsent = ~self.sent
        due = self.start_ns if self.due_ns is None else self.due_ns
        constant = pa.array(np.zeros(len(self), np.int32))
        columns = [
            pa.array(due),
            pa.array(self.start_ns, mask=unsent),
            pa.array(self.latency_ns + self.start_ns - due, mask=unsent),
            pa.array(self.status.astype(np.uint16)),
            pa.array(self.ok),
            pa.array(np.maximum(self.size, 0)),
            _coded([wording.endpoint(name) for name in self.endpoint]),
            pa.DictionaryArray.from_arrays(constant, pa.array([""], pa.string())),
            _coded(self._errors()),
            pa.DictionaryArray.from_arrays(constant, pa.array([worker], pa.string())),
        ]
        return pa.RecordBatch.from_arrays(columns, schema=REQUESTS)

    def _errors(self) -> list[str]:
        """The `error` of each row: empty for a success, else the cause as `load/outcome.py` words it."""
        errors = [""] * len(self)
        for row in np.flatnonzero(~self.ok).tolist():
            status, cause = int(self.status[row]), wording.cause(self.cause[row] or "")
            if not self.sent[row]:
                errors[row] = f"unsent: {cause}"
            elif status >= 400:
                errors[row] = f"HTTP {status}"
            else:
                errors[row] = cause or ("failed" if status else "no response")
        return errors


def _coded(names: list[str]) -> pa.DictionaryArray:
    return pa.array(names, pa.string()).dictionary_encode()
