"""Columnar tables of a bundle: an Arrow stream while the run writes, Parquet once it is closed.

A stream that was cut by `kill -9` is read up to its last whole batch. `docs/bundle.md` gives every column.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bundle.nullable import nullable
from bundle.order import Keys, in_order, one_batch

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
_LONGEST_NAME = 32
"""Some writers cut the statistics of longer texts, so that two that differ look alike."""


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
    for piece in pieces(root, name, schema.names):
        yield from piece.batches()


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a table that can be read by itself, in any thread: a row group, or the batches of the streams."""

    columns: tuple[str, ...]
    rows: int
    batch: pa.RecordBatch | None = None
    file: _Parquet | None = None
    group: int = 0

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows in batches, with the columns that were asked for, of the types of the schema."""
        if self.file is not None:
            yield from self.file.batches(self.group, self.columns)
        elif self.batch is not None:
            yield self.batch.select(list(self.columns))

    def whole(self) -> pa.RecordBatch:
        """All of its rows as one batch."""
        return one_batch(list(self.batches()))


def pieces(root: Path, name: str, columns: Sequence[str]) -> list[Piece]:
    """Table `name` in pieces, in stored order, of which each gives these columns. Raises KeyError as `iter_table`."""
    schema = SCHEMAS[name]
    closed = root / f"{name}.parquet"
    if closed.exists():
        file = _Parquet(closed, schema)
        return [Piece(tuple(columns), rows, file=file, group=group) for group, rows in enumerate(file.groups) if rows]
    found = []
    for stream in sorted((root / name).glob(f"*{STREAM_SUFFIX}")):
        for batch in read_stream(stream):
            batch.validate(full=True)
            batch = batch if batch.schema.equals(schema) else batch.cast(schema)
            found.append(Piece(tuple(columns), batch.num_rows, batch))
    return found


class _Parquet:
    """A closed table. Each thread reads it through a file of its own; all share its metadata."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._path, self._schema, self._files = path, schema, threading.local()
        self._metadata = self._file().metadata
        self._places = {self._metadata.schema.column(i).path: i for i in range(self._metadata.num_columns)}

    @property
    def groups(self) -> list[int]:
        """How many rows each row group has."""
        return [self._metadata.row_group(group).num_rows for group in range(self._metadata.num_row_groups)]

    def batches(self, group: int, columns: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
        """A row group in batches. A column that holds one value by its statistics isn't decoded."""
        constant = {name: value for name in columns if (value := self._constant(group, name)) is not None}
        read = [name for name in columns if name not in constant] or list(columns[:1])
        fields = [self._schema.field(name) for name in columns]
        names = _dictionary_columns(self._schema)
        for batch in self._file().iter_batches(GROUP_ROWS, row_groups=[group], columns=read, use_threads=False):
            for name in read:  # which of the names a row has, and whether they are text, the reader doesn't check
                if name in names:
                    batch.column(name).validate(full=True)
            arrays = [
                _filled(field.type, constant[field.name]).slice(0, batch.num_rows)
                if field.name in constant
                else batch.column(field.name)
                for field in fields
            ]
            arrays = [_of(field, array) for field, array in zip(fields, arrays, strict=True)]
            yield pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))

    def _file(self) -> pq.ParquetFile:
        if not hasattr(self._files, "file"):
            known = getattr(self, "_metadata", None)
            names = _dictionary_columns(self._schema)
            self._files.file = pq.ParquetFile(self._path, metadata=known, read_dictionary=names, pre_buffer=False)
        file: pq.ParquetFile = self._files.file
        return file

    def _constant(self, group: int, name: str) -> bool | int | str | None:
        """The one value that a column of flags, of statuses or of names has throughout a row group, if it has."""
        kind = self._schema.field(name).type
        if not (pa.types.is_boolean(kind) or pa.types.is_uint16(kind) or pa.types.is_dictionary(kind)):
            return None
        place = self._places.get(name)
        found = None if place is None else self._metadata.row_group(group).column(place).statistics
        if found is None or not found.has_min_max or not found.has_null_count or found.null_count:
            return None
        try:
            value, most = found.min, found.max
        except ValueError:  # damaged: no text
            return None
        if type(value) is not type(most) or value != most:
            return None
        if pa.types.is_dictionary(kind):
            return value if isinstance(value, str) and len(value) < _LONGEST_NAME else None
        if pa.types.is_boolean(kind):
            return value if isinstance(value, bool) else None
        return value if type(value) is int and 0 <= value < 1 << 16 else None


