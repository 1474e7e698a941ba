"""A bundle's rows and entries as the series that the timeline figure draws. Pure: a bundle in, arrays out.

However many requests there were, at most MAX_BINS points a line come out, so that a report of a long drill opens as
fast as one of a short drill. Times are seconds from the fault's earliest possible moment (from the first phase
where there was no fault), so that a recovery time can be read off the axis.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from bundle.manifest import Effect, Manifest
from bundle.reader import Bundle
from bundle.timeline import Entry
from report.many import Binned, Columns, Extent, by_bin, extent_of, read_columns

MAX_BINS = 400
"""Points a line, at most: more than a screen can show apart."""

HELD_ROWS = 1 << 20
"""So many requests are held, 18 B each, and their quantiles exact."""

MIN_ROWS_A_BIN = 10
"""Rows a bin on average, at least, where the span allows: a p95 of fewer is nothing but their maximum."""

MAX_DEPLOYMENTS = 4
"""Replica panels drawn, at most; the rest are counted."""

_LADDER_S = [step * 10.0**power for power in range(-1, 5) for step in (1, 2, 5)]
_LATENCY_BITS = 48  # a sort key is the bin above and the latency below; 2^48 ns are three days

Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Span:
    """Something that lasted, in seconds from the origin. `start_s` and `end_s` are its outermost bounds."""

    name: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class RequestSeries:
    """Requests by the time at which they were due. Latencies are of good answers, NaN in a bin that has none."""

    width_s: float
    t_s: Floats
    p50_ms: Floats
    p95_ms: Floats
    max_ms: Floats
    failed_per_s: Floats
    unsent_per_s: Floats
    total: int
    failed: int
    unsent: int
    first_bad_s: float | None
    last_bad_s: float | None


@dataclass(frozen=True, slots=True)
class ReplicaSeries:
    """Ready and desired replicas of one deployment: each value holds from its time until the next."""

    context: str
    name: str
    t_s: Floats
    ready: Integers
    desired: Integers


@dataclass(frozen=True, slots=True)
class Series:
    """All that the figure draws."""

    origin_ns: int
    has_fault: bool
    start_s: float
    end_s: float
    phases: tuple[Span, ...]
    faults: tuple[Span, ...]
    requests: RequestSeries
    replicas: tuple[ReplicaSeries, ...]
    undrawn_deployments: int
    """Deployments of the fault's contexts that kept their replicas, or for which there was no room."""


def read_series(bundle: Bundle) -> Series:
    """Aggregate a bundle. Raises BundleError where a table cannot be read."""
    manifest, timeline = bundle.manifest, bundle.timeline
    rows = _Rows.read(bundle)
    begin = next((e for e in timeline if (e.kind, e.event) == ("fault", "begin")), None)
    first_ns, last_ns = _span_ns(manifest, timeline, rows)
    origin_ns = begin.earliest_ns if begin else first_ns

    def seconds(ns: int) -> float:
        return (ns - origin_ns) / 1e9

    replicas, undrawn = _replicas(manifest, timeline, origin_ns)
    return Series(
        origin_ns=origin_ns,
        has_fault=begin is not None,
        start_s=seconds(first_ns),
        end_s=seconds(last_ns),
        phases=tuple(Span(p.name, seconds(p.start_ns), seconds(p.end_ns or last_ns)) for p in manifest.phases),
        faults=tuple(
            Span(str(e.attributes.get("activity") or e.name or "fault"), seconds(e.earliest_ns), seconds(end_ns))
            for e, end_ns in _fault_windows(timeline, last_ns)
        ),
        requests=rows.series(origin_ns, first_ns, last_ns),
        replicas=replicas,
        undrawn_deployments=undrawn,
    )


def _span_ns(manifest: Manifest, timeline: list[Entry], rows: _Rows) -> tuple[int, int]:
    """From when to when the phases ran; a run that was killed lasted as long as anything was seen."""
    edges = [ns for phase in manifest.phases for ns in (phase.start_ns, phase.end_ns) if ns is not None]
    if not edges or any(phase.end_ns is None for phase in manifest.phases):
        edges += [entry.latest_ns for entry in timeline[-1:]]
        edges += [rows.extent.due_ns[1]] if rows.extent.due_ns else []
    return min(edges, default=manifest.clock_wall_ns), max(edges, default=manifest.clock_wall_ns)


@dataclass(frozen=True, slots=True)
class _Rows:
    """All requests: held, or counted by `by_bin` while they go by where they are too many."""

    extent: Extent
    by_bin: Callable[[int, int, int], Binned]

    @classmethod
    def read(cls, bundle: Bundle) -> _Rows:
        extent = extent_of(bundle)
        if extent.total > HELD_ROWS:
            return cls(extent, partial(by_bin, bundle))
        return cls(extent, partial(binned, list(read_columns(bundle))))

    def series(self, origin_ns: int, first_ns: int, last_ns: int) -> RequestSeries:
        extent = self.extent
        first_due_ns, last_due_ns = extent.due_ns or (first_ns, first_ns)
        start_ns, end_ns = min(first_ns, first_due_ns), max(last_ns, last_due_ns)
        # in whole nanoseconds: a row that is due exactly on an edge must fall into the same bin however it is reckoned
        width_ns = max(1, round(bin_width_s((end_ns - start_ns) / 1e9, extent.total) * 1e9))
        width_s = width_ns / 1e9
        bins = (end_ns - start_ns) // width_ns + 1
        found = self.by_bin(start_ns, width_ns, bins)
        p50, p95, most = found.quantiles_ns
        return RequestSeries(
            width_s=width_s,
            t_s=(start_ns - origin_ns) / 1e9 + (np.arange(bins, dtype=np.float64) + 0.5) * width_s,
            p50_ms=p50 / 1e6,
            p95_ms=p95 / 1e6,
            max_ms=most / 1e6,
            failed_per_s=found.failed / width_s,
            unsent_per_s=found.unsent / width_s,
            total=extent.total,
            failed=extent.failed,
            unsent=extent.unsent,
            first_bad_s=None if extent.bad_ns is None else (extent.bad_ns[0] - origin_ns) / 1e9,
            last_bad_s=None if extent.bad_ns is None else (extent.bad_ns[1] - origin_ns) / 1e9,
        )


