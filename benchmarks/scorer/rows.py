"""A drill of as many requests as wanted: 10,000 a second, evenly spaced, with a hard outage of 3 s."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bundle.reader import Bundle
from bundle.table import GROUP_ROWS, REQUESTS, parquet_writer
from scorer.planted import Outage, Plan, plant

RATE_PER_S = 10_000
OUTAGE_S = 3
SEED = 6
_S = 1_000_000_000
_AROUND_S = 1 + 5 + 2  # warm-up, baseline, cool-down
_Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Drill:
    """A bundle on disk, how many requests it holds, and the size of their file in bytes."""

    root: Path
    rows: int
    size: int


def plant_rows(root: Path, targets: Path, rows: int) -> Drill:
    """Write the drill, a row group at a time, as a run that closed well would leave it. `rows` in whole seconds."""
    plan = Plan(rate_per_s=1.0, uncounted=True, after_s=rows / RATE_PER_S - _AROUND_S, outages=(Outage(0, OUTAGE_S),))
    plant(root, plan)
    manifest = json.loads((root / "manifest.json").read_text(encoding="utf-8"))
    manifest["load"]["rate_per_s"] = float(RATE_PER_S)
    (root / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (root / "inputs").mkdir(exist_ok=True)
    shutil.copy(targets, root / "inputs" / "targets.yaml")
    drill = Bundle.open(root)
    begin = next(entry for entry in drill.timeline if (entry.kind, entry.event) == ("fault", "begin"))
    path = root / "requests.parquet"
    with parquet_writer(path, REQUESTS) as writer:
        for batch in _batches(drill.manifest.phases[0].start_ns, begin.earliest_ns, rows):
            writer.write_batch(batch)
    return Drill(root, rows, path.stat().st_size)


def _batches(start_ns: int, fault_ns: int, rows: int) -> Iterator[pa.RecordBatch]:
    """The rows in the order in which they were sent: those that may be sent after one of the next batch wait for it."""
    rng = np.random.default_rng(SEED)
    held = np.empty((4, 0), dtype=np.int64)
    for first in range(0, rows, GROUP_ROWS):
        count = min(GROUP_ROWS, rows - first)
        due = start_ns + np.arange(first, first + count, dtype=np.int64) * (_S // RATE_PER_S)
        late = np.round(rng.exponential(200_000, count)).astype(np.int64)
        latency = late + np.round(rng.lognormal(np.log(12e6), 0.3, count)).astype(np.int64)
        ok = (due < fault_ns) | (due >= fault_ns + OUTAGE_S * _S)
        held = np.concatenate([held, np.stack([due, due + late, latency, ok])], axis=1)
        held = held[:, np.lexsort(held[[3, 2, 0, 1]])]
        last = first + count == rows
        done = held.shape[1] if last else int(np.searchsorted(held[1], int(due[-1]) + 1))
        yield _batch(rng, *held[:, :done])
        held = held[:, done:]


def _batch(rng: np.random.Generator, due: _Ints, start: _Ints, latency: _Ints, ok: _Ints) -> pa.RecordBatch:
    count, good = len(due), ok.astype(np.bool_)

    def names(codes: _Ints, *words: str) -> pa.Array:
        return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array(words))

    return pa.record_batch(
        [
            pa.array(due),
            pa.array(start),
            pa.array(latency),
            pa.array(np.where(good, 200, 503).astype(np.uint16)),
            pa.array(good),
            pa.array(rng.integers(500, 900, count)),
            names(rng.integers(0, 3, count), "POST /evaluate", "GET /health", "GET /dashboard"),
            names(rng.integers(0, 3, count), "us-east-1", "us-west-2", "eu-west-1"),
            names(1 - ok, "", "HTTP 503"),
            names(np.zeros(count, dtype=np.int64), "worker-1"),
        ],
        schema=REQUESTS,
    )
