from __future__ import annotations

import stat
from pathlib import Path

import pytest

from sandbox.errors import SandboxError
from sandbox.periods import Periods
from sandbox.state import Record, State, default_directory


def test_the_directory_is_named_by_the_environment_or_lies_in_the_xdg_state_directory() -> None:
    assert default_directory({"GAMEDAY_SANDBOX_DIR": "/a"}) == Path("/a")
    assert default_directory({"XDG_STATE_HOME": "/b"}) == Path("/b/gameday/sandbox")
    assert default_directory({}) == Path.home() / ".local/state/gameday/sandbox"


def test_only_the_owner_can_read_what_is_in_it(tmp_path: Path) -> None:
    state = State(tmp_path / "s")
    state.create()
    state.write_private(state.token, "secret")
    assert stat.S_IMODE(state.root.stat().st_mode) == 0o700
    assert stat.S_IMODE(state.token.stat().st_mode) == 0o600


def test_a_directory_with_other_things_in_it_is_neither_taken_nor_removed(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    state = State(tmp_path)
    with pytest.raises(SandboxError, match="not empty"):
        state.create()
    state.remove()
    assert (tmp_path / "thesis.tex").exists()


def test_what_was_started_is_read_back_and_half_a_record_is_none(tmp_path: Path) -> None:
    state = State(tmp_path / "s")
    assert state.record() is None
    state.create()
    assert state.is_sandbox()
    assert state.record() is None
    written = Record("naive", "127.95", 42, 7, periods=Periods(sync_s=2.0))
    state.write_record(written)
    assert state.record() == written


def test_two_commands_do_not_work_on_one_directory_at_once(tmp_path: Path) -> None:
    one, same, other = State(tmp_path / "s"), State(tmp_path / "." / "s"), State(tmp_path / "t")
    with one.locked():
        with pytest.raises(SandboxError, match="is at work"), same.locked():
            pytest.fail("locked twice")
        with other.locked():
            pass
    with same.locked():
        pass
    assert list(tmp_path.iterdir()) == []