def binned(held: list[Columns], start_ns: int, width_ns: int, bins: int) -> Binned:
    """The same of requests that are held, their quantiles exact."""
    no_times, no_flags = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.bool_)
    some = [Columns(no_times, no_times, no_flags, no_flags), *held]
    due_ns, latency_ns = (np.concatenate([getattr(one, name) for one in some]) for name in ("due_ns", "latency_ns"))
    ok, sent = (np.concatenate([getattr(one, name) for one in some]) for name in ("ok", "sent"))
    which, good = (due_ns - start_ns) // width_ns, ok & (latency_ns >= 0)
    return Binned(
        quantiles_by_bin(which[good], latency_ns[good], bins, (0.5, 0.95, 1.0)),
        np.bincount(which[sent & ~ok], minlength=bins),
        np.bincount(which[~sent], minlength=bins),
    )


def bin_width_s(span_s: float, rows: int) -> float:
    """The narrowest width of the 1-2-5 ladder that keeps to MAX_BINS and, on average, to MIN_ROWS_A_BIN."""
    enough = max(span_s / (MAX_BINS - 1), min(span_s / 10, MIN_ROWS_A_BIN * span_s / max(rows, 1)))
    return next((width for width in _LADDER_S if width >= enough), enough)


def quantiles_by_bin(bins: Integers, latency_ns: Integers, count: int, shares: tuple[float, ...]) -> list[Floats]:
    """For each share, its nearest-rank quantile of the latencies in each of `count` bins; NaN where a bin is empty.

    One sort of one array: the bin stands in a key's upper bits and the latency in the lower ones.
    """
    mask = (1 << _LATENCY_BITS) - 1
    keys = np.sort((bins << _LATENCY_BITS) | np.minimum(latency_ns, mask))
    sizes = np.bincount(bins, minlength=count)
    starts = np.cumsum(sizes) - sizes
    result = []
    for share in shares:
        ranks = np.maximum(np.ceil(share * sizes).astype(np.int64) - 1, 0)
        quantile = np.full(count, np.nan)
        filled = sizes > 0
        quantile[filled] = keys[(starts + ranks)[filled]] & mask
        result.append(quantile)
    return result


def _fault_windows(timeline: list[Entry], last_ns: int) -> Iterator[tuple[Entry, int]]:
    """Each begin of a fault with the latest moment of its end; a fault that nothing ended lasts to the run's end."""
    for index, entry in enumerate(timeline):
        if (entry.kind, entry.event) == ("fault", "begin"):
            activity = entry.attributes.get("activity")
            yield (
                entry,
                next(
                    (
                        later.latest_ns
                        for later in timeline[index:]
                        if (later.kind, later.event) == ("fault", "end")
                        and later.attributes.get("activity") == activity
                    ),
                    last_ns,
                ),
            )


def _replicas(manifest: Manifest, timeline: list[Entry], origin_ns: int) -> tuple[tuple[ReplicaSeries, ...], int]:
    """The affected deployments of the fault's contexts, and how many others there were."""
    contexts = {effect.context for effect in manifest.effects} or set(manifest.watched)
    seen: dict[tuple[str, str, str], list[Entry]] = {}
    for entry in timeline:
        if entry.kind == "deployment" and entry.context in contexts:
            seen.setdefault((entry.context, entry.namespace, entry.name), []).append(entry)
    series = [_one_deployment(entries, origin_ns) for _, entries in sorted(seen.items())]
    affected = [
        one
        for one, (_, entries) in zip(series, sorted(seen.items()), strict=True)
        if bool((one.ready != one.desired).any() or (one.desired != one.desired[0]).any())
        or any(_aims_at(effect, entries[0]) for effect in manifest.effects)
    ]
    drawn = affected[:MAX_DEPLOYMENTS]
    return tuple(drawn), len(series) - len(drawn)


def _one_deployment(entries: list[Entry], origin_ns: int) -> ReplicaSeries:
    gone = np.array([entry.event == "deleted" for entry in entries])

    def counts(attribute: str) -> Integers:
        read = [entry.attributes.get(attribute) for entry in entries]
        return np.where(gone, 0, np.array([number if isinstance(number, int) else 0 for number in read], np.int64))

    return ReplicaSeries(
        context=entries[0].context,
        name=entries[0].name,
        t_s=np.array([(entry.latest_ns - origin_ns) / 1e9 for entry in entries]),
        ready=counts("ready"),
        desired=counts("desired"),
    )


def _aims_at(effect: Effect, entry: Entry) -> bool:
    """Whether the effect names this deployment, or selects its pods by labels that the deployment shares."""
    if effect.context != entry.context or effect.namespace != entry.namespace:
        return False
    if effect.kind == "replicas":
        return effect.name == entry.name
    labels = entry.attributes.get("labels")
    wanted = dict(part.split("=", 1) for part in effect.selector.replace("==", "=").split(",") if "=" in part)
    return isinstance(labels, dict) and bool(wanted) and wanted.items() <= labels.items()
