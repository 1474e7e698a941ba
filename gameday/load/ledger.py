"""The ledger: every write that the service acknowledged, with its unique key, to be read back after the drill.

A profile that imports `acknowledged` keeps one wherever a bundle is recorded. In the drill each row says `unknown`:
what became of the write is found out when it is read back, and until then it counts as nothing that is safe.
"""

from __future__ import annotations

import logging
import os
import time
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
import pyarrow as pa
from locust import events
from locust.env import Environment

from bundle.clock import Anchor
from bundle.table import LEDGER
from gameday.load.options import options_of
from gameday.load.plugin import clock_is_set, record_ends
from gameday.load.rows import REGION_HEADER
from gameday.load.streams import Streams, flush_for_ever

logger = logging.getLogger(__name__)

UNKNOWN = "unknown"


class Ledger:
    """Writes one worker's `ledger/<worker>.arrows`.

    failed, and what is raised: as of `Streams`.
    """

    def __init__(self, bundle: Path, worker: str, anchor: Anchor, failed: Callable[[OSError], None]) -> None:
        self._streams = Streams(bundle, worker, {"ledger": LEDGER}, failed)
        self._anchor = anchor
        self._keys: list[str] = []
        self._times = array("q")
        self._regions: list[str] = []

    def append(self, key: str, acknowledged_ns: int, region: str) -> None:
        """Add a write that was acknowledged at `acknowledged_ns` on CLOCK_MONOTONIC."""
        self._keys.append(key)
        self._times.append(self._anchor.utc_ns(acknowledged_ns))
        self._regions.append(region)

    def flush(self) -> None:
        """Write the rows that wait."""
        if not self._keys:
            return
        rows = len(self._keys)
        columns = [
            pa.array(self._keys, pa.string()),
            pa.array(self._times, pa.int64()),
            pa.array(self._regions, pa.string()).dictionary_encode(),
            pa.array([UNKNOWN] * rows, pa.string()).dictionary_encode(),
        ]
        self._keys, self._times, self._regions = [], array("q"), []
        self._streams.append("ledger", pa.RecordBatch.from_arrays(columns, schema=LEDGER))

    def set_clock(self, anchor: Anchor) -> None:
        """Record by this clock from now on."""
        self._anchor = anchor

    def close(self) -> None:
        """Write what waits and end the stream. Harmless when called again."""
        self.flush()
        self._streams.close()


_ledger: Ledger | None = None


def acknowledged(key: str, answer: Any) -> None:
    """Note that the service acknowledged the write of this unique key by `answer`, just now."""
    if _ledger is not None:
        headers = getattr(answer, "headers", None)
        _ledger.append(key, time.monotonic_ns(), str(headers.get(REGION_HEADER, "")) if headers else "")


def _open(environment: Environment, runner: Any, **_: Any) -> None:
    global _ledger
    options = options_of(environment)
    if options.gameday_bundle is None:
        return

    def failed(error: OSError) -> None:
        logger.critical("the ledger cannot be written, so the load ends: %s", error)
        gevent.spawn(runner.quit)

    try:
        _ledger = Ledger(options.gameday_bundle, options.gameday_worker, Anchor.of(os.environ), failed)
    except OSError as error:
        logger.error("the ledger cannot be written: %s", error)
        raise SystemExit(2) from None


def _begin(**_: Any) -> None:
    if _ledger is not None:
        gevent.spawn(flush_for_ever, _ledger.flush, gevent.sleep)


def _record_by(anchor: Anchor, **_: Any) -> None:
    if _ledger is not None:
        _ledger.set_clock(anchor)


def _finish(**_: Any) -> None:
    if _ledger is not None:
        _ledger.close()


for event, listener in (
    (events.init, _open),
    (events.test_start, _begin),
    (clock_is_set, _record_by),
    (record_ends, _finish),
):
    event.add_listener(listener)  # type: ignore[no-untyped-call]  # Locust leaves it unannotated
