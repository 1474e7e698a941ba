"""The raw record: rows of requests and samples, collected in columns and written as Arrow batches.

A row lives in an array of bytes until the next flush, so that nothing per request survives it and memory stays bounded,
whatever the length of the run.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bundle.clock import Anchor
from bundle.table import REQUESTS, SAMPLES
from gameday import wording
from gameday.load.streams import Streams

MAX_ROWS = 4096
"""A flush comes at once when this many rows wait: the bound of a worker that is too busy to keep its times."""


_ROW = struct.Struct("8q")
"""A row that waits: the values of `RequestColumns.append`, texts by their codes."""

_pack, _FULL = _ROW.pack, MAX_ROWS * _ROW.size  # looked up once, not for every row

_NEVER = -(2**63)
"""The start of an arrival that was never sent."""


class _Codes(dict[str, int]):
    """A number for each different text, counted from 0 in the order in which they are first asked for."""

    def __missing__(self, text: str) -> int:
        code = self[text] = len(self)
        return code


class RequestColumns:
    """Rows of requests that were not yet written. Times go in as monotonic nanoseconds.

    They wait as bytes, not as objects: what is done once a request is one call of `struct`, and what is done at a flush
    is numpy's.
    """

    def __init__(self) -> None:
        self._rows = bytearray()
        self._endpoints, self._regions, self._errors = _Codes(), _Codes(), _Codes({"": 0})

    def __len__(self) -> int:
        return len(self._rows) // _ROW.size

    def append(
        self,
        scheduled_ns: int,
        start_ns: int | None,
        latency_ns: int,
        status: int,
        size: int,
        endpoint: str,
        region: str,
        error: str,
    ) -> bool:
        """Add a row; returns whether there are now as many as memory should hold.

        `start_ns` None is an arrival that was never sent, which has no latency either. A `status` that can be none of
        HTTP is recorded as 0, none.
        """
        rows = self._rows
        rows += _pack(
            scheduled_ns,
            _NEVER if start_ns is None else start_ns,
            latency_ns,
            status,
            size,
            self._endpoints[endpoint],
            self._regions[region],
            self._errors[error],
        )
        return len(rows) >= _FULL

    def take(self, anchor: Anchor, worker: str) -> pa.RecordBatch:
        """All rows as one batch of the schema `REQUESTS`, with UTC times; none are left behind."""
        numbers = np.frombuffer(self._rows, np.int64).reshape(-1, _ROW.size // 8)
        scheduled, start, latency, status, size, endpoint, region, error = numbers.T
        to_utc = anchor.utc_ns(0)
        unsent = start == _NEVER
        columns = [
            pa.array(scheduled + to_utc),
            pa.array(np.where(unsent, 0, start) + to_utc, mask=unsent),
            pa.array(latency.copy(), mask=unsent),
            pa.array(np.where((status >= 0) & (status < 1 << 16), status, 0).astype(np.uint16)),
            pa.array(error == 0),
            pa.array(size.copy()),
            _named(endpoint, self._endpoints),
            _coded(region, self._regions),
            _coded(error, self._errors),
            _coded(np.zeros(len(self), np.int64), {worker: 0}),
        ]
        self.__init__()  # type: ignore[misc]  # starts afresh: a bytearray that numpy has seen cannot grow
        return pa.RecordBatch.from_arrays(columns, schema=REQUESTS)


def _coded(codes: npt.NDArray[np.int64], texts: Mapping[str, int]) -> pa.DictionaryArray:
    """A text column in which each different text is kept once."""
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array(list(texts), pa.string()))


def _named(codes: npt.NDArray[np.int64], names: Mapping[str, int]) -> pa.DictionaryArray:
    """The same of names of what was asked, without the queries of their URLs, which may hold secrets."""
    kept = _Codes()
    kept_by_code = np.array([kept[wording.endpoint(name)] for name in names], np.int64)
    return _coded(kept_by_code[codes], kept)


class Recorder:
    """Writes one worker's streams, `requests/<worker>.arrows` and `samples/<worker>.arrows` of a bundle.

    failed, and what is raised: as of `Streams`.
    """

    def __init__(self, bundle: Path, worker: str, anchor: Anchor, failed: Callable[[OSError], None]) -> None:
        self._streams = Streams(bundle, worker, {"requests": REQUESTS, "samples": SAMPLES}, failed)
        self._worker, self._anchor = worker, anchor
        self._rows = 0
        self.columns = RequestColumns()
        self.columns.take(anchor, worker)  # pyarrow's first batches cost 70 ms and 5 ms: not while arrivals are due
        self._readings(0, {"": 0.0})

    def flush(self) -> None:
        """Write the rows that wait."""
        if len(self.columns):
            self._rows += len(self.columns)
            self._streams.append("requests", self.columns.take(self._anchor, self._worker))

    def sample(self, mono_ns: int, readings: dict[str, float]) -> None:
        """Write one reading of each series, all taken at `mono_ns`."""
        self._streams.append("samples", self._readings(mono_ns, readings))

    def _readings(self, mono_ns: int, readings: dict[str, float]) -> pa.RecordBatch:
        rows = len(readings)
        times = pa.array(np.full(rows, self._anchor.utc_ns(mono_ns)))
        series = _coded(np.arange(rows), {name: code for code, name in enumerate(readings)})
        source = _coded(np.zeros(rows, np.int64), {self._worker: 0})
        columns = [times, series, source, pa.array(list(readings.values()), pa.float64())]
        return pa.RecordBatch.from_arrays(columns, schema=SAMPLES)

    def set_clock(self, anchor: Anchor) -> None:
        """Record by this clock from now on."""
        self._anchor = anchor

    def close(self, mono_ns: int) -> None:
        """Write what waits, and at last how many rows there were in all; end both streams. Harmless when called again.

        mono_ns: now.
        """
        if not self._streams.closed:
            self.flush()
            self.sample(mono_ns, {"load.rows": self._rows})
            self._streams.close()
