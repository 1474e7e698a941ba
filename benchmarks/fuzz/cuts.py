"""Files that end too early, or in which a byte is another."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.fuzz.base import STREAMS
from benchmarks.fuzz.mutant import Base, May, Mutant

_Rng = np.random.Generator
_END = 8
"""The mark at the end of a stream, in bytes: it holds no row."""
_BLOCK = 20_000
"""The last block of a file is no longer than this, in bytes."""


def every_cut(base: Base) -> Iterator[Mutant]:
    """The requests and the timeline of a base cut at every byte of their last block."""
    for name in (requests_of(base), "timeline.jsonl"):
        size = len(base.files[name])
        for offset in range(max(0, size - _BLOCK), size):
            yield _cut(base, name, offset)


def requests_of(base: Base) -> str:
    """The file of the requests, a stream or Parquet."""
    return STREAMS["requests"] if STREAMS["requests"] in base.files else "requests.parquet"


def cut(base: Base, rng: _Rng) -> Mutant:
    """Any file cut anywhere."""
    name = str(rng.choice(sorted(base.files)))
    return _cut(base, name, int(rng.integers(len(base.files[name]) + 1)))


def flipped(base: Base, rng: _Rng) -> Mutant:
    """Up to four bytes of any file are others: in a title they change nothing, so that a pass may remain."""
    name = str(rng.choice(sorted(base.files)))
    data = bytearray(base.files[name])
    for place in rng.integers(0, len(data), int(rng.integers(1, 5))):
        data[place] = int(rng.integers(256))
    return Mutant(f"{_kind(name)}: bytes changed", May.PASS, {name: bytes(data)})


def _cut(base: Base, name: str, offset: int) -> Mutant:
    data = base.files[name][:offset]
    may = May.NO_PASS
    if name.startswith("ledger"):
        may = May.PASS  # no objective rests on it
    elif name.endswith(".arrows"):
        may = May.SAME if offset >= len(base.files[name]) - _END else May.NO_PASS
    elif not name.endswith(".parquet") and data.split() == base.files[name].split():
        may = May.SAME  # nothing is gone but the end of the last line
    if offset == len(base.files[name]):
        may = May.SAME
    return Mutant(f"{_kind(name)}: cut", may, {name: data})


def _kind(name: str) -> str:
    return name.partition("/")[0]


MUTATIONS: tuple[Callable[[Base, _Rng], Mutant], ...] = (cut, flipped)
