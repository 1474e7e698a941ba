"""The raw record: rows of requests and samples, collected in columns and written as Arrow batches.

A row lives in arrays of numbers until the next flush, so that nothing per request survives it and memory stays
bounded, whatever the length of the run.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from bundle.clock import Anchor
from bundle.table import REQUESTS, SAMPLES, STREAM_SUFFIX, StreamWriter

FLUSH_S = 0.15
"""Seconds between flushes. A bundle promises that a killed worker loses at most 200 ms of rows."""

MAX_ROWS = 4096
"""A flush comes at once when this many rows wait: the bound of a worker that is too busy to keep its times."""


class _Names:
    """A dictionary-coded text column of one batch."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._column = array("i")

    def append(self, name: str) -> None:
        self._column.append(self._codes.setdefault(name, len(self._codes)))

    def take(self) -> pa.DictionaryArray:
        coded = pa.DictionaryArray.from_arrays(
            pa.array(np.frombuffer(self._column, np.int32)), pa.array(list(self._codes), pa.string())
        )
        self.__init__()  # type: ignore[misc]  # starts afresh: the arrays now belong to Arrow
        return coded


class RequestColumns:
    """Rows of requests that were not yet written. Times go in as monotonic nanoseconds."""

    def __init__(self) -> None:
        self._scheduled, self._start, self._latency, self._bytes = (array("q") for _ in range(4))
        self._status, self._ok, self._sent = array("H"), array("B"), array("B")
        self._endpoint, self._region, self._error = _Names(), _Names(), _Names()

    def __len__(self) -> int:
        return len(self._scheduled)

    def append(
        self,
        *,
        scheduled_ns: int,
        start_ns: int | None,
        latency_ns: int,
        status: int,
        size: int,
        endpoint: str,
        region: str,
        error: str,
    ) -> None:
        """Add a row. `start_ns` None is an arrival that was never sent, which has no latency either."""
        self._scheduled.append(scheduled_ns)
        self._sent.append(start_ns is not None)
        self._start.append(start_ns or 0)
        self._latency.append(latency_ns)
        self._status.append(status)
        self._ok.append(not error)
        self._bytes.append(size)
        self._endpoint.append(endpoint)
        self._region.append(region)
        self._error.append(error)

    def take(self, anchor: Anchor, worker: str) -> pa.RecordBatch:
        """All rows as one batch of the schema `REQUESTS`, with UTC times; none are left behind."""
        rows = len(self)
        to_utc = anchor.utc_ns(0)
        unsent = np.frombuffer(self._sent, np.uint8) == 0
        columns = [
            pa.array(np.frombuffer(self._scheduled, np.int64) + to_utc),
            pa.array(np.frombuffer(self._start, np.int64) + to_utc, mask=unsent),
            pa.array(np.frombuffer(self._latency, np.int64), mask=unsent),
            pa.array(np.frombuffer(self._status, np.uint16)),
            pa.array(np.frombuffer(self._ok, np.uint8) != 0),
            pa.array(np.frombuffer(self._bytes, np.int64)),
            self._endpoint.take(),
            self._region.take(),
            self._error.take(),
            pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array([worker], pa.string())),
        ]
        self.__init__()  # type: ignore[misc]  # starts afresh: the arrays now belong to Arrow
        return pa.RecordBatch.from_arrays(columns, schema=REQUESTS)


class Recorder:
    """Writes one worker's streams, `requests/<worker>.arrows` and `samples/<worker>.arrows` of a bundle.

    failed: called once, with the reason, when the bundle can no longer be written; rows are dropped from then on,
    and the caller has to end the load. Raises OSError where the streams cannot be created.
    """

    def __init__(self, bundle: Path, worker: str, anchor: Anchor, failed: Callable[[OSError], None]) -> None:
        for table in ("requests", "samples"):
            (bundle / table).mkdir(parents=True, exist_ok=True)
        self._requests = StreamWriter(bundle / "requests" / f"{worker}{STREAM_SUFFIX}", REQUESTS)
        self._samples = StreamWriter(bundle / "samples" / f"{worker}{STREAM_SUFFIX}", SAMPLES)
        self._worker, self._anchor, self._failed = worker, anchor, failed
        self._broken = self._closed = False
        self.columns = RequestColumns()
        self.columns.take(anchor, worker)  # pyarrow's first batch costs 70 ms: not while arrivals are due

    def flush(self) -> None:
        """Write the rows that wait."""
        if len(self.columns):
            self._append(self._requests, self.columns.take(self._anchor, self._worker))

    def flush_if_full(self) -> None:
        """Write the rows that wait where they are as many as memory should hold."""
        if len(self.columns) >= MAX_ROWS:
            self.flush()

    def flush_for_ever(self, sleep: Callable[[float], None]) -> None:
        """Write the rows that wait, every `FLUSH_S` seconds, until killed."""
        while True:
            sleep(FLUSH_S)
            self.flush()

    def sample(self, mono_ns: int, readings: dict[str, float]) -> None:
        """Write one reading of each series, all taken at `mono_ns`."""
        rows = len(readings)
        series, source = _Names(), _Names()
        for name in readings:
            series.append(name)
            source.append(self._worker)
        times = pa.array(np.full(rows, self._anchor.utc_ns(mono_ns)))
        columns = [times, series.take(), source.take(), pa.array(list(readings.values()), pa.float64())]
        self._append(self._samples, pa.RecordBatch.from_arrays(columns, schema=SAMPLES))

    def close(self) -> None:
        """Write what waits and end both streams. Harmless when called again."""
        if self._closed:
            return
        self.flush()
        self._closed = True
        for stream in (self._requests, self._samples):
            self._try(stream.close)

    def _append(self, stream: StreamWriter, batch: pa.RecordBatch) -> None:
        if not (self._broken or self._closed):
            self._try(lambda: stream.append(batch))

    def _try(self, write: Callable[[], None]) -> None:
        try:
            write()
        except OSError as error:
            if not self._broken:
                self._broken = True
                self._failed(error)
