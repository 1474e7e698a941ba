"""`python -m benchmarks.scorer [--quick] [--runs N] [--out FILE]`: the figures of the scorer.

Prints each and writes all as JSON. Exit code 1 where one does not hold its goal or could not be measured.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from benchmarks.load.figure import document
from benchmarks.load.machine import Machine
from benchmarks.load.process import BenchmarkFailed
from benchmarks.scorer import coldstart, throughput

OUT = Path("benchmarks/out/scorer.json")
LIBRARIES = ("duckdb", "numpy", "plotly", "pyarrow", "pydantic", "rich", "scipy")


def main() -> int:
    """Measure as the command line says; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scorer", description="The scorer's figures.")
    parser.add_argument("--runs", type=int, default=11, help="how often it is started (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="few rows and runs: less than a minute, no figures")
    parser.add_argument("--out", type=Path, default=OUT, help="where the JSON goes (default: %(default)s)")
    arguments = parser.parse_args()
    machine = replace(Machine.look(), libraries={name: version(name) for name in LIBRARIES})
    with tempfile.TemporaryDirectory(prefix="gameday-bench-") as folder:
        try:
            quick = arguments.quick
            figures = coldstart.measure(Path(folder), runs=3 if quick else arguments.runs, uncompiled=1 if quick else 3)
            rows = throughput.QUICK_ROWS if quick else throughput.ROWS
            figures += throughput.measure(Path(folder), rows, runs=1 if quick else 3)
        except BenchmarkFailed as failure:
            print(f"FAILED: {failure}", flush=True)
            return 1
    for figure in figures:
        print(figure.line())
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(document(machine, figures, quick=quick) + "\n", encoding="utf-8")
    missed = [figure.name for figure in figures if figure.holds is False]
    print(f"{len(figures)} figures in {arguments.out}; do not hold: {', '.join(missed) or 'none'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
