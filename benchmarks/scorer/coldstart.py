"""How long `gameday score` takes from the start of its process to its end, on the bundle of a 10-minute drill."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.load.figure import Figure, Goal
from benchmarks.load.process import BenchmarkFailed
from scorer.planted import Plan, plant

PLAN = Plan(warm_up_s=10, baseline_s=60, after_s=527)
"""Ten minutes at 100 requests/s, with an outage of 3 s."""
TARGETS = Path(__file__).parents[2] / "runbook" / "targets.yaml"
GOAL = Goal(at_most=1.5)


@dataclass(frozen=True, slots=True)
class Took:
    """What one process took, in seconds: from its start to its end, and of CPU time."""

    wall_s: float
    cpu_s: float


def measure(folder: Path, *, runs: int, uncompiled: int) -> list[Figure]:
    """The figures of so many runs. Raises BenchmarkFailed where a run does not do what it should."""
    bundle = folder / "bundle"
    plant(bundle, PLAN)
    (bundle / "inputs").mkdir(exist_ok=True)
    shutil.copy(TARGETS, bundle / "inputs" / "targets.yaml")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")
    score(bundle, environment)  # as Python does by itself, the first run leaves the bytecode for those that follow
    scored, alone = [], []
    for _ in range(runs):
        scored.append(score(bundle, environment))
        alone.append(took(["-c", "pass"], environment)[1])
    first = []
    for _ in range(uncompiled):
        with tempfile.TemporaryDirectory(dir=folder) as empty:
            first.append(score(bundle, {**environment, "PYTHONPYCACHEPREFIX": empty}))
    return [
        Figure(
            "gameday score of a 10-minute drill",
            median(one.wall_s for one in scored),
            "s",
            GOAL,
            {**spread(scored), "python_alone_s": median(one.wall_s for one in alone), "runs": runs},
        ),
        Figure("the same where no bytecode is kept", median(one.wall_s for one in first), "s", beside=spread(first)),
    ]


def spread(runs: Sequence[Took]) -> dict[str, float]:
    """The fastest and the slowest of some runs, and the CPU time of the one in the middle, in seconds."""
    walls = [one.wall_s for one in runs]
    return {"fastest_s": min(walls), "slowest_s": max(walls), "cpu_s": median(one.cpu_s for one in runs)}


def score(bundle: Path, environment: Mapping[str, str]) -> Took:
    """Score a bundle in a process of its own, without what an earlier one wrote. Raises BenchmarkFailed."""
    written = [bundle / "verdict.json", bundle / "report.html"]
    for path in written:
        path.unlink(missing_ok=True)
    exit_code, used = took(["-m", "gameday", "score", str(bundle)], environment)
    if exit_code != 1 or not all(path.exists() for path in written):
        raise BenchmarkFailed(f"gameday score ended with exit code {exit_code}; 1 and a verdict were due")
    return used


def took(arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[int, Took]:
    """Run this Python with arguments; its exit code, and what it took."""
    began = time.monotonic()
    with subprocess.Popen([sys.executable, *arguments], env=dict(environment), stdout=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        wall_s = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, Took(wall_s, used.ru_utime + used.ru_stime)
