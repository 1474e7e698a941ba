"""The harness's side: Locust as a child process that is started, watched and ended for certain."""

from __future__ import annotations

import math
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bundle.clock import ENVIRONMENT_VARIABLE, Anchor
from bundle.table import STREAM_SUFFIX, read_stream
from gameday.child import HARNESS_VARIABLE, Child
from gameday.load.errors import LoadFailed
from gameday.load.schedule import NOTHING_ASKED, Asked

LOG_LINES = 3
POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """What is to be sent, where, and into which bundle."""

    profile: Path
    host: str
    bundle: Path
    anchor: Anchor
    time_limit_s: float
    asked: Asked = NOTHING_ASKED
    """What replaces what the profile says."""
    seed: int = 0
    stop_grace_s: int = 3
    """How long requests in flight may take to finish once the load is stopped; Locust takes whole seconds only."""
    workers: int = 1

    @property
    def worker(self) -> str:
        """The first worker."""
        return worker_names(self.workers)[0]

    @property
    def log(self) -> Path:
        """Where Locust's output goes."""
        return self.bundle / "logs" / "locust.log"

    def command(self) -> list[str]:
        """The command line. Locust's own verdict is none of ours: `--exit-code-on-error 0`."""
        command = [sys.executable, "-m", "gameday.load.worker", "--locustfile", str(self.profile)]
        command += ["--headless", "--only-summary", "--host", self.host, "--exit-code-on-error", "0"]
        command += ["--run-time", f"{math.ceil(self.time_limit_s)}s", "--stop-timeout", str(self.stop_grace_s)]
        command += ["--seed", str(self.seed)]
        command += ["--gameday-bundle", str(self.bundle), "--gameday-worker", self.worker]
        if self.asked.rate_per_s is not None:
            command += ["--rate", f"{self.asked.rate_per_s!r}"]
        if self.asked.duration_s is not None:
            command += ["--duration", f"{self.asked.duration_s!r}"]
        if self.asked.spacing is not None:
            command += ["--spacing", self.asked.spacing]
        return command


def worker_names(workers: int) -> tuple[str, ...]:
    """What the load workers of a run are called in its bundle."""
    return tuple(f"load-{index}" for index in range(workers))


class LoadProcess:
    """A running Locust, in a session of its own: a Ctrl-C at the terminal reaches the harness alone.

    It dies with this process, however that ends, and at the plan's time limit.
    """

    def __init__(self, plan: LoadPlan) -> None:
        """Start it; returns at once."""
        self.plan = plan
        plan.log.parent.mkdir(parents=True, exist_ok=True)
        environment = {ENVIRONMENT_VARIABLE: plan.anchor.text(), HARNESS_VARIABLE: str(os.getpid())}
        self._child = Child(plan.command(), environment=environment, log=plan.log)

    @property
    def pid(self) -> int:
        """The process, which leads its process group."""
        return self._child.pid

    def wait_started(self, timeout_s: float) -> int:
        """Wait until the load runs; returns when its schedule began (closed-loop: when it was first seen), UTC ns.

        Raises LoadFailed, with the end of Locust's log, where it ended before or took longer than `timeout_s`.
        """
        samples = self.plan.bundle / "samples" / f"{self.plan.worker}{STREAM_SUFFIX}"
        deadline = time.monotonic() + timeout_s
        while (first := next(read_stream(samples), None)) is None:
            if (code := self.poll()) is not None:
                raise self.failure(f"Locust ended with code {code} before it sent anything")
            if time.monotonic() > deadline:
                raise self.failure(f"Locust sent nothing within {timeout_s:g} s")
            time.sleep(POLL_S)
        return int(first["t_ns"][0].as_py())

    def poll(self) -> int | None:
        """None while it runs, else its exit code (negative: the signal that killed it)."""
        return self._child.poll()

    def failure(self, what: str) -> LoadFailed:
        """An error that says `what` happened and how Locust's log ends."""
        return LoadFailed(f"{what}: {self.last_words()}", where=str(self.plan.profile), do=f"see {self.plan.log}")

    def last_words(self) -> str:
        """How Locust's log ends, on one line: its last errors where it logged any, else its last lines."""
        lines = self._child.log_lines()
        errors = [line for line in lines if _is_error(line)]
        return " | ".join((errors or lines)[-LOG_LINES:]) or "its log is empty"

    def complain_of_errors(self, what: str) -> None:
        """Raise LoadFailed that says `what` happened, where Locust's log holds errors: of a profile that raises, say."""
        if any(_is_error(line) for line in self._child.log_lines()):
            raise self.failure(what)

    def stop(self, timeout_s: float | None = None) -> bool:
        """End the load: no new arrivals, requests in flight finish within the plan's grace, the streams are closed.

        timeout_s: after which its whole process group is killed; None is the grace and 2 s more. Returns whether it
        ended by itself. Harmless when called again.
        """
        return self._child.stop(self.plan.stop_grace_s + 2 if timeout_s is None else timeout_s)


def _is_error(line: str) -> bool:
    return "/ERROR/" in line or "/CRITICAL/" in line
