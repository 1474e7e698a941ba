"""What `vegeta encode` writes, as JSON or CSV: number, start to the nanosecond, status, latency, bytes, error, URL.

The fields are those of `lib/results.go` of vegeta 12.13. The timestamp is taken as the request is sent, the latency up
to the last byte of the body. The number (`seq`) counts the requests in the order in which they were due.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from gameday.imports.csvrows import columns, integers
from gameday.imports.jsonlines import tables
from gameday.imports.rows import Rows
from gameday.imports.source import Source
from gameday.imports.tally import Tally

_RESULT = pa.schema(
    [
        pa.field("timestamp", pa.timestamp("ns", "UTC")),
        pa.field("latency", pa.int64()),
        pa.field("code", pa.int64()),
        pa.field("seq", pa.int64()),
        pa.field("bytes_in", pa.int64()),
        pa.field("error", pa.string()),
        pa.field("method", pa.string()),
        pa.field("url", pa.string()),
    ]
)
_CSV_FIELDS = 12


def read_json(source: Source, tally: Tally) -> Iterator[Rows]:
    """The requests of `vegeta encode --to json`."""
    for table in tables(source, _RESULT, ("timestamp", "latency", "code", "seq"), tally):
        causes = table.column("error").fill_null("").to_pylist()
        yield Rows(
            start_ns=table.column("timestamp").cast(pa.int64()).to_numpy(),
            latency_ns=table.column("latency").to_numpy(),
            status=table.column("code").to_numpy(),
            good=np.array([not cause for cause in causes], np.bool_),
            sent=np.ones(table.num_rows, np.bool_),
            size=table.column("bytes_in").fill_null(0).to_numpy(),
            endpoint=_endpoints(table.column("method").to_pylist(), table.column("url").to_pylist()),
            cause=causes,
            number=table.column("seq").to_numpy(),
        )


def read_csv(source: Source, tally: Tally) -> Iterator[Rows]:
    """The requests of `vegeta encode --to csv`, which names no columns."""
    for _, fields, numbers in columns(source, tally, width=_CSV_FIELDS):
        start, has_start = integers(fields[0])
        status, has_status = integers(fields[1])
        latency, has_latency = integers(fields[2])
        size, _ = integers(fields[4])
        number, has_number = integers(fields[8])
        rows = Rows(
            start_ns=start,
            latency_ns=latency,
            status=status,
            good=np.array([not cause for cause in fields[5]], np.bool_),
            sent=np.ones(len(start), np.bool_),
            size=size,
            endpoint=_endpoints(fields[9], fields[10]),
            cause=fields[5],
            number=number,
        )
        yield tally.readable(rows, has_start & has_status & has_latency & has_number, numbers)


def _endpoints(methods: list[str | None] | tuple[str, ...], urls: list[str | None] | tuple[str, ...]) -> list[str]:
    return [f"{method or ''} {url or ''}" for method, url in zip(methods, urls, strict=True)]
