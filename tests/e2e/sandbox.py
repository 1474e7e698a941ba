"""A whole sandbox for a test, and what its drills left behind."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

REPOSITORY = Path(__file__).parents[2]
POD_KILL = REPOSITORY / "experiments" / "pod-kill.yaml"
STEADY = REPOSITORY / "loadprofiles" / "steady.py"
NETWORK = "127.70"


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox."""

    state: Path
    environment: dict[str, str]

    def gameday(self, *arguments: str) -> list[str]:
        """The command line of a subcommand."""
        return [sys.executable, "-m", "gameday", *arguments]

    def run(self, *arguments: str, timeout_s: float = 200) -> subprocess.CompletedProcess[str]:
        """Run `gameday` to its end."""
        return subprocess.run(
            self.gameday(*arguments),
            cwd=REPOSITORY,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def processes(self) -> set[int]:
        """What runs on this machine for a drill: Chaos Toolkit and Locust."""
        found = set()
        for process in psutil.process_iter(["cmdline", "environ"]):
            command = " ".join(process.info["cmdline"] or [])
            environment = process.info["environ"] or {}
            if environment.get("KUBECONFIG") == self.environment["KUBECONFIG"] and (
                "chaostoolkit" in command or "gameday.load" in command or "locust" in command
            ):
                found.add(process.pid)
        return found


@contextmanager
def sandbox(folder: Path, manner: str, network: str = NETWORK, options: tuple[str, ...] = ()) -> Iterator[Sandbox]:
    """Bring one up, and take it down again. options: more of the command line of `gameday sandbox up`."""
    state = folder / "sandbox"
    environment = {**os.environ, "KUBECONFIG": str(state / "kubeconfig")}
    environment.pop("GAMEDAY_HOST", None)
    environment.pop("GAMEDAY_PROMETHEUS", None)
    command = [sys.executable, "-m", "gameday", "sandbox"]
    up = subprocess.run(
        [*command, "up", "--manner", manner, "--network", network, "--state", str(state), *options],
        capture_output=True,
        text=True,
        check=False,
    )
    assert up.returncode == 0, up.stderr
    # What it prints is what a person would type: where its Prometheus is, too, where it has one.
    environment |= dict(line.removeprefix("export ").split("=", 1) for line in map(_unquoted, up.stdout.splitlines()))
    try:
        yield Sandbox(state, environment)
    finally:
        subprocess.run([*command, "down", "--state", str(state)], check=True, capture_output=True)


def _unquoted(line: str) -> str:
    return " ".join(shlex.split(line))


def verdict_of(runs: Path) -> dict[str, Any]:
    """The verdict of the newest run."""
    verdict: dict[str, Any] = json.loads((runs / "latest" / "verdict.json").read_text())
    return verdict


def objective(verdict: dict[str, Any], name: str) -> dict[str, Any]:
    """One objective of a verdict."""
    (found,) = [o for o in verdict["objectives"] if o["name"] == name]
    return dict(found)
