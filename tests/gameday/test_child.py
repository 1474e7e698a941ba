"""Child processes end with their whole group."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from gameday.child import Child


def python(program: str, log: Path, **environment: str) -> Child:
    """A child that runs this program, with its output unbuffered."""
    return Child([sys.executable, "-u", "-c", program], environment=environment, log=log)


def wait_for(log: Path, text: str, timeout_s: float = 20) -> str:
    """Wait until the log holds `text`."""
    deadline = time.monotonic() + timeout_s
    while text not in log.read_text():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.01)
    return log.read_text()


def gone(pids: Sequence[int]) -> bool:
    """Whether none of these runs any more; a zombie that nobody has reaped yet counts as gone."""
    return all(not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE for pid in pids)


def test_a_child_gets_its_environment_and_its_output_is_kept(tmp_path: Path) -> None:
    child = python("import os; print('hello', os.environ['COLOUR'])", tmp_path / "log", COLOUR="blue")
    assert child.wait(20) == 0
    assert child.log_lines() == ["hello blue"]


def test_stopping_ends_the_child_by_its_own_will_where_it_has_one(tmp_path: Path) -> None:
    child = python(
        "import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *a: sys.exit(7))\nprint('up')\ntime.sleep(60)",
        tmp_path / "log",
    )
    wait_for(tmp_path / "log", "up")
    assert child.stop(10) is True
    assert child.poll() == 7


def test_a_child_that_ignores_sigterm_is_killed_with_its_grandchildren(tmp_path: Path) -> None:
    child = python(
        "import signal, subprocess, sys, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print('grandchild', p.pid, 'up')\n"
        "time.sleep(60)",
        tmp_path / "log",
    )
    grandchild = int(wait_for(tmp_path / "log", "up").split()[1])
    assert child.stop(0.2) is False
    assert child.poll() == -9
    deadline = time.monotonic() + 5
    while not gone([grandchild]):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_stopping_twice_is_harmless(tmp_path: Path) -> None:
    child = python("pass", tmp_path / "log")
    child.wait(20)
    assert child.stop(1) is True
    assert child.stop(1) is True
