"""The course of a game day in one line."""

from __future__ import annotations

from gameday.day import failed
from gameday.dayview import course
from gameday.errors import Aborted
from scorer.verdict import Grade
from tests.gameday.days import START_NS, result, turn


def test_it_tells_what_is_done_what_is_under_way_and_what_is_to_come() -> None:
    turns = [turn("a"), turn("b"), turn("c"), turn("d", 2, repeats=3)]
    aborted = failed(turns[1], Aborted("x"), 5, None, START_NS)
    assert course(turns, [result(Grade.FAIL), aborted]).plain == "✗ a  – b  ▶ c  · d 2/3"


def test_before_the_first_drill_ends_it_is_under_way() -> None:
    assert course([turn("a"), turn("b")], []).plain == "▶ a  · b"


def test_of_a_long_day_only_the_neighbours_are_told_by_name() -> None:
    turns = [turn(f"d{number}") for number in range(100)]
    assert (
        course(turns, [result()] * 50).plain == "47 before  ✓ d47  ✓ d48  ✓ d49  ▶ d50  · d51  · d52  · d53  46 after"
    )
