"""The bundle that is damaged: small, whole, and passing."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from benchmarks.fuzz.mutant import Base
from bundle.reader import Bundle
from bundle.table import REQUESTS, SAMPLES
from scorer.planted import Plan, plant
from scorer.score import score
from scorer.targets import Targets
from scorer.verdict import Grade

PLAN = Plan(outages=(), warm_up_s=1, baseline_s=2, after_s=8, ready_s=2)
STREAMS = {"requests": "requests/all.arrows", "samples": "samples/all.arrows"}
SCHEMAS = {"requests": REQUESTS, "samples": SAMPLES}
_TARGETS = Path(__file__).parents[2] / "runbook" / "targets.yaml"


def make_base(root: Path, *, closed: bool) -> Base:
    """Plant it at `root`, which must not exist. closed: with tables in Parquet, as a run leaves them; else as streams,
    which are faster to rewrite and read alike."""
    plant(root, PLAN)
    if not closed:
        bundle = Bundle.open(root)
        tables = {name: pa.Table.from_batches(getattr(bundle, name)()) for name in STREAMS}
        for name, stream in STREAMS.items():
            (root / name).mkdir()
            (root / stream).write_bytes(stream_of(tables[name]))
            (root / f"{name}.parquet").unlink()
    files = {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
    base = Base(files, _TARGETS.read_bytes())
    verdict = score(Bundle.open(root), Targets.parse(base.targets, "targets.yaml"))
    assert verdict.verdict is Grade.PASS, verdict.summary
    return replace(base, verdict=verdict.to_json())


def table_of(base: Base, name: str) -> pa.Table:
    """The table of that name of a base of streams."""
    with pa.ipc.open_stream(base.files[STREAMS[name]]) as reader:
        return reader.read_all()


def stream_of(table: pa.Table, rows_each: int = 500) -> bytes:
    """A table as the bytes of a stream of batches of so many rows."""
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.unify_dictionaries(), max_chunksize=rows_each)
    return sink.getvalue()
