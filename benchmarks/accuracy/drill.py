"""One planted drill: scored as a whole, and held against its truth."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.accuracy.kinds import KINDS, plan_of
from benchmarks.accuracy.peers import found_s
from benchmarks.accuracy.promises import due_grade, promises_around, targets_of
from benchmarks.accuracy.truth import Known, known, met
from bundle.reader import Bundle
from scorer.planted import plant
from scorer.score import score
from scorer.targets import Targets
from scorer.verdict import Grade, Objective

_TARGETS = Path(__file__).parents[2] / "runbook" / "targets.yaml"


@dataclass(frozen=True)
class Held:
    """An interval and the truth that it should hold: from `least` to `truth`, which are the same but for a stall."""

    value: float | None
    low: float
    high: float
    least: float
    truth: float

    @property
    def too_low(self) -> bool:
        """Whether the truth lies above the interval."""
        return self.high < self.least

    @property
    def too_high(self) -> bool:
        """Whether the truth lies below the interval; what never came is beyond every lower bound."""
        return self.low > self.truth


@dataclass(frozen=True)
class Drill:
    """What a drill showed. `verdict` and `due` are what it was judged as and what it deserved; `held` is by measure.
    Seconds: `recovery_s` is the truth, infinite for never; `found_s` what the usual ways of measuring made of it."""

    kind: str
    number: int
    verdict: Grade
    due: Grade
    held: Mapping[str, Held]
    recovery_s: float
    found_s: Mapping[str, float]
    fault_s: float
    spacing_s: float
    """Between the last arrival that was due before the recovery and the first one after."""
    shown_s: float
    """All that rows can show of when a hard outage ended: `Truth.shown_s`."""
    untold_s: float
    """How much later an outage was planned to end that no request met."""
    untraced: bool
    """Whether no request met its last outage, so that the one before it is what users saw."""
    says: str

    @property
    def false_pass(self) -> bool:
        """Whether it passed, with a warning perhaps, and deserved worse."""
        order = (Grade.PASS, Grade.WARN, Grade.FAIL, Grade.INVALID)
        return self.verdict in (Grade.PASS, Grade.WARN) and order.index(self.verdict) < order.index(self.due)

    @property
    def false_fail(self) -> bool:
        """Whether it failed and kept its promises, to the threshold at worst."""
        return self.verdict is Grade.FAIL and self.due in (Grade.PASS, Grade.WARN)


def run_drill(kind: str, number: int) -> Drill:
    """Plant the drill of that number of a kind, and score it."""
    plan, base = plan_of(kind, number), _targets()
    rng = np.random.default_rng([plan.seed, number])
    with tempfile.TemporaryDirectory(prefix="gameday-accuracy-") as folder:
        truth = plant(Path(folder) / "bundle", plan)
        everything = known(plan, truth)
        promises = promises_around(everything, rng)
        verdict = score(Bundle.open(Path(folder) / "bundle"), targets_of(promises, plan.drill, base))
    due = due_grade(promises, everything) if KINDS[kind].counts else Grade.INVALID
    return Drill(
        kind=kind,
        number=number,
        verdict=verdict.verdict,
        due=due,
        held={objective.name: _held(objective, everything) for objective in verdict.objectives},
        recovery_s=everything.by_measure["recovery-user"],
        found_s=found_s(plan, rng),
        fault_s=plan.fault_ms / 1e3,
        spacing_s=truth.spacing_s,
        shown_s=truth.shown_s,
        untold_s=0.0 if truth.recovery_s is None else truth.recovery_s - everything.by_measure["recovery-user"],
        untraced=len(met(plan, truth)) < len(plan.outages),
        says=verdict.summary,
    )


@cache
def _targets() -> Targets:
    return Targets.load(_TARGETS)


def _held(objective: Objective, everything: Known) -> Held:
    measure, truth = objective.measure, everything.by_measure[objective.name]
    value, low, high = measure.value, measure.low, measure.high
    least = everything.recovered_from_s if objective.name == "recovery-user" else truth
    if objective.name == "availability":
        value, low, high = (None if bound is None else 100 - bound for bound in (value, high, low))
    bounds = (-np.inf if low is None else low, np.inf if high is None else high)
    # Figures of a verdict have nine digits.
    return Held(value, bounds[0] * (1 - 1e-8), bounds[1] * (1 + 1e-8), least, truth)
