"""The harness's side: Locust as a child process that is started, watched and ended for certain."""

from __future__ import annotations

import math
import os
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bundle.clock import ENVIRONMENT_VARIABLE, Anchor
from bundle.manifest import Worker
from bundle.table import STREAM_SUFFIX, read_stream
from gameday.child import HARNESS_VARIABLE, Child
from gameday.load.errors import LoadFailed
from gameday.load.running import LostWorker, slept
from gameday.load.schedule import NOTHING_ASKED, Asked

LOOPBACK = "127.0.0.1"
KEPT = frozenset({"GAMEDAY_HOST", "GAMEDAY_NAMESPACE"})
"""What a profile may want to know of the drill."""
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
    """How many processes share the load. More than one have a master, which sends nothing."""

    @property
    def names(self) -> tuple[str, ...]:
        """What the workers are called."""
        return worker_names(self.workers)

    @property
    def log(self) -> Path:
        """Where Locust's output goes; that of a worker of several, to `logs/<worker>.log`."""
        return self.bundle / "logs" / "locust.log"

    def command(self) -> list[str]:
        """The command line of a load in one process."""
        return [*self._command(), *self._recording(self.names[0])]

    def master_command(self, port: int) -> list[str]:
        """The command line of the master of several, which listens at `port` of this machine alone."""
        at = ["--master-bind-host", LOOPBACK, "--master-bind-port", str(port)]
        return [*self._command(), "--master", "--expect-workers", str(self.workers), *at]

    def worker_command(self, name: str, port: int) -> list[str]:
        """The command line of one worker of several, whose master is at `port`."""
        at = ["--master-host", LOOPBACK, "--master-port", str(port)]
        return [*self._command(), "--worker", *at, *self._recording(name)]

    def _recording(self, name: str) -> list[str]:
        return ["--gameday-bundle", str(self.bundle), "--gameday-worker", name]

    def _command(self) -> list[str]:
        """What is common to all. Locust's own verdict is none of ours: `--exit-code-on-error 0`."""
        command = [sys.executable, "-m", "gameday.load.worker", "--locustfile", str(self.profile)]
        command += ["--headless", "--only-summary", "--host", self.host, "--exit-code-on-error", "0"]
        command += ["--run-time", f"{math.ceil(self.time_limit_s)}s", "--stop-timeout", str(self.stop_grace_s)]
        command += ["--seed", str(self.seed)]
        if self.asked.rate_per_s is not None:
            command += ["--rate", f"{self.asked.rate_per_s!r}"]
        if self.asked.duration_s is not None:
            command += ["--duration", f"{self.asked.duration_s!r}"]
        if self.asked.lead_s is not None:
            command += ["--lead", f"{self.asked.lead_s!r}"]
        if self.asked.spacing is not None:
            command += ["--spacing", self.asked.spacing]
        if self.asked.users is not None:
            command += ["--users", str(self.asked.users), "--spawn-rate", str(self.asked.users)]
        return command


def worker_names(workers: int) -> tuple[str, ...]:
    """What the load workers of a run are called in its bundle."""
    return tuple(f"load-{index}" for index in range(workers))


