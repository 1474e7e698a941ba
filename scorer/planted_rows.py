"""The requests of a planted drill, as an open workload sends them or as users do who wait for answers."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from bundle.rates import RateCurve
from scorer.planted_plan import EPOCH_NS, Outage, Plan

_S, _MS = 1_000_000_000, 1_000_000
_Ints = npt.NDArray[np.int64]
_Flags = npt.NDArray[np.bool_]
_Draw = tuple[int, float, float, bool, list[float]]
"""A request's service time in ns, the point of it at which it is handled, how its user's wait, whether it fails by
itself, and a chance for each outage."""
_MANY = 4096


@dataclass(frozen=True)
class Rows:
    """Columns of equal length, one row an arrival in order of its due time: due at, sent so much later, answered so
    long after that, all in nanoseconds; whether it was answered well, or would have been; whether it was never sent;
    whether it left no row."""

    scheduled: _Ints
    late: _Ints
    service: _Ints
    ok: _Flags
    unsent: _Flags
    lost: _Flags

    @property
    def done(self) -> _Ints:
        """When each was over."""
        return self.scheduled + self.late + self.service

    def where(self, rows: _Flags) -> Rows:
        """The rows that a mask selects."""
        return Rows(*(getattr(self, column.name)[rows] for column in fields(self)))


def rows_of(plan: Plan, rng: np.random.Generator, fault_ns: int, end_ns: int) -> Rows:
    """All requests of a plan up to `end_ns`."""
    return (
        _closed_rows(plan, rng, fault_ns, end_ns) if plan.users is not None else _open_rows(plan, rng, fault_ns, end_ns)
    )


def during(times: _Ints, fault_ns: int, span_s: tuple[float, float] | None) -> _Flags:
    """Which times lie in a span of seconds from the fault."""
    if span_s is None:
        return np.zeros(len(times), dtype=np.bool_)
    after_s = (times - fault_ns) / _S
    return (after_s >= span_s[0]) & (after_s < span_s[1])


def _open_rows(plan: Plan, rng: np.random.Generator, fault_ns: int, end_ns: int) -> Rows:
    scheduled = _due(plan, rng, end_ns)
    scheduled = scheduled[scheduled < end_ns]
    count = len(scheduled)
    late = np.round(rng.exponential(plan.late_ms * _MS, count)).astype(np.int64)
    service = np.round(rng.lognormal(np.log(12), 0.3, count) * _MS).astype(np.int64)
    if plan.speed != 1:
        service = np.where(scheduled - fault_ns > plan.sped_from_s * _S, np.round(service * plan.speed), service)
        service = service.astype(np.int64)
    handled = scheduled + late + np.round(service * rng.random(count)).astype(np.int64)
    ok = rng.random(count) >= plan.background
    held: list[tuple[_Flags, Outage]] = []
    for outage in plan.outages:
        hit = during(handled, fault_ns, (outage.start_s, outage.end_s)) & (rng.random(count) < outage.share)
        if outage.held:
            held.append((hit, outage))
        elif outage.slow_ms is not None:
            service[hit] += round(outage.slow_ms * _MS)
        else:
            ok[hit] = False
    service[~ok] = (handled - scheduled - late)[~ok]
    for hit, outage in held:
        let_go = fault_ns + round(outage.end_s * _S) - scheduled - late
        ok &= ~hit | (outage.held == "answered")
        service[hit] = np.where(ok, np.maximum(service, let_go + service), np.maximum(service, let_go))[hit]
    unsent = during(scheduled, fault_ns, plan.unsent)
    return Rows(scheduled, late, service, ok, unsent, during(scheduled, fault_ns, plan.silent))


def _due(plan: Plan, rng: np.random.Generator, end_ns: int) -> _Ints:
    if not plan.curves:
        return _spaced(plan, rng, RateCurve.constant(plan.rate_per_s), int((end_ns - EPOCH_NS) / _S * plan.rate_per_s))
    length_s = (end_ns - EPOCH_NS) / _S
    streams = [_spaced(plan, rng, curve, int(curve.expected(length_s) * 1.3) + 50) for curve in plan.curves]
    due: _Ints = np.sort(np.concatenate(streams))
    return due


def _spaced(plan: Plan, rng: np.random.Generator, curve: RateCurve, count: int) -> _Ints:
    gaps = rng.exponential(1.0, count) if plan.spacing == "poisson" else np.ones(count)
    if not curve.length_s:
        return EPOCH_NS + np.round(np.cumsum(gaps) / curve.highest_per_s * _S).astype(np.int64)
    when_s = np.array([curve.when_s(position) for position in np.cumsum(gaps).tolist()], dtype=np.float64)
    return EPOCH_NS + np.round(when_s[np.isfinite(when_s)] * _S).astype(np.int64)


def _closed_rows(plan: Plan, rng: np.random.Generator, fault_ns: int, end_ns: int) -> Rows:
    """Each user waits for its answer, then for `wait_s` on average, and until `pace_s` after its last start."""
    users = plan.users or 0
    every_ns = max(round((plan.pace_s + plan.wait_s + 0.012) * _S / max(1, users)), 1)
    waiting = [(EPOCH_NS + user * every_ns, user) for user in range(users)]
    rows: list[tuple[int, int, bool]] = []
    draws = _draws(plan, rng)
    while waiting and waiting[0][0] < end_ns:
        start, user = heapq.heappop(waiting)
        service, where, wait, failed, chances = next(draws)
        taken, ok = _served(plan, start - fault_ns, service, where, failed, chances)
        rows.append((start, taken, ok))
        following = max(start + taken + round(wait * 2 * plan.wait_s * _S), start + round(plan.pace_s * _S))
        heapq.heappush(waiting, (max(following, start + 1), user))
    starts, services, oks = (np.array([row[column] for row in rows], np.int64) for column in range(3))
    none = np.zeros(len(rows), dtype=np.int64)
    return Rows(starts, none, services, oks.astype(np.bool_), none.astype(np.bool_), none.astype(np.bool_))


def _draws(plan: Plan, rng: np.random.Generator) -> Iterator[_Draw]:
    while True:
        yield from zip(
            np.round(rng.lognormal(np.log(12), 0.3, _MANY) * _MS).astype(np.int64).tolist(),
            rng.random(_MANY).tolist(),
            rng.random(_MANY).tolist(),
            (rng.random(_MANY) < plan.background).tolist(),
            rng.random((_MANY, max(1, len(plan.outages)))).tolist(),
            strict=True,
        )


def _served(
    plan: Plan, after_ns: int, service: int, where: float, failed: bool, chances: list[float]
) -> tuple[int, bool]:
    """How long a request takes that starts so long after the fault, and whether it is answered well."""
    if after_ns > plan.sped_from_s * _S:
        service = round(service * plan.speed)
    handled = after_ns + round(service * where)
    taken, ok = (handled - after_ns, False) if failed else (service, True)
    for outage, chance in zip(plan.outages, chances, strict=False):
        if not outage.start_s * _S <= handled < outage.end_s * _S or chance >= outage.share:
            continue
        let_go = round(outage.end_s * _S) - after_ns
        if outage.held:
            ok = ok and outage.held == "answered"
            taken = max(taken, let_go + service if ok else let_go)
        elif outage.slow_ms is not None:
            taken += round(outage.slow_ms * _MS)
        else:
            taken, ok = handled - after_ns, False
    return taken, ok
