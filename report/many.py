"""Requests by bin where they are too many to hold: quantiles to 1 in 500 of their value, everything else exact."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from bundle.nullable import nullable
from bundle.reader import Bundle

Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

_DROPPED_BITS = 14
"""Of the 23 of a float's fraction: a cell is 1/512 of its values wide, or less."""
_MOST_NS = 2**48 - 1
_CELLS = int(np.array([_MOST_NS], np.float32).view(np.int32)[0] >> _DROPPED_BITS) + 1


@dataclass(frozen=True, slots=True)
class Extent:
    """How many requests there are, when the first and the last were due (None: there are none), how many failed and
    were never sent, and when the first and the last of these bad ones were due. Times in UTC nanoseconds."""

    total: int
    due_ns: tuple[int, int] | None
    failed: int
    unsent: int
    bad_ns: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that a figure needs; latency is -1 where there is none."""

    due_ns: Integers
    latency_ns: Integers
    ok: Flags
    sent: Flags

    @property
    def extent(self) -> Extent:
        """Theirs."""
        failed, unsent = self.sent & ~self.ok, ~self.sent
        bad = self.due_ns[failed | unsent]
        return Extent(len(self.due_ns), _ends(self.due_ns), int(failed.sum()), int(unsent.sum()), _ends(bad))


def read_columns(bundle: Bundle) -> Iterator[Columns]:
    """A batch at a time. Raises BundleError."""
    for batch in bundle.requests():
        taken, answered = nullable(batch["latency_ns"])
        yield Columns(
            due_ns=batch["scheduled_ns"].to_numpy(),
            latency_ns=np.where(answered, taken, -1),
            ok=batch["ok"].to_numpy(zero_copy_only=False),
            sent=nullable(batch["start_ns"])[1],
        )


def extent_of(bundle: Bundle) -> Extent:
    """The extent of all requests, in a pass of its own. Raises BundleError."""
    whole = Extent(0, None, 0, 0, None)
    for columns in read_columns(bundle):
        more = columns.extent
        whole = Extent(
            whole.total + more.total,
            _both(whole.due_ns, more.due_ns),
            whole.failed + more.failed,
            whole.unsent + more.unsent,
            _both(whole.bad_ns, more.bad_ns),
        )
    return whole


@dataclass(frozen=True, slots=True)
class Binned:
    """By bin: the median, the 95th percentile and the greatest of the latencies of good answers in ns, NaN where there
    are none; how many requests failed, and how many were never sent."""

    quantiles_ns: list[Floats]
    failed: Integers
    unsent: Integers


def by_bin(bundle: Bundle, start_ns: int, width_ns: int, bins: int) -> Binned:
    """Count all requests into bins, in a pass of its own. Raises BundleError."""
    cells = np.zeros((bins, _CELLS), dtype=np.uint32)
    most, failed, unsent = (np.full(bins, value, dtype=np.int64) for value in (-1, 0, 0))
    for columns in read_columns(bundle):
        which = (columns.due_ns - start_ns) // width_ns
        good = columns.ok & (columns.latency_ns >= 0)
        latency, of = np.minimum(columns.latency_ns[good], _MOST_NS), which[good]
        flat = of * _CELLS + (latency.astype(np.float32).view(np.int32) >> _DROPPED_BITS)
        found, counts = np.unique(flat, return_counts=True)
        cells.reshape(-1)[found] += counts.astype(np.uint32)
        np.maximum.at(most, of, columns.latency_ns[good])
        failed += np.bincount(which[columns.sent & ~columns.ok], minlength=bins)
        unsent += np.bincount(which[~columns.sent], minlength=bins)
    upto = np.cumsum(cells, axis=1, dtype=np.uint32)
    sizes = upto[:, -1].astype(np.int64)
    edges = (np.arange(_CELLS, dtype=np.int32) << _DROPPED_BITS).view(np.float32).astype(np.float64)
    quantiles = []
    for share in (0.5, 0.95):
        ranks = np.maximum(np.ceil(share * sizes), 1).astype(np.uint32)
        at = np.array([np.searchsorted(row, rank) for row, rank in zip(upto, ranks, strict=True)])
        quantiles.append(np.where(sizes > 0, edges[np.minimum(at, _CELLS - 1)], np.nan))
    greatest = np.where(most >= 0, most.astype(np.float64), np.nan)
    return Binned([*(np.minimum(quantile, greatest) for quantile in quantiles), greatest], failed, unsent)


def _ends(times_ns: Integers) -> tuple[int, int] | None:
    return (int(times_ns.min()), int(times_ns.max())) if len(times_ns) else None


def _both(one: tuple[int, int] | None, other: tuple[int, int] | None) -> tuple[int, int] | None:
    if one is None or other is None:
        return one or other
    return min(one[0], other[0]), max(one[1], other[1])