class LoadProcess:
    """A running Locust: one process, or a master and its workers. Each is in a session of its own: a Ctrl-C at the
    terminal reaches the harness alone.

    They die with this process, however that ends, and at the plan's time limit.
    """

    def __init__(self, plan: LoadPlan) -> None:
        """Start it; returns at once."""
        self.plan = plan
        plan.log.parent.mkdir(parents=True, exist_ok=True)
        self._lost: set[str] = set()
        self._died: list[LostWorker] | None = None
        """Who had died by the time that the load was stopped, and was not told of; None before that."""
        if plan.workers == 1:
            self._lead = self._start(plan.command(), plan.log)
            self._workers = {plan.names[0]: self._lead}
            return
        self._reserved = reserved_port()
        port = self._reserved.getsockname()[1]
        self._lead = self._start(plan.master_command(port), plan.log)
        self._workers = {
            name: self._start(plan.worker_command(name, port), plan.log.with_name(f"{name}.log")) for name in plan.names
        }

    def _start(self, command: list[str], log: Path) -> Child:
        environment = {ENVIRONMENT_VARIABLE: self.plan.anchor.text(), HARNESS_VARIABLE: str(os.getpid())}
        return Child(command, environment=environment, unset=_is_setting, log=log)

    @property
    def pid(self) -> int:
        """The one process, or the master of several; it leads its process group."""
        return self._lead.pid

    @property
    def pids(self) -> dict[str, int]:
        """The process of each worker."""
        return {name: child.pid for name, child in self._workers.items()}

    def workers(self) -> tuple[Worker, ...]:
        """The workers. They share this machine's clock."""
        return tuple(Worker(name=name) for name in self._workers)

    def wait_started(self, timeout_s: float, given_up: Callable[[float], bool] = slept) -> int | None:
        """Wait until the load runs; returns when its schedule began (closed-loop: when it was first seen), UTC ns.

        given_up: sleeps so many seconds, and is True where nobody wants to wait any longer: None is returned then.
        Raises LoadFailed, with the end of Locust's log, where it ended before or took longer than `timeout_s`.
        """
        deadline = time.monotonic() + timeout_s
        while None in (began := [self._first_sample_ns(name) for name in self._workers]):
            for child in (self._lead, *self._workers.values()):
                if (code := child.poll()) is not None:
                    raise self.failure(f"Locust ended with code {code} before it sent anything")
            if time.monotonic() > deadline:
                raise self.failure(f"Locust sent nothing within {timeout_s:g} s")
            if given_up(POLL_S):
                return None
        began_ns = min(at_ns for at_ns in began if at_ns is not None)
        while self.plan.anchor.now_ns() < began_ns:
            if given_up(POLL_S):
                return None
        return began_ns

    def _first_sample_ns(self, name: str) -> int | None:
        first = next(read_stream(self.plan.bundle / "samples" / f"{name}{STREAM_SUFFIX}"), None)
        return None if first is None else int(first["t_ns"][0].as_py())

    def poll(self) -> int | None:
        """None while load is sent, else the exit code (negative: the signal that killed it).

        That of the master, without which nobody ends the workers in order, or of the last worker, if all are dead.
        """
        codes = [child.poll() for child in self._workers.values()]
        return codes[-1] if None not in codes and self._lead.poll() is None else self._lead.poll()

    def newly_lost(self) -> list[LostWorker]:
        """Workers that have died since the last call, before the load was stopped; each is told once."""
        if self._died is not None:
            died, self._died = self._died, []
            return died
        dead = {name for name, child in self._workers.items() if child is not self._lead and child.poll() is not None}
        fresh, self._lost = sorted(dead - self._lost), dead
        return [self._obituary(name) for name in fresh]

    def _obituary(self, name: str) -> LostWorker:
        child = self._workers[name]
        return LostWorker(name, f"exit code {child.poll()}: {_last_words([child])}")

    def failure(self, what: str) -> LoadFailed:
        """An error that says `what` happened and how Locust's log ends."""
        return LoadFailed(f"{what}: {self.last_words()}", where=str(self.plan.profile), do=f"see {self.plan.log}")

    def last_words(self) -> str:
        """How Locust's log ends, on one line: the last errors of any process, else the last lines of the first."""
        return _last_words([self._lead, *(child for child in self._workers.values() if child is not self._lead)])

    def complain_of_errors(self, what: str) -> None:
        """Raise LoadFailed that says `what` happened, where a log of Locust holds errors: of a profile, say."""
        if any(_is_error(line) for child in (self._lead, *self._workers.values()) for line in child.log_lines()):
            raise self.failure(what)

    def stop(self, timeout_s: float | None = None) -> bool:
        """End the load: no new arrivals, requests in flight finish within the plan's grace, the streams are closed.

        timeout_s: after which every process group is killed; None is the grace and 2 s more, 5 s where a master waits
        for its workers. Returns whether all ended by themselves, but for those that were lost before.
        Harmless when called again.
        """
        if self._died is None:
            self._died = self.newly_lost()
        if timeout_s is None:
            timeout_s = self.plan.stop_grace_s + (2 if self.plan.workers == 1 else 5)
        deadline = time.monotonic() + timeout_s
        self._lead.terminate()
        in_order = self._lead.wait(timeout_s) == 0
        ended = True
        for child in self._workers.values():
            if not in_order:
                child.terminate()  # for its master, which was to tell it, didn't
        for name, child in {"": self._lead, **self._workers}.items():
            code = child.wait(max(0.0, deadline - time.monotonic()))
            ended &= (code is not None and code >= 0) or name in self._lost  # below 0 a signal ended it, and no close
            child.kill_group()
        if self.plan.workers > 1:
            self._reserved.close()
        return ended


def _is_setting(variable: str) -> bool:
    """Whether an environment variable would change what is sent, behind the back of the plan and the record."""
    return variable.startswith("LOCUST_") or (variable.startswith("GAMEDAY_") and variable not in KEPT)


def reserved_port() -> socket.socket:
    """A socket that keeps a port of this machine from others until it is closed, and lets one that reuses it listen."""
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reserved.bind((LOOPBACK, 0))
    return reserved


def _last_words(children: list[Child]) -> str:
    logs = [child.log_lines() for child in children]
    errors = [line for lines in logs for line in lines if _is_error(line)]
    return " | ".join((errors or logs[0])[-LOG_LINES:]) or "its log is empty"


def _is_error(line: str) -> bool:
    return "/ERROR/" in line or "/CRITICAL/" in line
