"""What it takes to record a run of any length: memory, CPU, bytes a row. The recording is a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.load.figure import Figure, Goal
from benchmarks.load.machine import Cores
from benchmarks.load.process import BenchmarkFailed
from benchmarks.load.recording import Recording

TIMEOUT_S = 180
GROWTH_MIB = 64.0


def measure(cores: Cores, folder: Path, *, rows: int) -> list[Figure]:  # noqa: ARG001  # every figure is called alike
    """Record so many rows. Raises BenchmarkFailed."""
    bundle = folder / "rows"
    command = [sys.executable, "-m", "benchmarks.load.recording", str(bundle), str(rows)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode != 0:
        raise BenchmarkFailed(f"the recording ended with code {done.returncode}: {done.stderr[-500:]}")
    recording = Recording(**json.loads(done.stdout))
    beside = {"rows": float(recording.rows), "start_mib": recording.start_mib}
    sizes = {"parquet_bytes_per_row": recording.parquet_bytes_per_row, "compact_s": recording.compact_s}
    return [
        Figure("memory grown while recording", recording.growth_mib, "MiB", Goal(at_most=GROWTH_MIB), beside),
        Figure("CPU of recording a million requests, listener alone", recording.cpu_per_million_s, "s"),
        Figure("bytes a row in the stream, full batches", recording.stream_bytes_per_row, "B", beside=sizes),
    ]
