"""`gameday passrate` as a person calls it."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from gameday.cli import invoke
from scorer.verdict import Grade
from tests.gameday.days import item, kept, plan, write


@pytest.fixture
def weekly(tmp_path: Path) -> list[str]:
    """The command with a plan and a folder of runs."""
    return ["passrate", "--plan", str(write(tmp_path, plan(item()))), "--runs", str(tmp_path / "runs")]


def test_runs_count_or_not_and_what_does_not_count_is_told(
    weekly: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for run, grade in (("a", Grade.PASS), ("b", Grade.FAIL), ("c", Grade.INVALID), ("d", None)):
        kept(tmp_path / "runs", run, grade)
    assert invoke(weekly) == 3
    text = " ".join(capsys.readouterr().out.split())
    assert "50 % of 2 valid runs; target ≥ 95 %" in text
    assert "pod-kill passed 1 of 2 valid runs, 1 invalid, stale" in text
    assert "not counted invalid, and so neither passed nor failed: c" in text
    assert f"Not counted, for want of a verdict: {tmp_path}/runs/d" in text
    assert "more passes in a row show it" in text


def test_the_code_is_that_of_what_the_runs_show(weekly: list[str], tmp_path: Path) -> None:
    for number in range(12):
        kept(tmp_path / "runs", f"r{number}", Grade.FAIL)
    assert invoke(weekly) == 1
    for number in range(12):
        kept(tmp_path / "warn", f"r{number}", Grade.WARN)
    named = [str(path) for path in (tmp_path / "warn").iterdir()]
    assert invoke([*weekly, *named]) == 3
    assert invoke([*weekly, *named, "--strict"]) == 1


def test_the_same_as_json(weekly: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept(tmp_path / "runs", "a", Grade.PASS)
    kept(tmp_path / "runs", "d", None)
    assert invoke([*weekly, "--json"]) == 3
    told = json.loads(capsys.readouterr().out)
    assert told["pass_rate"]["plain"]["once"]["measure"]["n"] == 1
    assert told["pass_rate"]["drills"][0]["stale"] is True
    assert told["unjudged"] == [f"{tmp_path}/runs/d"]


def test_a_folder_without_runs_is_one_line_and_exit_code_2(
    weekly: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke(weekly) == 2
    assert "there is no run" in capsys.readouterr().err


def test_a_drill_of_the_plan_that_never_ran_is_told_and_no_success(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now_ns = time.time_ns() - 1_000_000_000
    for number in range(200):
        kept(tmp_path / "runs", f"r{number}", Grade.PASS, now_ns)
    other = item(name="other", drill="region-failover")
    codes = [
        invoke(["passrate", "--plan", str(write(tmp_path, plan(*items))), "--runs", str(tmp_path / "runs")])
        for items in ((item(),), (item(), other))
    ]
    assert codes == [0, 3]
    assert "without a valid run of late: region-failover" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(("contexts", "code"), [(["east"], 0), (["west"], 3), ([], 0)])
def test_a_drill_of_the_plan_is_shown_by_runs_in_its_own_regions(
    contexts: list[str], code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now_ns = time.time_ns() - 1_000_000_000
    for number in range(200):
        kept(tmp_path / "runs", f"r{number}", Grade.PASS, now_ns, contexts=("east",))
    path = str(write(tmp_path, plan(item(contexts=contexts))))
    assert invoke(["passrate", "--plan", path, "--runs", str(tmp_path / "runs")]) == code
    missing = "Drills of the plan without a valid run of late: pod-kill in west"
    assert (missing in " ".join(capsys.readouterr().out.split())) == (code == 3)
