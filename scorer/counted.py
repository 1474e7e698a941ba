"""What the Prometheus of each context said that the service counted, as a bundle's samples hold it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from scorer.span import Span

if TYPE_CHECKING:
    import pyarrow as pa

    from bundle.reader import Bundle

REQUESTS, ERRORS, LATENCY = "service.requests", "service.errors", "service.latency_le."
ALERT, REACH = "service.alert.", "service.reach_s"
GONE, UNSCRAPED = "service.gone", "service.unscraped"
NEW = ".new"
DISCOVERY_NS = 10_000_000_000
"""A pod is scraped this much later than it begins to serve, at the most: Prometheus takes up new ones every five
seconds."""
_MOST = 2.0**53
_MOST_NS = 2**62
_MOST_REACH_S = 86_400.0

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Rises:
    """By how much a counter had risen, each time in the `reach_ns` before `t_ns`, which is UTC."""

    t_ns: Ints
    risen: Floats
    reach_ns: Ints

    def between(self, span: Span) -> Amount:
        """How much of it came in a span."""
        began = self.t_ns - self.reach_ns
        inside = (began >= span.start_ns) & (self.t_ns < span.end_ns)
        touching = (self.t_ns >= span.start_ns) & (began < span.end_ns)
        middle = (began + self.reach_ns // 2 >= span.start_ns) & (began + self.reach_ns // 2 < span.end_ns)
        return Amount(*(float(self.risen[rows].sum()) for rows in (middle, inside, touching)))


@dataclass(frozen=True)
class Amount:
    """How much came in a span: the best figure, surely, and at the most."""

    value: float = 0.0
    sure: float = 0.0
    most: float = 0.0

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.value + other.value, self.sure + other.sure, self.most + other.most)

    def __sub__(self, other: Amount) -> Amount:
        """Where `other` is a part of this, the rest: each sum is over the same scrapes."""
        parts = (self.value - other.value, self.sure - other.sure, self.most - other.most)
        return Amount(*(max(0.0, part) for part in parts))


@dataclass(frozen=True, eq=False)
class Counted:
    """What was read of one context's Prometheus.

    `answered` are the answers within each limit of latency in seconds, which may be infinite. `alerts` are the times at
    which each was seen firing. `gone` pods went away; after their last scrapes
    they may have served as many requests more as `unscraped` says.
    """

    requests: Rises
    errors: Rises
    answered: Mapping[float, Rises] = field(default_factory=dict)
    alerts: Mapping[str, Ints] = field(default_factory=dict)
    gone: int = 0
    unscraped: float = 0.0
    reach_ns: int = 0


def read_counts(bundle: Bundle) -> dict[str, Counted]:
    """What each Prometheus said, by context; those alone that were read to the end. Raises BundleError."""
    parts: dict[tuple[str, str], list[tuple[Ints, Floats]]] = {}
    for batch in bundle.samples():
        for key, times, values in _rows(batch):
            parts.setdefault(key, []).append((times, values))
    contexts = sorted(context for context, series in parts if series == REACH)
    return {
        context: _counted(
            {
                series: (np.concatenate([times for times, _ in rows]), np.concatenate([values for _, values in rows]))
                for (of, series), rows in parts.items()
                if of == context
            }
        )
        for context in contexts
    }


def _rows(batch: pa.RecordBatch) -> Iterator[tuple[tuple[str, str], Ints, Floats]]:
    """The batch's sane rows of the service, by (context, series)."""
    series, contexts = batch.column("series"), batch.column("source")
    names = series.dictionary.to_pylist()
    if not any(name.startswith("service.") for name in names):
        return
    times, values = batch.column("t_ns").to_numpy(), batch.column("value").to_numpy()
    sane = (values >= 0) & (values < _MOST) & (times >= 0) & (times < _MOST_NS)
    codes, places = series.indices.to_numpy(), contexts.indices.to_numpy()
    for number, name in enumerate(names):
        for place, context in enumerate(contexts.dictionary.to_pylist() if name.startswith("service.") else ()):
            rows = sane & (codes == number) & (places == place)
            if rows.any():
                yield (context, name), times[rows], values[rows]


def _counted(own: Mapping[str, tuple[Ints, Floats]]) -> Counted:
    """One context's series."""
    reach_ns = round(min(_MOST_REACH_S, float(own[REACH][1][-1])) * 1e9)
    none: tuple[Ints, Floats] = (np.empty(0, dtype=np.int64), np.empty(0))

    def rises(name: str) -> Rises:
        (times, values), (new_times, new_values) = own.get(name, none), own.get(name + NEW, none)
        reaches = np.concatenate(
            [np.full(len(times), reach_ns), np.full(len(new_times), reach_ns + DISCOVERY_NS)]
        ).astype(np.int64)
        return Rises(np.concatenate([times, new_times]), np.concatenate([values, new_values]), reaches)

    limits = {limit: name.removesuffix(NEW) for name in own if (limit := _limit(name.removesuffix(NEW))) is not None}
    return Counted(
        requests=rises(REQUESTS),
        errors=rises(ERRORS),
        answered={limit: rises(limits[limit]) for limit in sorted(limits)},
        alerts={name.removeprefix(ALERT): times for name, (times, _) in own.items() if name.startswith(ALERT)},
        gone=int(own[GONE][1][-1]) if GONE in own else 0,
        unscraped=float(own[UNSCRAPED][1][-1]) if UNSCRAPED in own else 0.0,
        reach_ns=reach_ns,
    )


def _limit(name: str) -> float | None:
    """The limit in seconds that a series of answers is about; None where it is about something else."""
    try:
        limit = float(name.removeprefix(LATENCY)) if name.startswith(LATENCY) else -1.0
    except ValueError:
        return None
    return limit if limit >= 0 else None
