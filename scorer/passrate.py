"""The chaos pass rate: how many valid drills passed, what that shows of the true rate, and what a mean would hide.

A drill that was invalid neither passes nor counts; one that was inconclusive counts and doesn't pass.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from scorer.rate import Promise, Rate, Stratum, rate_of, single_look
from scorer.verdict import Grade, Measure, Verdict

DAY_NS = 86_400_000_000_000


class Subject(NamedTuple):
    """A drill and where it runs: that one region stands the loss of a pod says nothing of another.

    contexts: in the order in which the drill names them, since the first is the one that is broken.
    """

    drill: str
    contexts: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.drill} in {', '.join(self.contexts)}" if self.contexts else self.drill


@dataclass(frozen=True, slots=True)
class DrillRun:
    """A verdict, when its run began (UTC), and how much it weighs by the severity that the plan gives it."""

    at_ns: int
    verdict: Verdict
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.weight < math.inf:
            raise ValueError(f"the weight of {self.verdict.run} is {self.weight}: it must be positive and finite")

    @property
    def valid(self) -> bool:
        """Whether it counts."""
        return self.verdict.verdict is not Grade.INVALID

    @property
    def subject(self) -> Subject:
        """What it is a run of."""
        return Subject(self.verdict.drill, self.verdict.contexts)


@dataclass(frozen=True, slots=True)
class DrillShare:
    """What one drill in one place contributes. `shown_ns`: when its newest valid run began, None where it had none.

    stale: that is longer ago than allowed, or in the future, where the clock of its run can't be trusted.
    """

    drill: str
    passed: int
    valid: int
    invalid: int
    shown_ns: int | None
    stale: bool
    measure: Measure
    contexts: tuple[str, ...] = ()

    @property
    def subject(self) -> Subject:
        """What it is the share of."""
        return Subject(self.drill, self.contexts)

    @property
    def says(self) -> str:
        """One line for a person."""
        counts = f"{self.subject} passed {self.passed} of {self.valid} valid runs"
        invalid = f", {self.invalid} invalid" if self.invalid else ""
        age = "" if not self.stale else ", never shown" if self.shown_ns is None else ", stale"
        return counts + invalid + age


@dataclass(frozen=True, slots=True)
class PassRate:
    """The pass rate of game days against `target`, a share.

    plain: every valid run counts alike. by_severity: runs count by their weights, where these differ.
    drills: what the rate is made of, the worst drill and place first. invalid: the runs that don't count.
    """

    target: float
    plain: Rate
    by_severity: Rate | None
    drills: tuple[DrillShare, ...]
    invalid: tuple[str, ...]

    @property
    def worst(self) -> DrillShare | None:
        """The drill that passes least often: the headline, which a mean would hide. None without drills."""
        return self.drills[0] if self.drills else None

    @property
    def stale(self) -> tuple[DrillShare, ...]:
        """The drills that have not shown anything lately."""
        return tuple(share for share in self.drills if share.stale)


def pass_rate(
    runs: Iterable[DrillRun],
    target: float,
    *,
    now_ns: int,
    stale_after_days: float,
    threshold: float | None = None,
    confidence: float = 0.95,
    strict: bool = False,
) -> PassRate:
    """The pass rate of all runs against a target share (0 < target ≤ 1), each bound by itself at `confidence`.

    Where `strict`, a warning is no pass. The threshold is the target where none is given. Raises ValueError where a
    run is there twice, which would count it twice, or the target is no share.
    """
    runs = sorted(runs, key=lambda run: (run.at_ns, run.verdict.run))
    threshold = target if threshold is None else threshold
    if not 0 < threshold <= target <= 1:
        raise ValueError(f"a target of {target} with a threshold of {threshold}: 0 < threshold ≤ target ≤ 1 must hold")
    if len({run.verdict.run for run in runs}) < len(runs):
        raise ValueError("a run is there twice: it would count twice")
    passing = {Grade.PASS} if strict else {Grade.PASS, Grade.WARN}
    valid = [run for run in runs if run.valid]
    promise = Promise(target, threshold, confidence)
    weights = sorted({run.weight for run in valid})
    total = math.fsum(run.weight for run in valid)
    strata = [
        Stratum(
            weight=weight,
            share=sum(run.weight == weight for run in valid) * weight / total,
            passed=sum(run.weight == weight and run.verdict.verdict in passing for run in valid),
            valid=sum(run.weight == weight for run in valid),
        )
        for weight in weights
    ]
    everything = Stratum(1.0, 1.0, sum(stratum.passed for stratum in strata), len(valid))
    shares = [
        _share(subject, of_subject, passing, confidence, now_ns, stale_after_days * DAY_NS)
        for subject, of_subject in _by_subject(runs).items()
    ]
    return PassRate(
        target=target,
        plain=rate_of([everything], promise),
        by_severity=rate_of(strata, promise) if len(strata) > 1 else None,
        drills=tuple(sorted(shares, key=_badness)),
        invalid=tuple(run.verdict.run for run in runs if not run.valid),
    )


def _by_subject(runs: Sequence[DrillRun]) -> dict[Subject, list[DrillRun]]:
    subjects: defaultdict[Subject, list[DrillRun]] = defaultdict(list)
    for run in runs:
        subjects[run.subject].append(run)
    return subjects


def _share(
    subject: Subject,
    runs: Sequence[DrillRun],
    passing: set[Grade],
    confidence: float,
    now_ns: int,
    stale_after_ns: float,
) -> DrillShare:
    valid = [run for run in runs if run.valid]
    passed = sum(run.verdict.verdict in passing for run in valid)
    shown_ns = max((run.at_ns for run in valid), default=None)
    return DrillShare(
        drill=subject.drill,
        contexts=subject.contexts,
        passed=passed,
        valid=len(valid),
        invalid=len(runs) - len(valid),
        shown_ns=shown_ns,
        stale=shown_ns is None or not 0 <= now_ns - shown_ns <= stale_after_ns,
        measure=single_look(passed, len(valid), confidence),
    )


def _badness(share: DrillShare) -> tuple[float, int, Subject]:
    """Least often passed first, of these the one that failed more often; what was never shown is worse than any."""
    rate = share.passed / share.valid if share.valid else -1.0
    return rate, share.passed - share.valid, share.subject
