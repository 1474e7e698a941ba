"""The chaos pass rate on a terminal."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from report.passrate import pass_rate_json, print_pass_rate
from scorer.passrate import DAY_NS, DrillRun, PassRate, pass_rate
from scorer.verdict import Grade
from tests.gameday.days import verdict

NOW_NS = 1_000 * DAY_NS


def rate(*grades: Grade, days_ago: float = 1, weights: tuple[float, ...] = ()) -> PassRate:
    """The rate of runs that came out like this."""
    runs = [
        DrillRun(NOW_NS - round(days_ago * DAY_NS), verdict(grade, f"r{number}"), (weights or (1.0,) * 9)[number % 9])
        for number, grade in enumerate(grades)
    ]
    return pass_rate(runs, 0.95, threshold=0.8, now_ns=NOW_NS, stale_after_days=14)


def printed(found: PassRate, width: int = 200, **console: object) -> str:
    """What is printed of it."""
    out = io.StringIO()
    print_pass_rate(found, Console(file=out, width=width, _environ={}, **console))  # type: ignore[arg-type]
    return out.getvalue()


def test_it_tells_the_rate_its_probability_and_how_many_more_show_it() -> None:
    text = printed(rate(*[Grade.PASS] * 9, Grade.FAIL))
    assert "90 % of 10 valid runs; target ≥ 95 %, met with probability 19.9 %" in text
    assert "at every look     ? inconclusive" in text
    assert "more passes in a row show it" in text
    assert "pod-kill passed 9 of 10 valid runs, [" in text


def test_what_does_not_count_and_what_is_stale_is_told() -> None:
    text = printed(rate(Grade.PASS, Grade.INVALID, days_ago=20))
    assert "1 invalid, stale" in text
    assert "neither passed nor failed: r1" in text


def test_severities_are_a_rate_of_their_own_only_where_they_differ() -> None:
    assert "by severity" not in printed(rate(Grade.PASS, Grade.FAIL))
    text = printed(rate(Grade.PASS, Grade.FAIL, weights=(3, 1) + (1,) * 7))
    assert "50 % of 2 valid runs" in text
    assert "by severity       75 % of 2 valid runs" in text


def test_no_valid_run_shows_nothing_and_breaks_nothing() -> None:
    assert "no valid run; target ≥ 95 %\n" in "\n".join(line.rstrip() for line in printed(rate()).splitlines()) + "\n"
    assert "drill" in printed(rate(Grade.INVALID))


def test_a_target_that_is_shown_needs_no_more_passes() -> None:
    assert "more passes" not in printed(rate(*[Grade.PASS] * 200))
    assert "> 99.9 %" in printed(rate(*[Grade.PASS] * 200))
    assert "< 0.1 %" in printed(rate(*[Grade.FAIL] * 20))


@pytest.mark.parametrize("width", [40, 80])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    text = printed(rate(Grade.PASS, Grade.FAIL, Grade.INVALID), width)
    assert max(len(line) for line in text.splitlines()) <= width


def test_json_holds_the_rate_and_what_was_never_judged() -> None:
    told = json.loads(pass_rate_json(rate(Grade.PASS, Grade.WARN), ["runs/x"], ["other"]))
    assert told["not_shown"] == ["other"]
    assert told["pass_rate"]["plain"]["always"]["verdict"] == "inconclusive"
    assert told["unjudged"] == ["runs/x"]
