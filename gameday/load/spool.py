"""A worker's streams, passed on piece by piece as they grow.

The worker writes its record to its own disk as always, and this reads it again: so a connection that is slow or stalls
costs no memory and delays no arrival, and at the other end the very same bytes make the very same streams.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bundle.table import SCHEMAS, STREAM_SUFFIX

PIECE = 1 << 18
"""Bytes."""


class Spool:
    """The streams of one worker in a bundle of its own."""

    def __init__(self, bundle: Path, worker: str, send: Callable[[str, bytes], None]) -> None:
        """send: passes on the next piece of a table's stream, and returns once that is done."""
        self._streams = {table: bundle / table / f"{worker}{STREAM_SUFFIX}" for table in SCHEMAS}
        self._sent = dict.fromkeys(SCHEMAS, 0)
        self._send = send

    def step(self) -> bool:
        """Pass on one piece of each stream that has grown; whether there was any."""
        found = False
        for table, stream in self._streams.items():
            if not stream.exists():
                continue
            with stream.open("rb") as file:
                file.seek(self._sent[table])
                piece = file.read(PIECE)
            if piece:
                self._send(table, piece)
                self._sent[table] += len(piece)
                found = True
        return found
