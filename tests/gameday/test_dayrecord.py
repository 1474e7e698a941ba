"""`gameday.json`: what it says of a day, and what is refused of it."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from bundle.errors import BundleError
from gameday.day import Result, failed
from gameday.dayrecord import FILE, DayRecord, record_of
from gameday.errors import Interrupted
from scorer.verdict import Grade
from tests.gameday.days import START_NS, agenda, item, result, turn

ROOT = Path(__file__).parents[2]


def record(folder: Path, *results: Result, running: bool = False) -> DayRecord:
    """The record of a day of these results."""
    day = agenda(folder, item("first", severity=2), item("second"))
    return record_of(day, results, strict=False, began_ns=START_NS, now_ns=START_NS + 60, running=running)


def test_a_day_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    written = record(tmp_path, result(severity=2), result(Grade.FAIL, "second", "run-2"))
    written.write(tmp_path)
    assert DayRecord.load(tmp_path) == written
    assert sorted(path.name for path in tmp_path.iterdir()) == [FILE, "weekly.yaml"]


def test_it_names_the_drills_their_runs_and_verdicts_and_the_rate(tmp_path: Path) -> None:
    told = json.loads(record(tmp_path, result(severity=2), result(Grade.FAIL, "second", "run-2")).to_json())
    assert (told["schema"], told["name"], told["state"], told["exit_code"]) == (1, "weekly", "completed", 1)
    assert [(d["name"], d["drill"], d["run"], d["verdict"]) for d in told["drills"]] == [
        ("first", "pod-kill", "run-1", "pass"),
        ("second", "pod-kill", "run-2", "fail"),
    ]
    assert told["pass_rate"]["plain"]["once"]["measure"]["value"] == 50
    assert told["pass_rate"]["by_severity"]["once"]["measure"]["value"] == pytest.approx(200 / 3)


def test_it_keeps_to_its_schema(tmp_path: Path) -> None:
    schema = json.loads((ROOT / "docs/gameday.schema.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    stopped = failed(turn("second"), Interrupted("SIGINT received"), 5, None, START_NS)
    for results in ((), (result(),), (result(), stopped)):
        validator.validate(json.loads(record(tmp_path, *results).to_json()))


def test_a_day_under_way_has_no_exit_code_yet(tmp_path: Path) -> None:
    told = record(tmp_path, result(), running=True)
    assert (told.state, told.exit_code, told.ended_ns) == ("running", None, None)


def test_a_day_that_was_stopped_says_so_and_why_a_drill_never_ran(tmp_path: Path) -> None:
    stopped = failed(turn("first"), Interrupted("SIGINT received"), 5, "run-1", START_NS)
    told = record(tmp_path, stopped, Result(turn("second"), None, "not run: the game day was interrupted"))
    assert (told.state, told.exit_code) == ("stopped", 5)
    assert told.drills[1].exit_code is None
    assert told.drills[1].says == "not run: the game day was interrupted"
    assert told.pass_rate.plain.probability is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 2}'])
def test_what_is_no_record_of_a_day_is_told_with_its_path(text: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(BundleError, match=f"{tmp_path / FILE}: cannot be read: "):
        DayRecord.load(tmp_path)


def test_a_folder_that_is_gone_is_told_when_the_record_is_written(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="cannot be written"):
        record(tmp_path).write(tmp_path / "none")
