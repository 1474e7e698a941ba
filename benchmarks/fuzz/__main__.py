"""`python -m benchmarks.fuzz [--quick] [--out FILE]`: more than 100,000 damaged inputs through open and score.

Prints what became of each kind of damage and writes it as JSON. Exit code 1 where anything came out that may not: an
exception that isn't explained, a pass where the damage took what a pass needs, another verdict of the same rows.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import warnings
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks.fuzz import cuts, documents, entries, rows
from benchmarks.fuzz.base import make_base
from benchmarks.fuzz.mutant import Result, judge
from benchmarks.load.figure import Figure, Goal, document
from benchmarks.load.machine import Machine

OUT = Path("benchmarks/out/fuzz.json")
LEAST, RANDOM, RANDOM_QUICK = 100_000, 60_000, 6_000
PROCESSES = 2
MUTATIONS = (*cuts.MUTATIONS, *rows.MUTATIONS, *entries.MUTATIONS, *documents.MUTATIONS)


@dataclass(frozen=True)
class Share:
    """What one call of a worker does: every `step`-th cut of the base from `first` on, or so many random mutants of a
    seed."""

    closed: bool
    cuts_from: int = 0
    step: int = 0
    seed: int = 0
    many: int = 0


def work(share: Share) -> list[Result]:
    """Make the share's mutants and judge them. Warnings of numpy count as errors, as in the tests."""
    warnings.simplefilter("error")
    with tempfile.TemporaryDirectory(prefix="gameday-fuzz-") as folder:
        root = Path(folder) / "bundle"
        base = make_base(root, closed=share.closed)
        if share.step:
            return [
                judge(base, mutant, root) for mutant in islice(cuts.every_cut(base), share.cuts_from, None, share.step)
            ]
        rng = np.random.default_rng(share.seed)
        mutations = cuts.MUTATIONS if share.closed else MUTATIONS
        return [judge(base, mutations[number % len(mutations)](base, rng), root) for number in range(share.many)]


def shares(many: int, *, quick: bool) -> list[Share]:
    """Every cut of the last blocks, of a closed bundle and of one of streams; then so much random damage."""
    step = 4000 if quick else 16
    found = [Share(closed, first, step) for closed in (True, False) for first in range(min(step, 16))]
    each = 250
    found += [Share(number % 12 == 0, seed=number, many=each) for number in range(-(-many // each))]
    return found


def main() -> int:
    """Damage as the command line says; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description="Damaged inputs, scored.")
    parser.add_argument("--quick", action="store_true", help="six thousand inputs, in a minute or two")
    parser.add_argument("--out", type=Path, default=OUT, help="where the JSON goes (default: %(default)s)")
    arguments = parser.parse_args()
    machine, began = Machine.look(), time.monotonic()
    results: list[Result] = []
    said = began
    with ProcessPoolExecutor(PROCESSES) as pool:
        for done in pool.map(work, shares(RANDOM_QUICK if arguments.quick else RANDOM, quick=arguments.quick)):
            results += done
            if time.monotonic() - said >= 10:
                said = time.monotonic()
                print(f"{len(results)} inputs, {said - began:.0f} s", flush=True)
    print(f"{len(results)} inputs in {time.monotonic() - began:.0f} s")
    figures = figures_of(results, least=RANDOM_QUICK if arguments.quick else LEAST)
    for figure in figures:
        print(figure.line())
    for (name, wrong), count in Counter((result.name, result.wrong) for result in results if result.wrong).most_common(
        40
    ):
        print(f"{count} × {name}: {wrong}")
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(document(machine, figures, quick=arguments.quick) + "\n", encoding="utf-8")
    return 1 if any(figure.holds is False for figure in figures) else 0


def figures_of(results: list[Result], *, least: int) -> list[Figure]:
    """How many inputs there were, what came out, and what may not have."""
    caught = dict(Counter(kind for result in results for kind in set(result.caught)))
    found = [
        Figure("inputs", len(results), "", Goal(at_least=least), _outcomes(results)),
        Figure("exceptions that are not explained", _count(results, crash=True), "", Goal(at_most=0)),
        Figure("outcomes that may not be", _count(results, crash=False), "", Goal(at_most=0)),
        Figure("caught by a measure or a check", sum(bool(result.caught) for result in results), "", beside=caught),
    ]
    for name in sorted({result.name for result in results}):
        of = [result for result in results if result.name == name]
        wrong = sum(bool(result.wrong) for result in of)
        found.append(Figure(f"{name}: wrong", wrong, "", Goal(at_most=0), _outcomes(of)))
    return found


def _outcomes(results: list[Result]) -> dict[str, float]:
    return dict(Counter(result.outcome for result in results))


def _count(results: list[Result], *, crash: bool) -> int:
    return sum(bool(result.wrong) and (result.outcome == "crash") is crash for result in results)


if __name__ == "__main__":
    sys.exit(main())
