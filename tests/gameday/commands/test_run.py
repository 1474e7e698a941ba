"""`gameday run` of a game day, as far as it goes without running anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from gameday.cli import invoke
from tests.gameday.days import item, plan, write

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--load", "loadprofiles/steady.py"], "--load"),
        (["--rate", "5"], "--rate"),
        (["--context", "moon"], "--context"),
        (["--warm-up", "5"], "--warm-up"),
        (["--targets", "runbook/targets.yaml"], "--targets"),
    ],
)
def test_what_the_plan_decides_is_no_option(options: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["run", "weekly", *options]) == 2
    error = capsys.readouterr().err
    assert error == f"gameday: runbook/weekly.yaml: {told} is for a single drill; say it in the plan, drill by drill\n"


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (plan(), "drills: tuple should have at least 1 item"),
        (plan(item(), item()), "two drills are called 'first'"),
        (plan(item(repeats=0)), "repeats"),
        (plan(item(), colour="red"), "colour: extra inputs"),
        (plan(item(drill="moon-landing")), "says nothing about the drill 'moon-landing'"),
        (plan(item(experiment="none.yaml")), "none.yaml: no such experiment"),
        (plan(item(), contexts=["moon"]), "no kubeconfig"),
    ],
)
def test_bad_input_is_one_line_with_its_place_and_nothing_is_started(
    document: object, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, document)
    runs = tmp_path / "runs"
    assert invoke(["run", str(path), "--runs", str(runs)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"gameday: {path}:")
    assert says in error
    assert error.count("\n") == 1
    assert not runs.exists()


def test_a_name_that_is_nowhere_is_told_with_the_game_days_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["run", "wekly"]) == 2
    assert "no such game day; give the path of a plan, or the name of one: " in capsys.readouterr().err


def test_an_experiment_still_needs_its_load(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["run", "experiments/pod-kill.yaml"]) == 2
    assert capsys.readouterr().err == "gameday: Missing option '--load'. See `gameday run --help`.\n"
