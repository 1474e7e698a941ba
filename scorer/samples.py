"""What was sampled: the load generator's lag, the pulses of the API servers, how long pods took to answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from scorer.requests import Flags, Ints, matching
from scorer.span import Span

if TYPE_CHECKING:
    from bundle.reader import Bundle

CPU_SERIES = "hpa.cpu_percent"
"""An autoscaler's metric, from the metrics API; the source is `context/namespace/name` of the autoscaler."""
LAG_SERIES = "load.lag_s"
PULSE_SERIES = "api.round_trip_s"
ROWS_SERIES = "load.rows"
POLL_SERIES = "poll.widest_s"
TRIP_SERIES = "pod.round_trip_s"
UNANSWERED_SERIES = "pod.unanswered_s"
_MOST = 2.0**53
"""Whole numbers beyond are no longer told from each other."""


@dataclass(frozen=True, eq=False)
class Lags:
    """The samples of one worker, in the order in which they were written."""

    t_ns: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    lag_s: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0))


@dataclass(frozen=True, eq=False)
class Polls:
    """When a poll of one replica told of itself (UTC ns, in order), and by how much, since it told before, two of its
    questions were apart at the most, in seconds."""

    t_ns: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    widest_s: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0))


@dataclass(frozen=True, eq=False)
class Trips:
    """The questions that one pod was asked: when each was over, UTC ns, how long it took, and whether by an answer."""

    over_ns: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    took_ns: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    answered: Flags = field(default_factory=lambda: np.empty(0, dtype=np.bool_))

    def where(self, rows: Flags) -> Trips:
        """Some of them."""
        return Trips(self.over_ns[rows], self.took_ns[rows], self.answered[rows])

    def with_more(self, over_ns: Ints, took_s: npt.NDArray[np.float64], answered: bool) -> Trips:
        """These and others. Times that make no sense are left out."""
        sane = (took_s >= 0) & (took_s < _MOST / 1e9)
        return Trips(
            np.concatenate([self.over_ns, over_ns[sane]]),
            np.concatenate([self.took_ns, np.round(took_s[sane] * 1e9).astype(np.int64)]),
            np.concatenate([self.answered, np.full(np.count_nonzero(sane), answered)]),
        )


@dataclass(frozen=True)
class Samples:
    """The samples of a window: when each load worker took one of its lag, UTC ns, and the lag in seconds; `pulses`
    counts by context how often its API server answered.

    Of the whole run: `rows` is how many rows each worker that ended in good order says that it recorded, `polls` what
    the poll of each `context/pod` told, `trips` what each was asked whose delay is measured, `cpu` when how much of the
    requested CPU was in use, UTC ns and per cent by autoscaler.
    """

    lags: Mapping[str, Lags] = field(default_factory=dict)
    pulses: Mapping[str, int] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)
    polls: Mapping[str, Polls] = field(default_factory=dict)
    trips: Mapping[str, Trips] = field(default_factory=dict)
    cpu: Mapping[str, tuple[tuple[int, float], ...]] = field(default_factory=dict)


def read_samples(bundle: Bundle, window: Span | None) -> Samples:
    """The samples that were taken in a window; none where there is no window. Raises BundleError."""
    if window is None:
        return Samples()
    lags: dict[str, Lags] = {}
    polls: dict[str, Polls] = {}
    pulses, recorded = Counter[str](), dict[str, int]()
    trips: dict[str, Trips] = {}
    cpu: dict[str, list[tuple[int, float]]] = {}
    for batch in bundle.samples():
        taken, series, source = batch.column("t_ns").to_numpy(), batch.column("series"), batch.column("source")
        within = (taken >= window.start_ns) & (taken < window.end_ns)
        lag, beats = within & matching(series, LAG_SERIES), within & matching(series, PULSE_SERIES)
        asked = {True: matching(series, TRIP_SERIES), False: matching(series, UNANSWERED_SERIES)}
        total, poll, busy = (matching(series, each) for each in (ROWS_SERIES, POLL_SERIES, CPU_SERIES))
        for name in source.dictionary.to_pylist():
            of = matching(source, name)
            pulses[name] += int(np.count_nonzero(beats & of))
            counts = batch.column("value").to_numpy()[of & total]
            for count in counts[(counts >= 0) & (counts < _MOST)]:
                recorded[name] = max(recorded.get(name, 0), int(count))
            if (rows := of & poll).any():
                told, widest = polls.get(name, Polls()), batch.column("value").to_numpy()
                polls[name] = Polls(
                    np.concatenate([told.t_ns, taken[rows]]), np.concatenate([told.widest_s, widest[rows]])
                )
            for answered, rows in asked.items():
                if (some := rows & of).any():
                    values = batch.column("value").to_numpy()[some]
                    trips[name] = trips.get(name, Trips()).with_more(taken[some], values, answered)
            if (read := of & busy).any():
                percents = batch.column("value").to_numpy()[read]
                sane = np.isfinite(percents) & (percents >= 0)
                times = taken[read][sane].tolist()
                cpu.setdefault(name, []).extend(zip(times, percents[sane].tolist(), strict=True))
            if (rows := lag & of).any():
                sofar, values = lags.get(name, Lags()), batch.column("value").to_numpy()
                lags[name] = Lags(
                    np.concatenate([sofar.t_ns, taken[rows]]), np.concatenate([sofar.lag_s, values[rows]])
                )
    metrics = {name: tuple(readings) for name, readings in cpu.items()}
    return Samples(lags, {name: count for name, count in pulses.items() if count}, recorded, polls, trips, metrics)
