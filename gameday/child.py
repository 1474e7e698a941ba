"""A child process of a drill: in a session of its own, ended with its whole group, its output kept in a log file."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

LOG_BYTES = 65_536
HARNESS_VARIABLE = "GAMEDAY_HARNESS_PID"
"""Tells a child which process is recording, so that it doesn't outlive that in silence."""


class Child:
    """A running child. It doesn't get the terminal's Ctrl-C: the harness decides who ends, and in which order."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        log: Path,
        cwd: Path | None = None,
        unset: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """Start `command` with our environment, but for the variables that are to be unset, and `environment`.

        Raises OSError where it cannot be started.
        """
        inherited = {name: value for name, value in os.environ.items() if not unset(name)}
        self.log = log
        with log.open("ab") as sink:
            self._process = subprocess.Popen(
                list(command),
                env={**inherited, **environment},
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid = self._process.pid

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._process.poll()

    def wait(self, timeout_s: float) -> int | None:
        """Wait for the end; the exit code, or None where it still runs after `timeout_s`."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def terminate(self) -> None:
        """Ask it to end (SIGTERM)."""
        if self._process.poll() is None:
            self._process.terminate()

    def kill_group(self) -> None:
        """End whatever is left of its process group (SIGKILL) and reap it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self, timeout_s: float) -> bool:
        """Ask it to end, and after `timeout_s` make it. True where it ended by itself."""
        self.terminate()
        ended = self.wait(timeout_s) is not None
        self.kill_group()
        return ended

    def log_lines(self) -> list[str]:
        """What it wrote last, at most LOG_BYTES of it, without blank lines."""
        with self.log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - LOG_BYTES))
            text = log.read().decode("utf-8", "replace")
        return [line.strip() for line in text.splitlines() if line.strip()]
