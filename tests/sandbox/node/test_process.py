from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandbox.node.process import Launch, run_command, spawn


def launch(tmp_path: Path, *argv: str) -> Launch:
    return Launch(argv, {"PATH": os.environ["PATH"]}, tmp_path, tmp_path / "log")


@pytest.mark.parametrize(
    ("script", "code"),
    [("exit 0", 0), ("exit 3", 3), ("kill -TERM $$", 143), ("kill -KILL $$", 137)],
)
async def test_the_exit_code_is_the_shell_s(script: str, code: int, tmp_path: Path) -> None:
    assert await spawn(launch(tmp_path, "sh", "-c", script)).wait() == code


async def test_output_of_both_kinds_goes_to_the_log(tmp_path: Path) -> None:
    await spawn(launch(tmp_path, "sh", "-c", "echo out; echo err >&2")).wait()
    assert (tmp_path / "log").read_text() == "out\nerr\n"


async def test_what_a_process_leaves_behind_in_its_group_dies_with_it(tmp_path: Path) -> None:
    """The child holds the write end of a pipe until it dies, so that its death can be awaited."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    process = spawn(launch(tmp_path, "sh", "-c", f"exec 3>{fifo}; sleep 600 & echo ready >&3; exit 0"))
    assert await process.wait() == 0
    os.set_blocking(reader, True)
    with os.fdopen(reader) as pipe:
        assert pipe.read() == "ready\n", "read to the end: the sleeping child is gone"


async def test_a_process_leads_a_session_of_its_own(tmp_path: Path) -> None:
    process = spawn(launch(tmp_path, "sleep", "600"))
    assert os.getsid(process.pid) == os.getpgid(process.pid) == process.pid
    process.kill()
    assert await process.wait() == 137
    process.kill()
    process.terminate()


async def test_a_command_that_does_not_exist_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        spawn(launch(tmp_path, "no-such-command"))


async def test_a_short_command_is_killed_when_its_time_is_over(tmp_path: Path) -> None:
    assert await run_command(spawn, launch(tmp_path, "sh", "-c", "exit 7"), 5.0) == 7
    assert await run_command(spawn, launch(tmp_path, "sleep", "600"), 0.01) is None
