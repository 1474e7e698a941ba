"""`gameday plan` as a person calls it."""

from __future__ import annotations

import fcntl
import json
from pathlib import Path

import pytest

from gameday.cli import invoke
from gameday.cluster import Cluster
from tests.gameday.days import item, plan, write
from tests.gameday.kubernetes import Objects

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def weekly(tmp_path: Path, cluster: Cluster, objects: Objects, monkeypatch: pytest.MonkeyPatch) -> str:
    """A plan that can be run on the API server that is there."""
    assert cluster
    monkeypatch.chdir(REPOSITORY)
    objects.deployment("web", 3)
    drills = item(repeats=2), item("second", profile="loadprofiles/peak.py", workers=2)
    return str(write(tmp_path, plan(*drills, contexts=["us-east-1"], host="http://127.0.0.1:9")))


def test_it_tells_what_would_run_and_touch(weekly: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["plan", weekly, "--runs", str(tmp_path / "runs")]) == 0
    text = capsys.readouterr().out
    assert "1. first, 2 times, severity 1: A killed orchestration-agent pod" in text
    assert "watches     us-east-1, namespace tars: web 0/3" in text
    assert "breaks      kill-one-orchestration-agent: ends 1 or more pods" in text
    assert "loadprofiles/peak.py: at most 100 requests/s from 2 processes to http://127.0.0.1:9" in text
    assert "Guards, which hold now: no other drill" in text
    assert not (tmp_path / "runs").exists()


def test_the_same_as_json(weekly: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["plan", weekly, "--json", "--runs", str(tmp_path / "runs")]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["schema"] == 1
    assert [drill["name"] for drill in told["drills"]] == ["first", "second"]


def test_an_earlier_run_that_is_not_undone_is_refused_as_a_run_would_be(
    weekly: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "runs" / "old"
    root.mkdir(parents=True)
    (root / "undo.json").write_text('{"state": "armed", "before": []}')
    (tmp_path / "runs" / ".lock").touch()
    assert invoke(["plan", weekly, "--runs", str(tmp_path / "runs")]) == 4
    done = capsys.readouterr()
    assert "an earlier run has not been undone (armed)" in done.err
    assert done.out == ""


def test_a_drill_that_is_under_way_is_refused_as_a_run_would_be(
    weekly: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "runs").mkdir()
    with (tmp_path / "runs" / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert invoke(["plan", weekly, "--runs", str(tmp_path / "runs")]) == 4
    assert "another drill or recovery is under way" in capsys.readouterr().err


def test_a_context_that_is_not_there_is_one_line_and_exit_code_2(
    weekly: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, plan(item(), item("second", contexts=["moon"]), contexts=["us-east-1"], host="http://[::1]"))
    assert invoke(["plan", str(path)]) == 2
    assert weekly == str(path)
    error = capsys.readouterr().err
    assert ": second: " in error
    assert "no context 'moon'" in error
    assert error.count("\n") == 1
