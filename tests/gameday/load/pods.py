"""The processes that run in the pods of `deploy/locust`, here on a loopback address and with clocks of their own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil

from bundle.clock import Anchor
from gameday.load.remote import LoadAddress, RemoteLoad, RemotePlan
from gameday.load.schedule import Asked
from gameday.load.sources import digest

ADDRESS = "127.0.91.7"
TOKEN = "a token of the test"


def free_port() -> int:
    """A port of ADDRESS that nobody has just now."""
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return int(probe.getsockname()[1])


class Pods:
    """A master and its workers, each in a process of its own; `skew_s` is how far the clock of one is ahead."""

    def __init__(self, folder: Path, profile: Path, url: str, anchor: Anchor) -> None:
        self.folder, self._url, self._anchor = folder, url, anchor
        self.profile = profile
        self._relay, self._zmq = free_port(), free_port()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._bundles = 0

    def start_master(self, workers: int, skew_s: float) -> None:
        at = ["--master", "--master-bind-host", ADDRESS, "--master-bind-port", str(self._zmq)]
        relay = {"GAMEDAY_RELAY": self.address, "GAMEDAY_LOAD_TOKEN": TOKEN}
        self._start("master", skew_s, [*at, "--expect-workers", str(workers)], relay, [])

    def start_worker(self, name: str, skew_s: float | None, prefix: list[str] | None = None) -> None:
        """skew_s: None reads the clock of the machine. prefix: a command that the worker is run by."""
        at = ["--worker", "--master-host", ADDRESS, "--master-port", str(self._zmq)]
        record = ["--gameday-bundle", str(self.folder / f"spool-{name}"), "--gameday-forward"]
        self._start(name, skew_s, [*at, *record], {"GAMEDAY_WORKER": name}, prefix or [])

    def _start(
        self, name: str, skew_s: float | None, options: list[str], more: dict[str, str], prefix: list[str]
    ) -> None:
        environment = {**os.environ, **more}
        if skew_s is not None:
            skewed = Anchor(self._anchor.wall_ns + round(skew_s * 1e9), self._anchor.mono_ns)
            environment["GAMEDAY_CLOCK_ANCHOR"] = skewed.text()
        command = [*prefix, sys.executable, "-m", "gameday.load.pod", "-f", str(self.profile)]
        command += ["--headless", "--only-summary", "--exit-code-on-error", "0", *options]
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    @property
    def address(self) -> str:
        """Where the master waits for a harness."""
        return f"{ADDRESS}:{self._relay}"

    def plan(
        self, *, rate_per_s: float, token: str = TOKEN, profile: Path | None = None, common: Path | None = None
    ) -> RemotePlan:
        """A session with a bundle of its own."""
        self._bundles += 1
        return RemotePlan(
            at=LoadAddress(ADDRESS, self._relay, token),
            profile_sha256=digest(profile or self.profile, {"common": common or self.profile.with_name("common.py")}),
            host=self._url,
            bundle=self.folder / f"bundle-{self._bundles}",
            anchor=self._anchor,
            time_limit_s=60,
            asked=Asked(rate_per_s),
            seed=3,
        )

    def wait_listening(self) -> None:
        """Until a harness can connect."""
        for _ in range(600):
            try:
                socket.create_connection((ADDRESS, self._relay), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError(self.logs())

    def kill(self, name: str) -> None:
        """Kill one with all that runs in it, as the kernel would, and wait for the end."""
        pod = psutil.Process(self._processes[name].pid)
        for process in (*pod.children(recursive=True), pod):
            process.send_signal(signal.SIGKILL)
        self._processes.pop(name).wait()

    def logs(self) -> str:
        return "\n".join(f"== {path.name}\n{path.read_text()[-2000:]}" for path in self.folder.glob("*.log"))

    def close(self) -> dict[str, int]:
        """Ask all to end; their exit codes."""
        for process in self._processes.values():
            process.terminate()
        codes = {name: process.wait(30) for name, process in self._processes.items()}
        self._processes = {}
        return codes


def run(plan: RemotePlan, timeout_s: float = 60) -> tuple[RemoteLoad, int]:
    """A load that has begun, and when."""
    load = RemoteLoad(plan)
    return load, load.wait_started(timeout_s)
