"""A game day, held, with drills that end as a test wants them to."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from junitparser import JUnitXml

from bundle.errors import BundleError
from gameday import holding
from gameday.errors import Aborted, BadInput, GuardRefused, RollbackIncomplete
from gameday.holding import hold_day
from gameday.runs import alone
from scorer.verdict import Grade
from tests.gameday.days import item, kept, plan, verdict, write

End = Grade | BaseException | type[BaseException]


class Day:
    """Runs a plan of three drills whose ends are given."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.runs = folder / "runs"
        self.path = write(folder, plan(item("a", severity=2), item("b", repeats=2)))
        self.ran: list[str] = []
        self.ends: list[End] = []
        self.checks: Callable[[str], None] = lambda _: None
        fakes = {"plan_of": self._plan_of, "execute": self._execute, "judge": self._judge, "keep": lambda *_: None}
        for name, fake in fakes.items():
            monkeypatch.setattr(holding, name, fake)

    def hold(self, *ends: End, as_json: bool = False, strict: bool = False) -> int:
        """Hold the day; the drills that aren't named pass."""
        self.ends = list(ends)
        return hold_day(self.path, self.runs, as_json=as_json, strict=strict)

    @property
    def record(self) -> dict[str, Any]:
        """What was written."""
        told: dict[str, Any] = json.loads((self.runs / "latest-gameday" / "gameday.json").read_text())
        return told

    def _plan_of(self, _: object, drill: Any, __: Path) -> Any:
        self.checks(drill.name)
        return SimpleNamespace(name=drill.name)

    def _execute(self, of: Any, root: Path, *_: object) -> bool:
        self.ran.append(of.name)
        kept(root.parent, root.name, None)
        end = self.ends.pop(0) if self.ends else Grade.PASS
        if not isinstance(end, Grade):
            raise end
        self._grade = end
        return False

    def _judge(self, root: Path) -> Any:
        bundle = SimpleNamespace(manifest=SimpleNamespace(clock_wall_ns=len(self.ran)))
        return bundle, None, verdict(self._grade, root.name)


