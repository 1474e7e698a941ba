"""`python -m benchmarks.load [--quick] [--only NAME] [--out FILE]`: every figure of the load engine, side by side.

Prints each and writes all as JSON. Exit code 1 where one does not hold its goal or could not be measured; 2 where
there are not two cores. `--quick` takes less than a minute and only shows that everything runs: no goal can fail.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.load import agreement, capacity, lateness, memory, stall
from benchmarks.load.figure import Figure, document
from benchmarks.load.machine import Cores, Machine
from benchmarks.load.process import BenchmarkFailed

OUT = Path("benchmarks/out/load.json")

Measure = Callable[[Cores, Path], list[Figure]]


def measures(*, quick: bool) -> dict[str, Measure]:
    """What is measured, in order, by what it is called."""
    pairs, turns, turn_s = (1, 4, 0.25) if quick else (7, 16, 0.25)
    found: dict[str, Measure] = {
        "recorded against plain Locust": partial(capacity.measure, pairs=pairs, turns=turns, turn_s=turn_s),
        "lateness": partial(lateness.at_moderate_rate, window_s=2.0 if quick else 12.0),
        "highest rate on time": partial(lateness.highest_rate, tries=1 if quick else 4, window_s=1.0 if quick else 6.0),
        "a stalling server": partial(stall.measure, periods=1 if quick else 3),
        "ten million rows": partial(memory.measure, rows=200_000 if quick else 10_000_000),
    }
    if agreement.VEGETA.exists():
        found["agreement with vegeta"] = partial(agreement.measure, window_s=2 if quick else 15)
    return found


def run(cores: Cores, *, quick: bool, only: str = "") -> tuple[list[Figure], list[str]]:
    """All figures that could be measured, and why the others could not.

    only: leave out those that are called otherwise.
    """
    figures, failures = [], []
    if not agreement.VEGETA.exists():
        print(f"skipped: agreement with vegeta, for there is no {agreement.VEGETA}, which takes Go to build")
    for name, measure in measures(quick=quick).items():
        if only not in name:
            continue
        print(f"{name}:", flush=True)
        with tempfile.TemporaryDirectory(prefix="gameday-bench-") as folder:
            try:
                done = measure(cores, Path(folder))
            except BenchmarkFailed as failure:
                failures.append(f"{name}: {failure}")
                print(f"  FAILED: {failure}", flush=True)
                continue
        for figure in done:
            print(f"  {figure.line()}", flush=True)
        figures += done
    return figures, failures


def main() -> int:
    """Measure as the command line says; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description="The load engine's figures.")
    parser.add_argument("--quick", action="store_true", help="show in less than a minute that everything runs")
    parser.add_argument("--only", default="", metavar="NAME", help="only what has this in its name, such as lateness")
    parser.add_argument("--out", type=Path, default=OUT, help="where the JSON goes (default: %(default)s)")
    arguments = parser.parse_args()
    try:
        cores = Cores.share()
    except ValueError as error:
        print(f"gameday: {error}", file=sys.stderr)
        return 2
    machine = Machine.look()
    figures, failures = run(cores, quick=arguments.quick, only=arguments.only)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(document(machine, figures, quick=arguments.quick) + "\n", encoding="utf-8")
    missed = [figure.name for figure in figures if figure.holds is False]
    print(f"{len(figures)} figures in {arguments.out}; do not hold: {', '.join(missed) or 'none'}")
    if arguments.quick:
        return 1 if failures else 0
    return 1 if failures or missed else 0


if __name__ == "__main__":
    sys.exit(main())
