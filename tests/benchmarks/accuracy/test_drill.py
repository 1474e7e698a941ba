"""Whole drills: the same whenever, right or wrong as they deserve, and figures that can fail."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.accuracy.drill import Drill, Held, run_drill
from benchmarks.accuracy.kinds import KINDS, plan_of
from benchmarks.accuracy.summary import figures_of
from scorer.verdict import Grade


@pytest.fixture(scope="module")
def hard() -> Drill:
    return run_drill("hard, 100 requests/s", 0)


def test_the_same_number_is_the_same_drill(hard: Drill) -> None:
    assert run_drill("hard, 100 requests/s", 0) == hard
    assert run_drill("hard, 100 requests/s", 1) != hard


def test_every_kind_makes_plans_of_its_own() -> None:
    plans = {plan_of(kind, number) for kind in KINDS for number in range(3)}
    assert len(plans) == 3 * len(KINDS)


@pytest.mark.parametrize("kind", [kind for kind, made in KINDS.items() if not made.counts])
def test_a_drill_that_may_not_count_deserves_to_be_invalid(kind: str) -> None:
    assert run_drill(kind, 0).due is Grade.INVALID


@pytest.mark.parametrize(
    ("verdict", "due", "false_pass", "false_fail"),
    [
        (Grade.PASS, Grade.PASS, False, False),
        (Grade.PASS, Grade.WARN, True, False),
        (Grade.PASS, Grade.FAIL, True, False),
        (Grade.WARN, Grade.FAIL, True, False),
        (Grade.WARN, Grade.PASS, False, False),
        (Grade.WARN, Grade.INVALID, True, False),
        (Grade.FAIL, Grade.WARN, False, True),
        (Grade.FAIL, Grade.FAIL, False, False),
        (Grade.INCONCLUSIVE, Grade.FAIL, False, False),
        (Grade.INVALID, Grade.PASS, False, False),
    ],
)
def test_a_verdict_is_false_where_it_says_better_or_worse_than_was_deserved(
    hard: Drill, verdict: Grade, due: Grade, false_pass: bool, false_fail: bool
) -> None:
    drill = replace(hard, verdict=verdict, due=due)
    assert (drill.false_pass, drill.false_fail) == (false_pass, false_fail)


def test_figures_fail_where_intervals_miss_the_truth(hard: Drill) -> None:
    def holding(drills: list[Drill]) -> dict[str, bool | None]:
        return {figure.name: figure.holds for figure in figures_of(drills)}

    sound = replace(hard, verdict=Grade.PASS, due=Grade.PASS)
    assert all(holds is not False for holds in holding([sound] * 20).values())
    too_low = replace(sound, held={**sound.held, "recovery-user": Held(1.0, 0.9, 1.1, 3.0, 3.0)})
    assert holding([sound] * 18 + [too_low] * 2)["hard, 100 requests/s: recovery held"] is False
    wide = replace(sound, held={**sound.held, "recovery-user": Held(3.0, 1.0, 5.0, 3.0, 3.0)})
    assert holding([wide] * 20)["hard, 100 requests/s: width beyond what the arrivals allow, median"] is False
    figures = holding([sound] * 18 + [wide] * 2)
    assert figures["hard, 100 requests/s: width beyond what the arrivals allow, median"] is True
    assert figures["hard, 100 requests/s: width beyond what the arrivals allow, p95"] is False
    assert holding([replace(sound, due=Grade.FAIL)] + [sound] * 20)["false passes"] is False
    assert holding([replace(sound, verdict=Grade.FAIL)] + [sound] * 20)["false fails, share"] is False


def test_a_tail_that_no_request_met_is_told_beside_what_users_saw(hard: Drill) -> None:
    sound = replace(hard, verdict=Grade.PASS, due=Grade.PASS)
    untold = replace(sound, untraced=True, untold_s=5.0)
    beside = figures_of([sound] * 3 + [untold])[0].beside
    assert (beside["untraced"], beside["coverage_by_plan"]) == (1, 0.75)


def test_of_drills_that_may_not_count_only_the_verdict_is_asked(hard: Drill) -> None:
    judged = replace(hard, kind="a torn timeline", verdict=Grade.FAIL, due=Grade.INVALID)
    passed = replace(judged, verdict=Grade.PASS)
    figures = {figure.name: figure.holds for figure in figures_of([judged, passed])}
    assert figures["a torn timeline: false passes"] is False
    assert not any(" held" in name for name in figures)
    assert all(figure.holds is not False for figure in figures_of([judged] * 2))
