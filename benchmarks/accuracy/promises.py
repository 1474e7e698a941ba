"""What a drill is judged by: promises around the truth, so that each verdict is right or wrong and none is easy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.accuracy.truth import Known
from scorer.targets import MEASURE_UNITS, Limit, ObjectiveTarget, Targets
from scorer.verdict import Grade

_WITHOUT_FAILURES = {"recovery-user": 15.0, "error-rate": 2.0, "availability": 2.0}
"""What is promised where the truth is nothing at all: what enough requests can show."""
_LEAST_SHARE = 0.6
"""Promises of fewer per cent take more requests than such a drill has."""
_MOST = {"error-rate": 99.0, "availability": 99.0}
_FAR = 4.0


@dataclass(frozen=True)
class Promise:
    """At most `target`, or at worst `threshold`, in the measure's unit; of availability, in per cent that failed."""

    target: float
    threshold: float


Promises = Mapping[str, Promise]


def promises_around(known: Known, rng: np.random.Generator) -> Promises:
    """Half of the drills keep every promise, by a factor between 1 and 4; the others miss one of them, by as much.

    What can't be kept is promised only as the one that is missed; a recovery that never came always is.
    """
    kept = {name: _kept(name, truth, rng) for name, truth in known.by_measure.items() if np.isfinite(truth)}
    if np.isinf(known.by_measure["recovery-user"]):
        return {**kept, "recovery-user": _missed("recovery-user", np.inf, rng)}
    if rng.random() < 0.5:
        return kept
    missable = [name for name, truth in known.by_measure.items() if truth > _least(name)]
    if not missable:
        return kept
    name = missable[int(rng.integers(len(missable)))]
    return {**kept, name: _missed(name, known.by_measure[name], rng)}


def _least(name: str) -> float:
    return _LEAST_SHARE if name in _MOST else 0.0


def _kept(name: str, truth: float, rng: np.random.Generator) -> Promise:
    kept = max(_least(name), truth * _FAR ** rng.random())
    return _promise(name, kept if truth else _WITHOUT_FAILURES.get(name, 0.0), rng)


def _missed(name: str, truth: float, rng: np.random.Generator) -> Promise:
    """By a factor below 1, and by one failure or probe at least. What was never reached misses any promise."""
    if np.isinf(truth):
        return _promise(name, 5000.0 if name == "latency-p95" else 12.0, rng)
    target = max(_least(name), truth / _FAR ** (1 - rng.random()))
    if MEASURE_UNITS[name] in ("requests", "probes"):
        target = np.ceil(target) - 1
    return Promise(target, target) if rng.random() < 0.5 else _between(name, target, truth)


def _between(name: str, target: float, truth: float) -> Promise:
    """The truth is beyond the target and within the threshold."""
    return Promise(target, min(truth * 1.5, _MOST.get(name, np.inf)) if truth else target)


def _promise(name: str, target: float, rng: np.random.Generator) -> Promise:
    target = min(target, _MOST.get(name, np.inf))
    return Promise(target, target if rng.random() < 0.5 else min(1.5 * target, _MOST.get(name, np.inf)))


def due_grade(promises: Promises, known: Known) -> Grade:
    """What the drill deserves: pass, warn or fail."""
    truths = known.by_measure
    if any(truths[name] > promise.threshold for name, promise in promises.items()):
        return Grade.FAIL
    return Grade.WARN if any(truths[name] > promise.target for name, promise in promises.items()) else Grade.PASS


def targets_of(promises: Promises, drill: str, base: Targets) -> Targets:
    """The targets file that says so; everything else in it as in `base`."""
    objectives = {name: _objective(name, promise) for name, promise in promises.items()}
    return base.model_copy(update={"objectives": objectives, "drills": {drill: tuple(objectives)}})


def _objective(name: str, promise: Promise) -> ObjectiveTarget:
    if name == "availability":
        limit = Limit(target=100 - promise.target, threshold=100 - promise.threshold, unit="%")
        return ObjectiveTarget(title=name, measure=name, at_least=limit)
    limit = Limit.model_validate(
        {"target": float(promise.target), "threshold": float(promise.threshold), "unit": MEASURE_UNITS[name]}
    )
    return ObjectiveTarget(title=name, measure=name, at_most=limit)
