from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from sandbox.cli import sandbox
from sandbox.errors import BadNetwork
from sandbox.state import State
from tests.sandbox.command import run


@pytest.mark.parametrize("command", ["up", "down", "status"])
def test_every_command_s_help_has_examples(command: str) -> None:
    done = CliRunner().invoke(sandbox, [command, "--help"])
    assert done.exit_code == 0
    assert f"gameday sandbox {command}\n" in done.output


def test_a_bad_network_starts_nothing(tmp_path: Path) -> None:
    done = CliRunner().invoke(sandbox, ["up", "--network", "10.0", "--state", str(tmp_path / "s")])
    assert isinstance(done.exception, BadNetwork)
    assert not (tmp_path / "s").exists()


def test_an_error_is_one_line_and_ends_with_its_code(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("")
    done = run(State(tmp_path), "up", "--network", "127.93")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (f"gameday: {tmp_path}: the directory is not empty; give --state a new one")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_down_and_status_of_nothing(tmp_path: Path) -> None:
    done = CliRunner().invoke(sandbox, ["down", "--state", str(tmp_path / "s")])
    assert (done.exit_code, done.stderr) == (0, "nothing was running\n")
    done = CliRunner().invoke(sandbox, ["status", "--state", str(tmp_path / "s")])
    assert (done.exit_code, done.stdout) == (3, "no sandbox runs\n")
