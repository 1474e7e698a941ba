"""The kinds of drills that are planted: what goes wrong in each, and what the load and its record are like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from bundle.rates import RateCurve
from scorer.planted import Outage, Plan

AFTER_S = 20.0
"""From the fault to the end of the recovery phase."""

Shape = Callable[[float, np.random.Generator], Plan]
"""From the moment at which the outage ends, in seconds from the fault, to a plan that has it."""


@dataclass(frozen=True)
class Kind:
    """A kind of drill. `counts`: whether a drill of it may count at all; if not, any verdict but `invalid` is wrong.
    `at_100`: every drill of it has 100 requests/s."""

    shape: Shape
    counts: bool = True
    at_100: bool = False


def _outages(*parts: Outage) -> Plan:
    return Plan(outages=parts)


def _offsets(end: float, rng: np.random.Generator) -> Plan:
    ahead = tuple(float(ms) for ms in rng.uniform(-3000, 3000, 4))
    plan = Plan(outages=(Outage(0, end),), workers=4, offsets_ms=ahead, uncertain_ms=float(rng.uniform(1, 20)))
    return replace(plan, drift_ms=float(rng.uniform(-50, 50)))


def _rows_lost(end: float, _: np.random.Generator) -> Plan:
    return Plan(outages=(Outage(0, end, 1 / 3),), silent=(end / 2, end / 2 + 0.1))


def _missing(piece: Literal["requests", "samples", "pulse"]) -> Shape:
    return lambda end, _: Plan(outages=(Outage(0, end),), workers=4, missing=piece)


def _ramp(end: float, _: np.random.Generator) -> Plan:
    curve = RateCurve(((0.0, 20.0), (30.0, 300.0)))
    return Plan(outages=(Outage(0, end),), curves=(curve,))


def _users(outage: Callable[[float], Outage], **users: float) -> Shape:
    return lambda end, _: replace(Plan(outages=(outage(end),), users=int(users["users"])), pace_s=users["pace_s"])


KINDS: Mapping[str, Kind] = {
    "none": Kind(lambda *_: _outages()),
    "none, 0.1 % fail at any time": Kind(lambda *_: Plan(outages=(), background=0.001)),
    "hard, 100 requests/s": Kind(lambda end, _: _outages(Outage(0, end)), at_100=True),
    "hard": Kind(lambda end, _: _outages(Outage(0, end))),
    "hard and short": Kind(lambda end, _: _outages(Outage(0, end / 20))),
    "hard, 0.1 % fail at any time": Kind(lambda end, _: Plan(outages=(Outage(0, end),), background=0.001)),
    "one request in three": Kind(lambda end, _: _outages(Outage(0, end, 1 / 3))),
    "one in nine": Kind(lambda end, _: _outages(Outage(0, end, 1 / 9))),
    "one in 33": Kind(lambda end, _: _outages(Outage(0, end, 1 / 33))),
    "hard, then one in nine": Kind(lambda end, _: _outages(Outage(0, end / 2), Outage(end / 2, end, 1 / 9))),
    "hard, then one in 33": Kind(lambda end, _: _outages(Outage(0, end / 2), Outage(end / 2, end, 1 / 33))),
    "brown-out, all 400 ms slower": Kind(lambda end, _: _outages(Outage(0, end, 1.0, 400.0))),
    "brown-out, 40 % of them": Kind(lambda end, _: _outages(Outage(0, end, 0.4, 400.0))),
    "stalled, then answered": Kind(lambda end, _: _outages(Outage(0, end, held="answered"))),
    "flapping": Kind(lambda end, _: _outages(Outage(0, end / 3), Outage(end / 2, end * 0.7), Outage(end * 0.8, end))),
    "flapping, one in three": Kind(lambda end, _: _outages(Outage(0, end / 3, 1 / 3), Outage(end / 2, end, 1 / 3))),
    "never recovering": Kind(lambda _, rng: _outages(Outage(0, 60, float(rng.choice([1 / 9, 1 / 3, 1]))))),
    # The planter ends the fault 1.5 s after its action returned.
    "recovering before the fault ends": Kind(lambda end, _: _outages(Outage(0, 0.1 + end / 7))),
    "delayed": Kind(lambda end, _: _outages(Outage(end / 3, end))),
    "delayed, one in three": Kind(lambda end, _: _outages(Outage(end / 3, end, 1 / 3))),
    "clocks of four workers": Kind(_offsets),
    "a rate that rises": Kind(_ramp),
    "polled every 2 s": Kind(lambda end, _: Plan(outages=(Outage(0, end),), poll_s=2.0)),
    "unsent for 0.2 s": Kind(lambda end, _: Plan(outages=(Outage(0, end, 1 / 3),), unsent=(end / 2, end / 2 + 0.2))),
    "rows lost for 0.1 s, even spacing": Kind(_rows_lost),
    "rows lost for 0.1 s, Poisson": Kind(lambda end, rng: replace(_rows_lost(end, rng), spacing="poisson")),
    "a worker lost": Kind(lambda end, _: Plan(outages=(Outage(0, end, 1 / 3),), workers=10, worker_lost_s=17.0)),
    "closed: ten users, hard": Kind(_users(lambda end: Outage(0, end), users=10, pace_s=0.1)),
    "closed: a hundred users, one in three hangs": Kind(
        _users(lambda end: Outage(0, end, 1 / 3, held="failed"), users=100, pace_s=1.0)
    ),
    "harness killed": Kind(lambda end, _: Plan(outages=(Outage(0, end),), killed=True), counts=False),
    "blind for 3 s": Kind(lambda end, _: Plan(outages=(Outage(0, end),), blind=(end / 2, end / 2 + 3)), counts=False),
    "no pod killed": Kind(lambda *_: Plan(outages=(), pods_killed=0), counts=False),
    "a worker's rows missing": Kind(_missing("requests"), counts=False),
    "a worker's samples missing": Kind(_missing("samples"), counts=False),
    "the API server's pulse missing": Kind(_missing("pulse"), counts=False),
    "a torn timeline": Kind(
        lambda end, rng: Plan(outages=(Outage(0, end),), torn=float(rng.uniform(0.01, 0.99))), counts=False
    ),
    "generator silent for 3 s": Kind(lambda end, _: Plan(outages=(Outage(0, end),), silent=(1, 4)), counts=False),
}
"""Those of the issue and some harder ones, by name."""


def plan_of(name: str, number: int) -> Plan:
    """The plan of the drill of that number of a kind: always the same one."""
    kind, rng = KINDS[name], np.random.default_rng([number, *name.encode()])
    plan = kind.shape(float(rng.uniform(0.3, 9)), rng)
    rate, spacing, fault_ms = (
        rng.choice([50.0, 100.0, 300.0]),
        rng.choice(["uniform", "poisson"]),
        rng.choice([0, 40, 200]),
    )
    workers = int(rng.choice([1, 4])) if plan.workers == 1 and plan.users is None else plan.workers
    return replace(
        plan,
        seed=int(rng.integers(1 << 30)),
        rate_per_s=100.0 if kind.at_100 else float(rate),
        spacing="poisson" if name.endswith("Poisson") or (spacing == "poisson" and "even" not in name) else "uniform",
        workers=workers,
        fault_ms=float(fault_ms),
        after_s=AFTER_S,
        ready_s=float(rng.uniform(1, 10)),
        watch_jitter=True,
        unmet_after=("probe",) if rng.random() < 0.1 else (),
    )
