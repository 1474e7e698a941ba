"""How long a complete verdict takes of up to 100 million requests, beside DuckDB's exact quantiles of the same file."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.load.figure import Figure, Goal
from benchmarks.load.process import BenchmarkFailed
from benchmarks.scorer.coldstart import TARGETS
from benchmarks.scorer.rows import plant_rows

ROWS = (1_000_000, 10_000_000, 100_000_000)
QUICK_ROWS = (1_000_000, 4_000_000)
RATIO = Goal(at_most=0.6)
RESIDENT = Goal(at_most=2 * 1024**3)
GROWTH = Goal(at_most=1.25)
LINEAR = Goal(at_most=1.25)
"""Seconds a row at the most rows, over those ten times fewer take; rows cost nothing else."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a process took: seconds, and bytes of memory at the most."""

    seconds: float
    resident: int


@dataclass(frozen=True, slots=True)
class Size:
    """What so many rows took: the scorer, and DuckDB in its faster way and in the other."""

    rows: int
    bytes_per_row: float
    scorer: Ran
    faster: Ran
    slower: Ran

    @property
    def ratio(self) -> float:
        """The scorer's time over DuckDB's in its faster way."""
        return self.scorer.seconds / self.faster.seconds


def measure(folder: Path, rows: Sequence[int], *, runs: int) -> list[Figure]:
    """The figures. Raises BenchmarkFailed where a process does not do what it should."""
    sizes = []
    for count in rows:
        with TemporaryDirectory(dir=folder) as root:  # 9 bytes a row: one file at a time
            drill = plant_rows(Path(root) / "bundle", TARGETS, count)
            took = {what: [once(what, drill.root) for _ in range(runs)] for what in ("scorer", "list", "two")}
        scorer, faster, slower = (_middle(took[what]) for what in ("scorer", "list", "two"))
        sizes.append(Size(count, drill.size / count, scorer, faster, slower))
    return [*(figure for size in sizes for figure in _of_size(size)), *_growth(sizes)]


def once(what: str, root: Path) -> Ran:
    """One run in a process of its own. Raises BenchmarkFailed."""
    command = [sys.executable, "-m", "benchmarks.scorer.once", what, str(root)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise BenchmarkFailed(f"{what}: {ended.stderr.strip().splitlines()[-1:] or 'no word'}")
    told = json.loads(ended.stdout)
    if not told["count"]:
        raise BenchmarkFailed(f"{what} found nothing")
    return Ran(told["seconds"], told["resident"])


def _middle(runs: Sequence[Ran]) -> Ran:
    return Ran(median(run.seconds for run in runs), max(run.resident for run in runs))


def _of_size(size: Size) -> list[Figure]:
    name = f"{size.rows / 1e6:g} million requests"
    beside = {
        "scorer_s": size.scorer.seconds,
        "duckdb_s": size.faster.seconds,
        "duckdb_two_quantiles_s": size.slower.seconds,
        "over_two_quantiles": size.scorer.seconds / size.slower.seconds,
        "rows_per_s": size.rows / size.scorer.seconds,
        "bytes_per_row": size.bytes_per_row,
    }
    return [
        Figure(f"verdict over DuckDB, {name}", size.ratio, "", RATIO if size.rows == ROWS[-1] else None, beside),
        Figure(
            f"memory, {name}", size.scorer.resident, "bytes", RESIDENT, {"duckdb_bytes": float(size.faster.resident)}
        ),
    ]


def _growth(sizes: Sequence[Size]) -> list[Figure]:
    before, last = sizes[-2:]
    per_row = [size.scorer.seconds / size.rows for size in (before, last)]
    return [
        Figure("time a row, most rows over fewer", per_row[1] / per_row[0], "", LINEAR),
        Figure("memory, most rows over fewer", last.scorer.resident / before.scorer.resident, "", GROWTH),
    ]
