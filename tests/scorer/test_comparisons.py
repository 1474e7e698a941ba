"""Which metrics are compared, and which way is worse."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scorer.comparisons import compare_runs, histories
from scorer.passrate import DrillRun
from scorer.past import Change
from scorer.verdict import Grade, Measure, Objective, Verdict


def measure(name: str, value: float) -> Measure:
    """A value that is known."""
    return Measure(name=name, value=value, low=value, high=value, unit="%", n=9, method="")


def runs(
    value: float,
    *,
    count: int = 5,
    drill: str = "pod-kill",
    comparison: str = "at most",
    contexts: tuple[str, ...] = (),
) -> list[DrillRun]:
    """Runs with an objective and three measures of about this value."""
    made = []
    for number in range(count):
        each = value + number / 100
        objective = Objective(
            name="share",
            title="Share",
            verdict=Grade.PASS,
            comparison=comparison,  # type: ignore[arg-type]
            target=1,
            threshold=1,
            measure=measure("share", each),
            says="",
        )
        verdict = Verdict(
            schema=1,
            drill=drill,
            title="",
            run=f"{value}-{number}",
            verdict=Grade.PASS,
            summary="",
            validity=(),
            objectives=(objective,),
            measures=tuple(measure(name, each) for name in ("burn-rate.a", "budget-used.a", "page.a")),
            contexts=contexts,
            targets_sha256="",
        )
        made.append(DrillRun(number, verdict))
    return made


@pytest.mark.parametrize(("comparison", "change"), [("at most", Change.REGRESSION), ("at least", Change.IMPROVEMENT)])
def test_an_objective_is_worse_on_the_side_that_its_promise_forbids(comparison: str, change: Change) -> None:
    found = compare_runs(runs(9, comparison=comparison), runs(1, comparison=comparison), 0.95)
    assert found["pod-kill"][0].metric == "share"
    assert found["pod-kill"][0].change is change


def test_budgets_are_compared_and_what_has_no_worse_side_is_not() -> None:
    found = compare_runs(runs(9), runs(1), 0.95)
    assert [(c.metric, c.change) for c in found["pod-kill"]] == [
        ("share", Change.REGRESSION),
        ("burn-rate.a", Change.REGRESSION),
        ("budget-used.a", Change.REGRESSION),
    ]


def test_only_drills_of_the_newest_runs_are_compared() -> None:
    assert list(compare_runs(runs(9), [*runs(1), *runs(2, drill="other")], 0.95)) == ["pod-kill"]


def test_a_drill_without_a_past_is_new() -> None:
    found = compare_runs(runs(9), runs(1, drill="other"), 0.95)
    assert {c.change for c in found["pod-kill"]} == {Change.NEW}


def test_a_region_is_compared_with_its_own_past() -> None:
    east, west = ("east",), ("west",)
    past = [*runs(1, contexts=east), *runs(9, contexts=west)]
    found = compare_runs([*runs(1.5, contexts=east), *runs(9.5, contexts=west)], past, 0.95)
    assert {name: comparisons[0].change for name, comparisons in found.items()} == {
        "pod-kill in east": Change.REGRESSION,
        "pod-kill in west": Change.REGRESSION,
    }


def test_the_history_is_that_of_past_and_newest_runs_together() -> None:
    found = histories(later(runs(9), 5), [*runs(1), *runs(5, contexts=("west",))], 0.95)
    assert {metric: len(history.changes) for metric, history in found["pod-kill"].items()} == {
        "share": 1,
        "burn-rate.a": 1,
        "budget-used.a": 1,
    }
    (change,) = found["pod-kill"]["share"].changes
    assert (change.at_ns, change.before, change.after) == (5, pytest.approx(1.02), pytest.approx(9.02))


def later(some: list[DrillRun], by_ns: int) -> list[DrillRun]:
    """The same runs, later."""
    return [replace(run, at_ns=run.at_ns + by_ns) for run in some]
