"""Every metric of the newest runs against past ones, and over the history of both, drill by drill; what went missing is
among them, by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from scorer.changepoints import History, change_points
from scorer.passrate import DrillRun
from scorer.past import Comparison, Worse, compare, readings

BUDGETS = ("burn-rate.", "budget-used.")
"""How measures without a target begin that are worse where they are higher. Of others nobody has said what is worse."""


def compare_runs(
    newest: Sequence[DrillRun], past: Sequence[DrillRun], confidence: float
) -> dict[str, list[Comparison]]:
    """The comparison of each metric that any run of a drill has, by drill and place, for what the newest runs are of.

    Compared are the objectives' measures, of which it is known which way is worse, and the error budgets.
    """
    return {
        name: [
            compare(
                metric, readings(theirs, metric), readings(ours, metric), unit=unit, worse=worse, confidence=confidence
            )
            for metric, (unit, worse) in _metrics([*ours, *theirs]).items()
        ]
        for name, ours, theirs in _by_subject(newest, past)
    }


def histories(newest: Sequence[DrillRun], past: Sequence[DrillRun], confidence: float) -> dict[str, dict[str, History]]:
    """When the level of each of these metrics changed, past and newest runs together, by drill and place and metric."""
    return {
        name: {
            metric: change_points(readings([*theirs, *ours], metric), confidence=confidence)
            for metric in _metrics([*ours, *theirs])
        }
        for name, ours, theirs in _by_subject(newest, past)
    }


def _by_subject(
    newest: Sequence[DrillRun], past: Sequence[DrillRun]
) -> Iterator[tuple[str, list[DrillRun], list[DrillRun]]]:
    """The newest and the past runs of each drill and place that the newest are of."""
    for subject in dict.fromkeys(run.subject for run in newest):
        ours, theirs = ([run for run in runs if run.subject == subject] for runs in (newest, past))
        yield str(subject), ours, theirs


def _metrics(runs: Iterable[DrillRun]) -> dict[str, tuple[str, Worse]]:
    """Unit and direction of every metric of the runs of one drill, the objectives' first."""
    verdicts = [run.verdict for run in runs]
    found: dict[str, tuple[str, Worse]] = {}
    for verdict in verdicts:
        for objective in verdict.objectives:
            worse: Worse = "higher" if objective.comparison == "at most" else "lower"
            found.setdefault(objective.name, (objective.measure.unit, worse))
    for verdict in verdicts:
        for measure in (measure for measure in verdict.measures if measure.name.startswith(BUDGETS)):
            found.setdefault(measure.name, (measure.unit, "higher"))
    return found
