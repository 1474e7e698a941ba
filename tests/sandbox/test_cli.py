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


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--metric-resolution", "15", "'15' is no duration such as 15s or 1m30s"),
        ("--horizontal-pod-autoscaler-sync-period", "0s", "'0s' is shorter than 0.1s"),
        ("--horizontal-pod-autoscaler-tolerance", "2", "'2' is no number from 0 to 1"),
    ],
)
def test_a_period_that_makes_no_sense_starts_nothing(tmp_path: Path, option: str, value: str, says: str) -> None:
    done = CliRunner().invoke(sandbox, ["up", option, value, "--state", str(tmp_path / "s")])
    assert done.exit_code == 2
    assert says in done.output
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
