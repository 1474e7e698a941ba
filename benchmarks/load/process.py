"""The processes that take part: the server, and generators that can be halted while another one is measured."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, TracebackType

from benchmarks.load.machine import Cores
from benchmarks.load.planted import Behaviour, S
from benchmarks.load.server import Reading
from bundle.clock import ENVIRONMENT_VARIABLE, Anchor
from gameday.child import HARNESS_VARIABLE, Child

PROFILES = Path(__file__).parent / "profiles"
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 15.0
POLL_S = 0.05
NOTHING: Mapping[str, str] = MappingProxyType({})


class BenchmarkFailed(Exception):
    """A process of the benchmark did not do its part; nothing can be said about the figure."""


class ServerProcess(AbstractContextManager["ServerProcess"]):
    """A server on its own core, which ends with this process."""

    def __init__(self, behaviour: Behaviour, cores: Cores) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.load.server", behaviour.text(), str(cores.server)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.behaviour = behaviour

    def read(self) -> Reading:
        """What the server says of itself now."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(file=self._process.stdin, flush=True)
        return Reading(**json.loads(self._process.stdout.readline()))

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.read().port}"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(STOP_TIMEOUT_S)
        self._process.stdout.close()


@dataclass(frozen=True, slots=True)
class Usage:
    """A process's CPU time, and how long it was ready and had to wait for its core, in seconds."""

    cpu_s: float
    waited_s: float

    def __add__(self, other: Usage) -> Usage:
        """Both together."""
        return Usage(self.cpu_s + other.cpu_s, self.waited_s + other.waited_s)

    def __sub__(self, other: Usage) -> Usage:
        """What was used since then."""
        return Usage(self.cpu_s - other.cpu_s, self.waited_s - other.waited_s)


class Generator(AbstractContextManager["Generator"]):
    """A load generator on its own core."""

    def __init__(
        self, command: Sequence[str], cores: Cores, log: Path, environment: Mapping[str, str] = NOTHING
    ) -> None:
        ours = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {cores.generator})  # inherited: Go counts its cores when it starts
        try:
            self._child = Child(command, environment={HARNESS_VARIABLE: str(os.getpid()), **environment}, log=log)
        finally:
            os.sched_setaffinity(0, ours)

    def usage(self) -> Usage:
        """CPU time used and waited for so far, by the main thread: that which runs Python's event loop."""
        used_ns, waited_ns, _ = Path(f"/proc/{self._child.pid}/schedstat").read_text().split()
        return Usage(int(used_ns) / S, int(waited_ns) / S)

    def halt(self) -> None:
        """Let it stand still."""
        os.killpg(self._child.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it run again."""
        os.killpg(self._child.pid, signal.SIGCONT)

    def wait(self, timeout_s: float) -> None:
        """Wait until it ends by itself. Raises BenchmarkFailed where it doesn't, or ends badly."""
        if (code := self._child.wait(timeout_s)) != 0:
            raise BenchmarkFailed(f"the generator gave {code} after {timeout_s:g} s: {self.last_words()}")

    def check(self) -> None:
        """Raises BenchmarkFailed where it has ended."""
        if (code := self._child.poll()) is not None:
            raise BenchmarkFailed(f"the generator ended with code {code}: {self.last_words()}")

    def stop(self) -> None:
        """Ask it to end, and wait until it has. Raises BenchmarkFailed where it had to be killed."""
        self.go_on()
        if not self._child.stop(STOP_TIMEOUT_S):
            raise BenchmarkFailed(f"the generator did not end when asked: {self.last_words()}")

    def last_words(self) -> str:
        """How its log ends."""
        return " | ".join(self._child.log_lines()[-3:])

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Kill whatever is left of it."""
        self._child.kill_group()


def plain(profile: str, url: str, *arguments: str) -> list[str]:
    """The command of plain Locust."""
    return [sys.executable, "-m", "locust", *_run(profile, url), *arguments]


def recorded(profile: str, url: str, bundle: Path, *arguments: str) -> list[str]:
    """The command of Locust as gameday runs it, with every request recorded into a bundle."""
    return [
        *(sys.executable, "-m", "gameday.load.worker", *_run(profile, url)),
        *("--gameday-bundle", str(bundle), "--gameday-worker", "load-0", *arguments),
    ]


def _run(profile: str, url: str) -> list[str]:
    return [
        *("-f", str(PROFILES / f"{profile}.py"), "--host", url),
        *("--headless", "--only-summary", "--exit-code-on-error", "0", "--stop-timeout", "5"),
    ]


def anchor() -> dict[str, str]:
    """The environment by which a recording generator has the clock of this process."""
    return {ENVIRONMENT_VARIABLE: Anchor.take().text()}


def wait_for_requests(server: ServerProcess, generator: Generator, more: int) -> None:
    """Wait until the server has had so many more requests. Raises BenchmarkFailed."""
    deadline = time.monotonic() + START_TIMEOUT_S
    enough = server.read().requests + more
    while server.read().requests < enough:
        generator.check()
        if time.monotonic() > deadline:
            raise BenchmarkFailed(f"no load after {START_TIMEOUT_S:g} s: {generator.last_words()}")
        time.sleep(POLL_S)
