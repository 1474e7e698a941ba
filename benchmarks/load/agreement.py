"""Another generator, vegeta, on the same healthy server at the same rate: both side by side with what was planted."""

from __future__ import annotations

import csv
import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.load import openloop
from benchmarks.load.figure import Figure
from benchmarks.load.machine import Cores
from benchmarks.load.planted import MS, Behaviour
from benchmarks.load.process import Generator, ServerProcess

VEGETA = Path(".tools/bin/vegeta")
HEALTHY = Behaviour(fastest_ns=2 * MS, slowest_ns=20 * MS)
RATE_PER_S = 200
QUANTILES = (0.5, 0.95, 0.99)


def measure(cores: Cores, folder: Path, *, window_s: int) -> list[Figure]:
    """p50, p95 and p99 of gameday over vegeta's."""
    with ServerProcess(HEALTHY, cores) as server:
        run = openloop.run(server, cores, folder, rate_per_s=RATE_PER_S, window_s=window_s)
    with ServerProcess(HEALTHY, cores) as server:
        theirs_ms = attack(server.url, cores, folder, window_s)
    ours_ms = run.latency_ns / MS
    planted_ms = HEALTHY.latencies_ns(np.arange(run.due)) / MS
    figures = []
    for share in QUANTILES:
        ours, theirs, planted = (float(np.quantile(values, share)) for values in (ours_ms, theirs_ms, planted_ms))
        beside = {"gameday_ms": ours, "vegeta_ms": theirs, "planted_ms": planted}
        figures.append(Figure(f"latency p{100 * share:g}, gameday / vegeta", ours / theirs, "", beside=beside))
    return figures


def attack(url: str, cores: Cores, folder: Path, window_s: int) -> NDArray[np.float64]:
    """The latencies of one attack of vegeta, in milliseconds. Raises BenchmarkFailed."""
    targets, results = folder / "targets.txt", folder / "vegeta.bin"
    targets.write_text(f"GET {url}/read\n", encoding="utf-8")
    command = [str(VEGETA), "attack", f"-rate={RATE_PER_S}/1s", f"-duration={window_s}s"]
    command += [f"-targets={targets}", f"-output={results}"]
    with Generator(command, cores, folder / "vegeta.log") as generator:
        generator.wait(window_s + 30)
    encoded = subprocess.run([VEGETA, "encode", "-to=csv", results], capture_output=True, text=True, check=True)
    return np.array([int(row[2]) for row in csv.reader(encoded.stdout.splitlines())]) / MS
