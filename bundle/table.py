"""Columnar tables of a bundle: an Arrow stream while the run writes, Parquet once it is closed.

A stream that was cut by `kill -9` is read up to its last whole batch. `docs/bundle.md` gives every column.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

_NAMES = pa.dictionary(pa.int32(), pa.string())

REQUESTS = pa.schema(
    [
        pa.field("scheduled_ns", pa.int64(), nullable=False),
        pa.field("start_ns", pa.int64()),
        pa.field("latency_ns", pa.int64()),
        pa.field("status", pa.uint16(), nullable=False),
        pa.field("ok", pa.bool_(), nullable=False),
        pa.field("bytes", pa.int64(), nullable=False),
        pa.field("endpoint", _NAMES, nullable=False),
        pa.field("region", _NAMES, nullable=False),
        pa.field("error", _NAMES, nullable=False),
        pa.field("worker", _NAMES, nullable=False),
    ]
)
"""One row a request. `latency_ns` runs from `scheduled_ns` to the last byte of the answer. An arrival that was due
and never sent has null `start_ns` and `latency_ns`, `ok` false and the reason in `error`."""

SAMPLES = pa.schema(
    [
        pa.field("t_ns", pa.int64(), nullable=False),
        pa.field("series", _NAMES, nullable=False),
        pa.field("source", _NAMES, nullable=False),
        pa.field("value", pa.float64(), nullable=False),
    ]
)
"""One row a reading of a series; `source` is the worker, pod or context it was taken at."""

LEDGER = pa.schema(
    [
        pa.field("key", pa.string(), nullable=False),
        pa.field("acknowledged_ns", pa.int64(), nullable=False),
        pa.field("region", _NAMES, nullable=False),
        pa.field("read_back", _NAMES, nullable=False),
    ]
)
"""One row an acknowledged write and a region; `read_back` is found, lost, stale or unknown."""

SCHEMAS = {"requests": REQUESTS, "samples": SAMPLES, "ledger": LEDGER}
STREAM_SUFFIX = ".arrows"
GROUP_ROWS = 1 << 17


class StreamWriter:
    """Appends record batches to an Arrow stream file; each is on the file system when `append` returns.

    The names of a batch's dictionary columns come with it where they changed, so that a reader needs nothing that comes
    later.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        # buffered: a write of its own to a disk that is nearly full may write less than it was given, without an error
        self._file = path.open("wb")
        self._writer = pa.ipc.new_stream(self._file, schema)
        self.schema = schema

    def append(self, batch: pa.RecordBatch) -> None:
        """Write one batch of this writer's schema."""
        if batch.num_rows:
            self._writer.write_batch(batch)
            self._file.flush()

    def close(self) -> None:
        """Write the end-of-stream mark and close the file, also where the mark finds no room (OSError)."""
        try:
            self._writer.close()
        finally:
            self._file.close()


def read_stream(path: Path) -> Iterator[pa.RecordBatch]:
    """The whole batches of a stream file, in order; what a killed writer left torn at the end is left out."""
    if not path.exists() or path.stat().st_size == 0:
        return
    with pa.memory_map(os.fspath(path)) as source:
        try:
            reader = pa.ipc.open_stream(source)
        except (pa.ArrowInvalid, OSError):
            return
        while True:
            try:
                yield reader.read_next_batch()
            except StopIteration:
                return
            except (pa.ArrowInvalid, OSError):  # the torn tail of a killed writer
                return


def iter_table(root: Path, name: str) -> Iterator[pa.RecordBatch]:
    """The batches of table `name` of the bundle at `root`, closed or not, with the columns of its schema.

    Raises KeyError for a name that is no table. A table that was never written gives no batches.
    """
    schema = SCHEMAS[name]
    closed = root / f"{name}.parquet"
    if closed.exists():
        names = _dictionary_columns(schema)
        for batch in pq.ParquetFile(closed, read_dictionary=names).iter_batches(1 << 18):
            for name in names:  # which of the names a row has, and whether they are text, the reader doesn't check
                batch.column(name).validate(full=True)
            # A cast imports pyarrow.compute, 0.1 s, and this package's own files don't need it.
            yield batch if batch.schema.equals(schema) else batch.cast(schema)
        return
    for stream in sorted((root / name).glob(f"*{STREAM_SUFFIX}")):
        for batch in read_stream(stream):
            batch.validate(full=True)
            yield batch if batch.schema.equals(schema) else batch.cast(schema)


def compact(root: Path, name: str) -> None:
    """Turn the streams of table `name` into one Parquet file, then remove them.

    The Parquet file appears by rename, so that a crash leaves either the streams or the whole file, never half. Raises
    OSError where there is no room for it: the streams stay.
    """
    schema = SCHEMAS[name]
    streams = sorted((root / name).glob(f"*{STREAM_SUFFIX}"))
    partial = root / f"{name}.parquet.partial"
    try:
        with pq.ParquetWriter(partial, schema, compression="zstd") as writer:
            for table in _in_groups((batch for stream in streams for batch in read_stream(stream)), schema):
                writer.write_table(table)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    os.replace(partial, root / f"{name}.parquet")
    for stream in streams:
        stream.unlink()
    if (root / name).exists():
        (root / name).rmdir()


def _in_groups(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    """Many small batches as few tables of GROUP_ROWS rows or a little more: a row group a flush would read slowly."""
    group: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        group.append(batch)
        rows += batch.num_rows
        if rows >= GROUP_ROWS:
            yield pa.Table.from_batches(group, schema).unify_dictionaries()
            group, rows = [], 0
    if group:
        yield pa.Table.from_batches(group, schema).unify_dictionaries()


def _dictionary_columns(schema: pa.Schema) -> list[str]:
    return [field.name for field in schema if pa.types.is_dictionary(field.type)]