def _of(field: pa.Field, array: pa.Array) -> pa.Array:
    """A column as the schema has it. Raises ValueError where it can't be."""
    if array.null_count and not field.nullable:
        raise ValueError(f"column {field.name} has rows without a value")
    # A cast imports pyarrow.compute, 0.1 s, and this package's own files don't need it.
    return array if array.type.equals(field.type) else array.cast(field.type)


@lru_cache(maxsize=64)
def _filled(kind: pa.DataType, value: bool | int | str) -> pa.Array:
    """GROUP_ROWS rows of one value."""
    if pa.types.is_dictionary(kind):
        codes = pa.array(np.zeros(GROUP_ROWS, dtype=np.int32))
        return pa.DictionaryArray.from_arrays(codes, pa.array([value], pa.string()))
    if pa.types.is_boolean(kind):
        bits = pa.py_buffer((b"\xff" if value else b"\0") * (GROUP_ROWS // 8))
        return pa.Array.from_buffers(kind, GROUP_ROWS, [None, bits])
    return pa.array(np.full(GROUP_ROWS, value, dtype=np.uint16))


def parquet_writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """Of a closed table. Whole numbers as differences: half the size of other encodings, read three times as fast."""
    numbers = [field.name for field in schema if pa.types.is_int64(field.type)]
    return pq.ParquetWriter(
        path,
        schema,
        compression={field.name: "LZ4" if field.name in numbers else "ZSTD" for field in schema},
        use_dictionary=[field.name for field in schema if field.name not in numbers],
        column_encoding=dict.fromkeys(numbers, "DELTA_BINARY_PACKED"),
    )


def sent_order(batch: pa.RecordBatch) -> Keys:
    """What `requests` are ordered by: when they were sent, or due where they never were; then what tells them apart."""
    due = batch.column("scheduled_ns").to_numpy()
    start, sent = nullable(batch.column("start_ns"))
    taken, answered = nullable(batch.column("latency_ns"))
    ok = batch.column("ok").to_numpy(zero_copy_only=False)
    return np.where(sent, start, due), due, np.where(answered, taken, 0), ok


def _itself(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch


def compact(root: Path, name: str) -> int:
    """Turn the streams of table `name` into one Parquet file, then remove them; returns how many rows it has. Requests
    are in the order of their start.

    The Parquet file appears by rename, so that a crash leaves either the streams or the whole file, never half. Raises
    OSError where there is no room for it: the streams stay.
    """
    schema = SCHEMAS[name]
    streams = sorted((root / name).glob(f"*{STREAM_SUFFIX}"))
    partial_file = root / f"{name}.parquet.partial"
    batches: Iterable[pa.RecordBatch] = (batch for stream in streams for batch in read_stream(stream))
    if schema is REQUESTS:
        batches = in_order([partial(_itself, batch) for batch in batches], sent_order)
    rows = 0
    try:
        with parquet_writer(partial_file, schema) as writer:
            for table in _in_groups(batches, schema):
                writer.write_table(table)
                rows += table.num_rows
    except OSError:
        partial_file.unlink(missing_ok=True)
        raise
    os.replace(partial_file, root / f"{name}.parquet")
    for stream in streams:
        stream.unlink()
    if (root / name).exists():
        (root / name).rmdir()
    return rows


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
