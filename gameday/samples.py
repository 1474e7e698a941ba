"""The harness's own series: readings from several threads, written to the bundle in batches."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path


class SampleSink:
    """Collects readings and writes them as one Arrow batch a flush. Thread-safe."""

    def __init__(self, path: Path, failed: Callable[[OSError], None]) -> None:
        """failed: called each time that the file cannot be written. Raises OSError where it cannot be created."""
        from bundle.table import SAMPLES, StreamWriter

        self._writer = StreamWriter(path, SAMPLES)
        self._failed = failed
        self._lock = threading.Lock()
        self._rows: list[tuple[int, str, str, float]] = []

    def add(self, series: str, source: str, t_ns: int, value: float) -> None:
        """Keep one reading, `t_ns` in UTC nanoseconds, until the next flush."""
        with self._lock:
            self._rows.append((t_ns, series, source, value))

    def flush(self) -> None:
        """Write what has come since the last flush."""
        import pyarrow as pa

        with self._lock:
            rows, self._rows = self._rows, []
        if rows:
            columns = [pa.array(list(column)) for column in zip(*rows, strict=True)]
            columns[1:3] = [column.dictionary_encode() for column in columns[1:3]]
            try:
                self._writer.append(pa.record_batch(columns, schema=self._writer.schema))
            except OSError as error:
                self._failed(error)

    def close(self) -> None:
        """Flush and close the file."""
        self.flush()
        try:
            self._writer.close()
        except OSError as error:
            self._failed(error)
