"""Promises around a truth: each drill deserves what they say, and the targets say the same."""

from __future__ import annotations

from math import inf
from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy.promises import Promise, due_grade, promises_around, targets_of
from benchmarks.accuracy.truth import Known
from scorer.targets import Targets
from scorer.verdict import Grade

TRUTH = {"recovery-user": 2.0, "error-rate": 10.0, "availability": 10.0, "failed-requests": 200.0, "unmet-probes": 0.0}


def known(**changes: float) -> Known:
    truth = {**TRUTH, **{name.replace("_", "-"): figure for name, figure in changes.items()}}
    return Known(truth, truth["recovery-user"])


@pytest.mark.parametrize(
    ("promise", "grade"),
    [
        (Promise(2, 2), Grade.PASS),
        (Promise(1.9, 2), Grade.WARN),
        (Promise(1.9, 1.99), Grade.FAIL),
    ],
)
def test_a_drill_deserves_what_its_worst_promise_says(promise: Promise, grade: Grade) -> None:
    assert due_grade({"error-rate": Promise(20, 20), "recovery-user": promise}, known()) is grade


def test_about_half_of_the_drills_miss_exactly_one_promise() -> None:
    missed = []
    for seed in range(400):
        promises = promises_around(known(), np.random.default_rng(seed))
        missed.append([name for name, promise in promises.items() if TRUTH[name] > promise.target])
    assert {len(names) for names in missed} == {0, 1}
    assert sum(map(bool, missed)) == pytest.approx(200, abs=40)
    assert {name for names in missed for name in names} == TRUTH.keys() - {"unmet-probes"}


def test_a_recovery_that_never_came_is_always_promised_and_missed() -> None:
    for seed in range(20):
        never = known(recovery_user=inf)
        promises = promises_around(never, np.random.default_rng(seed))
        assert due_grade(promises, never) is Grade.FAIL


def test_the_targets_say_what_was_promised() -> None:
    base = Targets.load(Path("runbook/targets.yaml"))
    targets = targets_of({"availability": Promise(2, 3), "recovery-user": Promise(4, 5)}, "pod-kill", base)
    promised = targets.of_drill("pod-kill")
    assert promised["availability"].limit.within("%") == (98, 97)
    assert promised["recovery-user"].limit.within("s") == (4, 5)
    assert targets.slos == base.slos
