"""Runs that were kept: which count, what each weighs, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundle.errors import BundleError
from gameday.dayrecord import record_of
from gameday.errors import BadInput
from gameday.shelf import read_shelf
from scorer.verdict import Grade
from tests.gameday.days import START_NS, agenda, item, kept, result


def test_all_runs_of_the_folder_count_oldest_first_and_the_newest_once(tmp_path: Path) -> None:
    kept(tmp_path, "a", Grade.PASS, START_NS + 2)
    (tmp_path / "latest").symlink_to(kept(tmp_path, "b", Grade.FAIL, START_NS + 1).name)
    shelf = read_shelf([], tmp_path)
    assert [run.verdict.run for run in shelf.runs] == ["b", "a"]
    assert [run.at_ns for run in shelf.runs] == [START_NS + 1, START_NS + 2]


def test_a_run_that_was_never_judged_is_told_and_not_counted(tmp_path: Path) -> None:
    kept(tmp_path, "a", Grade.PASS)
    aborted = kept(tmp_path, "b", None)
    shelf = read_shelf([], tmp_path)
    assert len(shelf.runs) == 1
    assert shelf.unjudged == (aborted,)


def test_a_run_weighs_what_its_game_day_gave_it(tmp_path: Path) -> None:
    for run in ("a", "b"):
        kept(tmp_path / "runs", run, Grade.PASS)
    root = tmp_path / "runs" / "weekly"
    root.mkdir()
    (tmp_path / "runs" / "latest-gameday").symlink_to("weekly")
    day = agenda(tmp_path, item(severity=3))
    record_of(day, (result(run="a", severity=3),), strict=False, began_ns=START_NS, now_ns=START_NS).write(root)
    assert [(r.verdict.run, r.weight) for r in read_shelf([], tmp_path / "runs").runs] == [("a", 3), ("b", 1)]
    chosen = read_shelf([tmp_path / "runs" / "a"], tmp_path / "elsewhere")
    assert [r.weight for r in chosen.runs] == [3]


def test_a_link_to_a_run_that_is_named_too_counts_once(tmp_path: Path) -> None:
    root = kept(tmp_path, "a", Grade.PASS)
    (tmp_path / "latest").symlink_to("a")
    assert len(read_shelf([root, tmp_path / "latest"], tmp_path).runs) == 1


def test_a_copy_of_a_run_is_refused_because_it_would_count_twice(tmp_path: Path) -> None:
    kept(tmp_path, "a", Grade.PASS)
    (tmp_path / "a").rename(tmp_path / "copy")
    kept(tmp_path, "a", Grade.PASS)
    with pytest.raises(BadInput, match=r"is the same run as .*a: it would count twice"):
        read_shelf([], tmp_path)


def test_a_verdict_that_cannot_be_read_is_refused_rather_than_left_out(tmp_path: Path) -> None:
    kept(tmp_path, "a", Grade.PASS)
    (kept(tmp_path, "b", Grade.FAIL) / "verdict.json").write_text("{")
    with pytest.raises(BundleError, match=r"b/verdict.json: cannot be read: .*; run `gameday score .*b`"):
        read_shelf([], tmp_path)


def test_a_verdict_of_a_newer_schema_is_refused_by_name(tmp_path: Path) -> None:
    path = kept(tmp_path / "runs", "a", Grade.PASS) / "verdict.json"
    path.write_text(path.read_text().replace('"schema": 1', '"schema": 2, "new": 0'))
    with pytest.raises(BundleError, match="its schema 2 is newer than the newest that is known here, 1"):
        read_shelf([], tmp_path / "runs")


def test_the_verdict_on_another_run_does_not_stand_for_this_one(tmp_path: Path) -> None:
    failed, passed = kept(tmp_path / "runs", "a", Grade.FAIL), kept(tmp_path / "others", "b", Grade.PASS)
    (failed / "verdict.json").write_bytes((passed / "verdict.json").read_bytes())
    with pytest.raises(BundleError, match=r"a/verdict.json: is the verdict on another run, b; run `gameday score .*a`"):
        read_shelf([], tmp_path / "runs")


def test_a_folder_without_runs_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=f"{tmp_path}: there is no run"):
        read_shelf([], tmp_path)


def test_what_is_no_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no such bundle"):
        read_shelf([tmp_path / "none"], tmp_path)
