"""The folder of run bundles."""

from __future__ import annotations

from pathlib import Path

import pytest

from gameday.errors import BadInput, GuardRefused
from gameday.runs import alone, new_root, point_latest_at


def test_two_runs_in_one_second_get_folders_of_their_own(tmp_path: Path) -> None:
    first = new_root(tmp_path, "20260101T000000Z", "pod-kill")
    first.mkdir()
    second = new_root(tmp_path, "20260101T000000Z", "pod-kill")
    assert (first.name, second.name) == ("20260101T000000Z-pod-kill", "20260101T000000Z-pod-kill-2")


def test_latest_leads_to_the_newest_run(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        point_latest_at(tmp_path / name)
    assert (tmp_path / "latest").resolve() == tmp_path / "b"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b", "latest"]


def test_two_drills_never_share_a_folder_at_one_time(tmp_path: Path) -> None:
    with alone(tmp_path), pytest.raises(GuardRefused, match="another drill or recovery is under way"), alone(tmp_path):
        pytest.fail("both were let in")
    with alone(tmp_path):
        pass


def test_a_latest_that_is_a_real_folder_is_left_alone_and_told(tmp_path: Path) -> None:
    (tmp_path / "latest").mkdir()
    (tmp_path / "a").mkdir()
    with pytest.raises(BadInput, match="move it away"):
        point_latest_at(tmp_path / "a")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "latest"]


def test_a_folder_that_cannot_be_made_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="cannot be used for runs"), alone(tmp_path / "file"):
        pytest.fail("it was let in")
