"""`gameday compare` as a person calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gameday.cli import invoke
from scorer.verdict import Grade, Measure
from tests.gameday.days import kept, objective


def many(folder: Path, count: int, value: float, *, name: str = "failed-requests") -> list[str]:
    """Runs in which an objective was measured as about this value."""
    paths = []
    for number in range(count):
        shown = Measure(
            name=name, value=value + number / 100, low=value, high=value, unit="requests", n=100, method="", evidence=()
        )
        run = f"{folder.name}-{number}"
        objectives = (objective(name=name, measure=shown),)
        paths.append(str(kept(folder, run, Grade.PASS, objectives=objectives)))
    return paths


@pytest.mark.parametrize(
    ("ours", "theirs", "code", "change"),
    [(9.0, 1.0, 1, "regression"), (1.0, 9.0, 0, "improvement"), (1.0, 1.0, 0, "within noise")],
)
def test_enough_runs_show_whether_it_got_worse(
    ours: float, theirs: float, code: int, change: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    newest, past = many(tmp_path / "new", 5, ours), many(tmp_path / "old", 5, theirs)
    assert invoke(["compare", *newest, "--against", *past, "--json"]) == code
    (found,) = json.loads(capsys.readouterr().out)["drills"]["pod-kill"]
    assert (found["metric"], found["change"]) == ("failed-requests", change)


def test_too_few_runs_say_how_many_it_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    newest, past = many(tmp_path / "new", 1, 9), many(tmp_path / "old", 1, 1)
    assert invoke(["compare", *newest, "--against", *past]) == 3
    assert "it takes 19 past ones" in " ".join(capsys.readouterr().out.split())


def test_a_metric_that_went_missing_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    newest, past = many(tmp_path / "new", 5, 1), many(tmp_path / "old", 5, 1, name="error-rate")
    assert invoke(["compare", *newest, "--against", *past]) == 3
    text = " ".join(capsys.readouterr().out.split())
    assert "✗ missing error-rate: missing from 5 of 5 newest runs" in text
    assert "+ new failed-requests: no past game day has it" in text


def test_a_drill_that_no_past_run_is_of_was_compared_with_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    past = [str(kept(tmp_path / "old", f"old-{number}", Grade.PASS, drill="failover")) for number in range(5)]
    assert invoke(["compare", *many(tmp_path / "new", 5, 1), "--against", *past]) == 3
    assert "+ new failed-requests" in " ".join(capsys.readouterr().out.split())


def test_options_may_stand_anywhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    newest, past = many(tmp_path / "new", 5, 9), many(tmp_path / "old", 5, 1)
    assert invoke(["compare", "--against", *past, "--json", *newest]) == 1
    assert json.loads(capsys.readouterr().out)["schema"] == 1


def test_what_cannot_be_compared_is_one_line_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    newest, past = many(tmp_path / "new", 1, 9), many(tmp_path / "old", 1, 1)
    unjudged = str(kept(tmp_path, "aborted", None))
    for arguments, says in (
        ([*newest, "--against", *newest], "new-0: is on both sides"),
        ([unjudged, "--against", *past], "has no verdict to compare"),
        ([*newest, "--against"], "requires an argument"),
        (newest, "Missing option '--against'"),
    ):
        assert invoke(["compare", *arguments]) == 2
        error = capsys.readouterr().err
        assert says in error
        assert error.count("\n") == 1
