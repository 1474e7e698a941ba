"""The order of a game day: what follows what, what ends it, and what it comes to."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundle.errors import ExplainedError
from gameday.day import WORST_FIRST, Result, Turn, counted, exit_code_of, failed, hold, judged, turns_of
from gameday.errors import Aborted, BadInput, GuardRefused, Interrupted, RollbackIncomplete
from gameday.exit_codes import ExitCode
from scorer.verdict import Grade
from tests.gameday.days import START_NS, agenda, item, result, turn, verdict

TURNS = (turn("a"), turn("b"), turn("c"))


def taking(**ends: Result) -> tuple[list[str], tuple[Result, ...], list[int]]:
    """Hold three turns of which some end as given and the others pass; what was taken, what came out, what was told."""
    taken: list[str] = []
    told: list[int] = []

    def take(of: Turn) -> Result:
        taken.append(of.item.name)
        return ends.get(of.item.name) or result(name=of.item.name)

    return taken, hold(TURNS, take, lambda results: told.append(len(results))), told


def error_in(name: str, error: ExplainedError) -> Result:
    """A drill that ended with an error."""
    return failed(turn(name), error, error.exit_code, "run-x", START_NS)


def test_repeats_follow_one_another_in_the_order_of_the_plan(tmp_path: Path) -> None:
    found = turns_of(agenda(tmp_path, item("a", repeats=2), item("b")))
    assert [of.label for of in found] == ["a 1/2", "a 2/2", "b"]


@pytest.mark.parametrize("grade", list(Grade))
def test_a_drill_follows_another_whatever_its_verdict(grade: Grade) -> None:
    taken, results, told = taking(a=result(grade, "a"))
    assert taken == ["a", "b", "c"]
    assert len(results) == 3
    assert told == [1, 2, 3]


@pytest.mark.parametrize("error", [Aborted("the load raised"), BadInput("the context is gone")])
def test_a_drill_follows_one_that_ended_early_and_is_undone(error: ExplainedError) -> None:
    assert taking(a=error_in("a", error))[0] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("error", "code", "why"),
    [
        (RollbackIncomplete("x"), 6, "not run: the fault of b is not undone"),
        (GuardRefused("x"), 4, "not run: a guard refused b"),
        (Interrupted("SIGINT received"), 5, "not run: the game day was interrupted"),
    ],
)
def test_no_drill_follows_a_guard_an_undo_that_failed_or_a_signal(error: ExplainedError, code: int, why: str) -> None:
    taken, results, told = taking(b=error_in("b", error))
    assert taken == ["a", "b"]
    assert told == [1, 2]
    assert (results[2].code, results[2].says, results[2].run) == (None, why, None)
    assert exit_code_of(results) == code


def test_a_signal_while_a_drill_was_ending_keeps_its_verdict_and_ends_the_day() -> None:
    last = judged(turn("a"), verdict(), START_NS, strict=False, interrupted=True)
    taken, results, _ = taking(a=last)
    assert taken == ["a"]
    assert results[0].verdict is not None
    assert exit_code_of(results) == ExitCode.ABORTED


@pytest.mark.parametrize(
    ("grades", "code"),
    [
        ((Grade.PASS, Grade.WARN), 0),
        ((Grade.PASS, Grade.INCONCLUSIVE), 3),
        ((Grade.INVALID, Grade.FAIL, Grade.PASS), 1),
    ],
)
def test_a_proven_failure_is_worse_than_a_drill_that_showed_nothing(grades: tuple[Grade, ...], code: int) -> None:
    assert exit_code_of(result(grade) for grade in grades) == code


def test_a_warning_fails_a_strict_day() -> None:
    assert exit_code_of([judged(turn(), verdict(Grade.WARN), START_NS, strict=True)]) == ExitCode.FAILED


def test_an_abort_that_was_undone_lets_the_day_go_on_and_counts_as_aborted() -> None:
    _, results, _ = taking(a=error_in("a", Aborted("the load raised")), b=result(Grade.FAIL, "b"))
    assert exit_code_of(results) == ExitCode.ABORTED


def test_a_drill_that_could_not_be_run_any_more_has_shown_nothing() -> None:
    """Bad input is what is told before anything is started; in the middle of a day that is no longer so."""
    assert error_in("a", BadInput("the context is gone")).code is ExitCode.NOTHING_SHOWN


def test_a_day_without_a_run_has_shown_nothing() -> None:
    assert exit_code_of([]) == ExitCode.NOTHING_SHOWN


@given(st.lists(st.sampled_from(list(ExitCode)).filter(lambda code: code is not ExitCode.BAD_INPUT), min_size=1))
def test_the_code_is_that_of_the_worst_whatever_the_order(codes: list[ExitCode]) -> None:
    results = [Result(turn(), code, "") for code in codes]
    assert exit_code_of(results) == exit_code_of(reversed(results)) == min(codes, key=WORST_FIRST.index)


def test_only_runs_with_a_verdict_make_up_the_pass_rate_and_weigh_by_severity() -> None:
    results = [result(Grade.PASS, "a", severity=3), error_in("b", Aborted("x")), result(Grade.FAIL, "c", "run-2")]
    assert [(run.verdict.run, run.weight) for run in counted(results)] == [("run-1", 3), ("run-2", 1)]
