"""The file that is imported: plain, gzipped, or standard input."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from gameday.imports.errors import BadRecord

HEAD_BYTES = 1 << 16
"""So much of a file is looked at to tell its format."""

_GZIP = b"\x1f\x8b"


class _Unpacked(gzip.GzipFile):
    """What is packed in a file, with one error for whatever is wrong with the packing."""

    def read(self, size: int | None = -1) -> bytes:
        """As GzipFile does; raises BadRecord."""
        with _explained():
            return super().read(size)

    def read1(self, size: int = -1) -> bytes:
        """As GzipFile does; raises BadRecord."""
        with _explained():
            return super().read1(size)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadRecord(f"its compression is damaged: {error}", do="unpack what is left of it") from None


@dataclass(frozen=True)
class Source:
    """An open record. `stream` gives its bytes, unpacked, from the first one on; `raw` is the file as it lies there."""

    name: str
    stream: IO[bytes]
    raw: IO[bytes]
    size_bytes: int
    head: bytes

    def share(self) -> float:
        """How much of the file has been read, from 0 to 1."""
        return min(1.0, self.raw.tell() / self.size_bytes) if self.size_bytes else 1.0


@contextmanager
def opened(path: Path, stdin: IO[bytes] | None = None) -> Iterator[Source]:
    """Open the file at `path`, or standard input where that is `-`. Raises BadRecord.

    A pipe cannot be read twice, and its format must be known before its first row: it is copied to a temporary file.
    """
    name = "standard input" if str(path) == "-" else str(path)
    with _raw(path, stdin) as raw:
        packed = raw.read(len(_GZIP)) == _GZIP
        raw.seek(0)
        # mypy knows GzipFile as no IO[bytes], though it is one in all that is used here
        stream = cast("IO[bytes]", _Unpacked(fileobj=raw)) if packed else raw
        head = stream.read(HEAD_BYTES)
        stream.seek(0)
        if not head.strip():
            raise BadRecord("is empty", where=name, do="give the file that the load generator wrote")
        yield Source(name, stream, raw, os.fstat(raw.fileno()).st_size, head)


def _raw(path: Path, stdin: IO[bytes] | None) -> IO[bytes]:
    if str(path) != "-":
        try:
            return path.open("rb")
        except OSError as error:
            raise BadRecord(f"cannot be read: {error.strerror}", where=str(path), do="check its name") from None
    copy = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    shutil.copyfileobj(stdin or sys.stdin.buffer, copy)
    copy.seek(0)
    return copy


@contextmanager
def text_of(source: Source) -> Iterator[io.TextIOWrapper]:
    """The stream as text; a byte that is no UTF-8 becomes the replacement character. Newlines are left as they are."""
    text = io.TextIOWrapper(source.stream, encoding="utf-8-sig", errors="replace", newline="")
    try:
        yield text
    finally:
        text.detach()  # the stream is not the text's to close
