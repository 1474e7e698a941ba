"""The streams that one worker writes, in batches, until one of them can't be written any more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from bundle.table import STREAM_SUFFIX, StreamWriter

FLUSH_S = 0.15
"""Seconds between flushes. A bundle promises that a killed worker loses at most 200 ms of rows."""


def flush_for_ever(flush: Callable[[], None], sleep: Callable[[float], None]) -> None:
    """Write the rows that wait, every `FLUSH_S` seconds, until killed."""
    while True:
        sleep(FLUSH_S)
        flush()


class Streams:
    """`<table>/<worker>.arrows` of a bundle, for each of these tables.

    failed: called once, with the reason, when the bundle can no longer be written; what is appended is dropped then,
    and the caller has to end the load. Raises OSError where a stream cannot be created.
    """

    def __init__(
        self, bundle: Path, worker: str, schemas: dict[str, pa.Schema], failed: Callable[[OSError], None]
    ) -> None:
        self._failed = failed
        self._broken = self.closed = False
        self._writers: dict[str, StreamWriter] = {}
        for table, schema in schemas.items():
            (bundle / table).mkdir(parents=True, exist_ok=True)
            self._writers[table] = StreamWriter(bundle / table / f"{worker}{STREAM_SUFFIX}", schema)

    def append(self, table: str, batch: pa.RecordBatch) -> None:
        """Write a batch of a table's rows."""
        if not (self._broken or self.closed):
            self._try(lambda: self._writers[table].append(batch))

    def close(self) -> None:
        """End all of them. Harmless when called again."""
        if not self.closed:
            self.closed = True
            for writer in self._writers.values():
                self._try(writer.close)

    def _try(self, write: Callable[[], None]) -> None:
        try:
            write()
        except OSError as error:
            if not self._broken:
                self._broken = True
                self._failed(error)
