"""One operating-system process in a session of its own: start it, wait for its end, signal it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Launch:
    """What to start: the output of the process is appended to `log`; it inherits what is `handed_down`."""

    argv: Sequence[str]
    environment: Mapping[str, str]
    directory: Path
    log: Path
    handed_down: tuple[socket.socket, ...] = ()


class Process(Protocol):
    """A started process."""

    pid: int

    async def wait(self) -> int:
        """Its exit code; 128 + n where signal n ended it."""
        ...

    def terminate(self) -> None:
        """SIGTERM to the process alone, as a container's first process gets it."""
        ...

    def kill(self) -> None:
        """SIGKILL to the process and all that it started."""
        ...


Spawn = Callable[[Launch], Process]
"""Start a process; raises OSError where that can't be done."""


class GroupProcess:
    """A process that leads its own session; when it ends, what is left of its group is killed, as in a container."""

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        self.pid = popen.pid
        self._popen = popen
        self._loop = asyncio.get_running_loop()
        self._exit: asyncio.Future[int] = self._loop.create_future()
        # A pidfd wakes the loop at the very moment of the end, without a thread a child or a SIGCHLD handler.
        self._pidfd = os.pidfd_open(popen.pid)
        self._loop.add_reader(self._pidfd, self._ended)

    def _ended(self) -> None:
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        # Before the process is reaped, while its id can't have gone to another.
        self.kill()
        code = self._popen.wait()
        self._exit.set_result(code if code >= 0 else 128 - code)

    async def wait(self) -> int:
        """Its exit code; 128 + n where signal n ended it."""
        return await asyncio.shield(self._exit)

    def terminate(self) -> None:
        """SIGTERM to the process alone."""
        if not self._exit.done():
            self._popen.terminate()

    def kill(self) -> None:
        """SIGKILL to the process group."""
        if not self._exit.done():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)


def spawn(launch: Launch) -> GroupProcess:
    """Start a process in its own session; raises OSError (no such command, no such directory).

    What is handed down is closed here, whatever comes of it: it is the process's alone.
    """
    with contextlib.ExitStack() as stack:
        handed_down = [stack.enter_context(each).fileno() for each in launch.handed_down]
        log = stack.enter_context(launch.log.open("ab"))
        popen = subprocess.Popen(
            launch.argv,
            env=dict(launch.environment),
            cwd=launch.directory,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=handed_down,
        )
    return GroupProcess(popen)


async def run_command(start: Spawn, launch: Launch, timeout_s: float) -> int | None:
    """Run a short command (a probe, a hook): its exit code, None where it was killed for taking too long."""
    process = start(launch)
    try:
        async with asyncio.timeout(timeout_s):
            return await process.wait()
    except TimeoutError:
        return None
    finally:
        process.kill()
        await process.wait()
