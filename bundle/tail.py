"""Following a stream that another process is writing, at the cost of what is new."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pyarrow as pa

LOOK_EVERY_S = 0.05


class StreamTail:
    """The batches of a growing Arrow stream, each once, read by a thread of its own until `close`.

    The thread's reads wait until the bytes they ask for are there, so that a batch is never seen half and never read
    twice; reading the whole file anew at each look would cost more the longer a drill lasts.
    """

    def __init__(self, path: Path) -> None:
        """Follow the file at `path`, which need not be there yet."""
        self._batches: queue.SimpleQueue[pa.RecordBatch] = queue.SimpleQueue()
        self._source = _Growing(path)
        self._thread = threading.Thread(target=self._follow, name=f"tail-{path.name}", daemon=True)
        self._thread.start()

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The whole batches that have come since the last call; never waits."""
        while True:
            try:
                yield self._batches.get_nowait()
            except queue.Empty:
                return

    def close(self) -> None:
        """Stop following."""
        self._source.stopping.set()
        self._thread.join()

    def _follow(self) -> None:
        try:
            for batch in pa.ipc.open_stream(self._source):
                self._batches.put(batch)
        except (pa.ArrowInvalid, OSError, StopIteration):
            if not self._source.stopping.is_set():
                raise
        finally:
            self._source.close()


class _Growing:
    """A file whose reads wait for the bytes they ask for, until `stopping` is set."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None
        self.stopping = threading.Event()
        self.closed = False

    def read(self, size: int) -> bytes:
        """Exactly `size` bytes, or fewer once it is being stopped."""
        found = b""
        while True:
            if self._file is None and self._path.exists():
                self._file = self._path.open("rb")
            if self._file is not None:
                found += self._file.read(size - len(found))
            if len(found) == size or self.stopping.wait(LOOK_EVERY_S):
                return found

    def close(self) -> None:
        """Close the file, if it ever was there."""
        self.closed = True
        if self._file is not None:
            self._file.close()
