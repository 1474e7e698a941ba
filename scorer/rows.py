"""Rows of a bundle as a person reads them: what was asked, of whom, and what went wrong.

Measures need none of that and don't keep it. An explanation names a few rows, which are found again in a second pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bundle.reader import Bundle
from scorer.requests import Requests, clock_offsets_ns, columns

if TYPE_CHECKING:
    import pyarrow as pa

Key = tuple[int, int, int, bool, bool]
"""A row as measures see it: scheduled, start and latency in ns, sent, ok."""


@dataclass(frozen=True, order=True)
class Row:
    """One row. Times in UTC nanoseconds on the bundle's clock; `start_ns` None: it was never sent."""

    scheduled_ns: int
    start_ns: int | None
    latency_ns: int | None
    ok: bool
    status: int
    endpoint: str
    region: str
    error: str
    worker: str


def key_of(request: Requests) -> Key:
    """The key of a single request."""
    return next(_keys(request))


def find_rows(bundle: Bundle, wanted: Iterable[Key]) -> dict[Key, Row]:
    """The row of each key, in one pass. Of rows that measures can't tell apart the first by its texts, so that the
    order of rows makes no difference. Raises BundleError."""
    keys = frozenset(wanted)
    dues = np.array(sorted({key[0] for key in keys}), dtype=np.int64)
    offsets = clock_offsets_ns(bundle.manifest)
    found: dict[Key, Row] = {}
    for batch in bundle.requests():
        requests, sane = columns(batch, offsets)
        places = np.flatnonzero(sane & np.isin(requests.scheduled_ns, dues))
        for place, key in zip(places.tolist(), _keys(requests.where(places)), strict=True):
            if key in keys:
                row = _row(batch, place, key)
                found[key] = min(row, found.get(key, row), key=_texts)
    return found


def _keys(requests: Requests) -> Iterator[Key]:
    yield from zip(
        requests.scheduled_ns.tolist(),
        requests.start_ns.tolist(),
        requests.latency_ns.tolist(),
        requests.sent.tolist(),
        requests.ok.tolist(),
        strict=True,
    )


def _row(batch: pa.RecordBatch, place: int, key: Key) -> Row:
    def cell(name: str) -> object:
        return batch.column(name)[place].as_py()

    scheduled_ns, start_ns, latency_ns, sent, ok = key
    return Row(
        scheduled_ns=scheduled_ns,
        start_ns=start_ns if sent else None,
        latency_ns=latency_ns if sent else None,
        ok=ok,
        status=int(str(cell("status"))),
        **{name: str(cell(name)) for name in ("endpoint", "region", "error", "worker")},
    )


def _texts(row: Row) -> tuple[int, str, str, str, str]:
    return row.status, row.endpoint, row.region, row.error, row.worker
