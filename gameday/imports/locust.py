"""One line a request of Locust, written by a listener in the Locust file: docs/importing.md has it.

Locust itself writes no such file. The columns are the arguments of its `events.request`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gameday.imports.csvrows import columns, integers, scaled
from gameday.imports.rows import Rows
from gameday.imports.source import Source
from gameday.imports.tally import Tally

NEEDED = ("start_time", "name", "response_time", "status_code", "exception")
_DECIMALS = 9
"""Of a second in nanoseconds."""


def read(source: Source, tally: Tally) -> Iterator[Rows]:
    """The requests of the file. Raises BadRecord where a needed column is missing."""
    decimals = 0
    for header, fields, numbers in columns(source, tally, needed=NEEDED, do="write them as docs/importing.md shows"):
        held = dict(zip(header, fields, strict=True))
        start, has_start = scaled(held["start_time"], 10**_DECIMALS)
        latency, has_latency = scaled(held["response_time"], 1_000_000)
        status, _ = integers(held["status_code"])
        # Python writes None out as a word or as nothing, by how it is written.
        causes = ["" if text == "None" else text for text in held["exception"]]
        decimals = max(decimals, *(len(text.partition(".")[2]) for text in held["start_time"]))
        tally.resolution_ns = 10 ** max(0, _DECIMALS - decimals)
        if "response_length" not in held:
            tally.lacks.add("bytes")
        rows = Rows(
            start_ns=start,
            latency_ns=latency,
            status=status,
            good=np.array([not cause for cause in causes], np.bool_),
            sent=np.ones(len(start), np.bool_),
            size=integers(held["response_length"])[0] if "response_length" in held else np.zeros(len(start), np.int64),
            endpoint=held["name"],
            cause=causes,
        )
        yield tally.readable(rows, has_start & has_latency, numbers)
