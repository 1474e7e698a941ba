"""What the load looks like now, from the rows that have reached the bundle: for progress, and for the hold time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Live:
    """The last `window` of the load. An unsent arrival counts as an error; it has no latency."""

    rate_per_s: float
    errors: int
    p95_ns: int | None
    """None where nothing was answered."""
    quiet_ns: int | None
    """Time since the last bad request ended (was due, if never sent); since the first row where none was bad; None
    before the first row."""
    sent: int = 0
    """How many requests were sent since the beginning, not only in the window."""


class LiveView:
    """Keeps the rows of the last `window_s` seconds. No clock of its own; times are UTC nanoseconds."""

    def __init__(self, window_s: float = 5.0) -> None:
        self._window_ns = round(window_s * 1e9)
        self._end, self._latency = np.empty(0, np.int64), np.empty(0, np.int64)
        self._bad = np.empty(0, np.bool_)
        self._first_ns: int | None = None
        self._last_bad_ns: int | None = None
        self._sent = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Take in a batch of request rows, in any order of time."""
        if not batch.num_rows:
            return
        scheduled = batch["scheduled_ns"].to_numpy(zero_copy_only=False)
        latency = batch["latency_ns"].fill_null(-1).to_numpy(zero_copy_only=False)
        bad = ~batch["ok"].to_numpy(zero_copy_only=False)
        end = scheduled + np.maximum(latency, 0)
        first_ns = int(scheduled.min())
        self._first_ns = first_ns if self._first_ns is None else min(self._first_ns, first_ns)
        if bad.any():
            self._last_bad_ns = max(int(end[bad].max()), self._last_bad_ns or 0)
        self._sent += int(np.count_nonzero(latency >= 0))
        self._end = np.concatenate([self._end, end])
        self._latency = np.concatenate([self._latency, latency])
        self._bad = np.concatenate([self._bad, bad])

    def at(self, now_ns: int) -> Live:
        """The state at `now_ns`; rows that are older than the window are forgotten."""
        keep = self._end > now_ns - self._window_ns
        self._end, self._latency, self._bad = self._end[keep], self._latency[keep], self._bad[keep]
        if self._first_ns is None:
            return Live(0.0, 0, None, None)
        sent = self._latency[self._latency >= 0]
        span_ns = min(self._window_ns, max(now_ns - self._first_ns, 1))
        return Live(
            rate_per_s=sent.size / (span_ns / 1e9),
            errors=int(self._bad.sum()),
            p95_ns=int(np.quantile(sent, 0.95)) if sent.size else None,
            quiet_ns=now_ns - (self._first_ns if self._last_bad_ns is None else self._last_bad_ns),
            sent=self._sent,
        )
