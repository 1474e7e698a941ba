"""`python -m benchmarks.accuracy [--quick] [--out FILE]`: planted drills, and how right the scorer is about them.

Prints each figure and writes all as JSON. Exit code 1 where one does not hold its goal. `--quick` plants a tenth of the
drills: always the same ones, so that it fails or not by what was changed and not by chance.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks.accuracy.drill import Drill, run_drill
from benchmarks.accuracy.kinds import KINDS
from benchmarks.accuracy.summary import figures_of
from benchmarks.load.figure import document
from benchmarks.load.machine import Machine

OUT = Path("benchmarks/out/accuracy.json")
EACH, EACH_QUICK = 600, 61
PROCESSES = 2
_SAY_EVERY_S = 10


def plant_all(each: int, only: str = "") -> list[Drill]:
    """So many drills of each kind that has `only` in its name, the same ones whenever, with progress shown."""
    named = [kind for kind in KINDS if only in kind]
    kinds = [kind for kind in named for _ in range(each)]
    numbers = [number for _ in named for number in range(each)]
    drills: list[Drill] = []
    began = said = time.monotonic()
    with ProcessPoolExecutor(PROCESSES) as pool:
        for drill in pool.map(run_drill, kinds, numbers, chunksize=5):
            drills.append(drill)
            if time.monotonic() - said >= _SAY_EVERY_S:
                said = time.monotonic()
                print(f"{len(drills)} of {len(kinds)} drills, {said - began:.0f} s", flush=True)
    print(f"{len(drills)} drills in {time.monotonic() - began:.0f} s", flush=True)
    return drills


def main() -> int:
    """Measure as the command line says; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description="How right the scorer is.")
    parser.add_argument("--quick", action="store_true", help="a tenth of the drills, in less than a minute")
    parser.add_argument("--out", type=Path, default=OUT, help="where the JSON goes (default: %(default)s)")
    parser.add_argument("--only", default="", metavar="KIND", help="only kinds of drills that have this in their name")
    arguments = parser.parse_args()
    machine = Machine.look()
    drills = plant_all(EACH_QUICK if arguments.quick else EACH, arguments.only)
    figures = figures_of(drills)
    for figure in figures:
        print(figure.line())
    wrong = [drill for drill in drills if drill.false_pass or drill.false_fail]
    for drill in wrong:
        print(f"{drill.verdict} where it deserved {drill.due}: drill {drill.number} of {drill.kind!r}; {drill.says}")
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(document(machine, figures, quick=arguments.quick) + "\n", encoding="utf-8")
    missed = [figure.name for figure in figures if figure.holds is False]
    print(f"{len(figures)} figures in {arguments.out}; do not hold: {', '.join(missed) or 'none'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