@pytest.fixture
def day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Day]:
    """A day of three runs, and the signals as they were."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield Day(tmp_path, monkeypatch)
    for number, handler in before.items():
        signal.signal(number, handler)


def test_every_drill_runs_is_judged_and_told(day: Day, capsys: pytest.CaptureFixture[str]) -> None:
    assert day.hold(Grade.PASS, Grade.FAIL, Grade.INVALID) == 1
    assert day.ran == ["a", "b", "b"]
    assert [d["verdict"] for d in day.record["drills"]] == ["pass", "fail", "invalid"]
    done = capsys.readouterr()
    assert done.out.count("pod-kill: it was") == 3
    assert "1/3 a" in done.err
    assert "3/3 b 2/2" in done.err
    assert "50 % of 2 valid runs" in done.out
    assert '<failure message="3 requests"' in (day.runs / "latest-gameday" / "junit.xml").read_text()


def test_json_on_standard_output_is_the_record_and_nothing_else(day: Day, capsys: pytest.CaptureFixture[str]) -> None:
    assert day.hold(as_json=True) == 0
    done = capsys.readouterr()
    assert json.loads(done.out) == day.record
    assert "Chaos pass rate" in done.err


def test_a_warning_fails_a_strict_day(day: Day) -> None:
    assert day.hold(Grade.WARN, strict=True) == 1


def test_a_drill_that_aborts_is_told_and_the_next_one_runs(day: Day, capsys: pytest.CaptureFixture[str]) -> None:
    assert day.hold(Aborted("the load raised", where="x")) == 5
    assert day.ran == ["a", "b", "b"]
    assert "gameday: x: the load raised\n" in capsys.readouterr().err
    first = day.record["drills"][0]
    assert (first["verdict"], first["exit_code"], first["says"]) == (None, 5, "x: the load raised")
    assert (day.runs / first["run"]).is_dir()


@pytest.mark.parametrize(
    ("end", "code"), [(RollbackIncomplete("x"), 6), (GuardRefused("x"), 4), (KeyboardInterrupt, 5)]
)
def test_what_ends_the_day_leaves_the_others_unrun_and_is_written(day: Day, end: End, code: int) -> None:
    assert day.hold(Grade.FAIL, end) == code
    assert day.ran == ["a", "b"]
    assert [d["exit_code"] for d in day.record["drills"]] == [1, code, None]
    assert (day.record["state"], day.record["exit_code"]) == ("stopped", code)


def test_an_interruption_while_a_drill_is_judged_says_how_to_judge_it(
    day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: Path) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(holding, "judge", interrupt)
    assert day.hold() == 5
    assert day.record["drills"][0]["says"].startswith("a: interrupted; run `gameday score ")
    assert len(day.ran) == 1


def test_nothing_runs_where_any_drill_cannot_be_planned(day: Day) -> None:
    def refuse(name: str) -> None:
        if name == "b":
            raise BadInput("no context 'moon'")

    day.checks = refuse
    with pytest.raises(BadInput, match="moon"):
        day.hold()
    assert day.ran == []
    assert not day.runs.exists()


def test_a_drill_that_cannot_be_planned_any_more_has_shown_nothing(day: Day) -> None:
    seen: list[str] = []

    def refuse(name: str) -> None:
        seen.append(name)
        if seen == ["a", "b", "a"]:
            raise BadInput("the context is gone")

    day.checks = refuse
    assert day.hold() == 3
    assert day.ran == ["b", "b"]
    first = day.record["drills"][0]
    assert (first["exit_code"], first["run"], first["says"]) == (3, None, "the context is gone")


def test_a_fault_that_is_not_undone_keeps_the_day_from_starting(day: Day) -> None:
    root = day.runs / "old"
    root.mkdir(parents=True)
    (root / "undo.json").write_text('{"state": "armed", "before": []}')
    with pytest.raises(GuardRefused, match="an earlier run has not been undone"):
        day.hold()
    assert sorted(path.name for path in day.runs.iterdir()) == [".lock", "old"]


def test_the_folder_of_runs_is_held_all_the_time(day: Day) -> None:
    held: list[bool] = []

    def look(_: str) -> None:
        try:
            with alone(day.runs):
                held.append(False)
        except GuardRefused:
            held.append(True)

    day.checks = look
    day.hold()
    assert held == [False, False, True, True, True]


class Killed(BaseException):
    """What nobody catches."""


def test_a_defect_of_the_harness_is_told_recorded_and_no_reason_to_end_the_day(
    day: Day, capsys: pytest.CaptureFixture[str]
) -> None:
    assert day.hold(Grade.PASS, ZeroDivisionError("by nought")) == 3
    assert day.ran == ["a", "b", "b"]
    told = day.record["drills"][1]
    assert (told["verdict"], told["exit_code"]) == (None, 3)
    assert told["says"].startswith("internal error: ZeroDivisionError: by nought; ")
    assert day.record["state"] == "completed"
    assert "internal error: ZeroDivisionError" in capsys.readouterr().err


def test_a_day_that_is_killed_leaves_what_was_known(day: Day) -> None:
    with pytest.raises(Killed):
        day.hold(Grade.PASS, Killed())
    (folder,) = [path.parent for path in day.runs.glob("*/gameday.json")]
    told = json.loads((folder / "gameday.json").read_text())
    assert (told["state"], [d["verdict"] for d in told["drills"]]) == ("running", ["pass"])


def test_the_drills_that_a_killed_day_never_came_to_are_errors_in_junit(day: Day) -> None:
    with pytest.raises(Killed):
        day.hold(Grade.PASS, Killed())
    (path,) = day.runs.glob("*/junit.xml")
    suites = JUnitXml.fromfile(str(path))
    assert [(suite.name, suite.errors) for suite in suites] == [
        ("weekly.a", 0),
        ("weekly.b 1/2", 1),
        ("weekly.b 2/2", 1),
    ]
    assert "not run: the game day has not ended" in path.read_text(encoding="utf-8")


def test_a_folder_that_cannot_be_written_is_told_before_the_first_drill(
    day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise BundleError("cannot be written: No space left on device")

    monkeypatch.setattr(holding, "write_whole", refuse)
    with pytest.raises(BundleError, match="No space left"):
        day.hold()
    assert day.ran == []
