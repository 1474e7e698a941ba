"""Damage to the rows of requests and samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa

from benchmarks.fuzz.base import PLAN, STREAMS, stream_of, table_of
from benchmarks.fuzz.mutant import Base, May, Mutant
from scorer.planted import EPOCH_NS

_S = 1_000_000_000
_Rng = np.random.Generator
_ABSURD_NS = (-1, -(10**9), -(10**18), 10**15, 2**62, 2**63 - 1, -(2**63))
_FUTURE_NS = (60 * _S, 3600 * _S, 10 * 365 * 86_400 * _S)
_FLOATS = (float("nan"), float("inf"), float("-inf"), -1.0, 1e300)


def _window(table: pa.Table, rng: _Rng, least: int, most: int) -> list[int]:
    """Some rows that were due in the window."""
    fault_ns = EPOCH_NS + round((PLAN.warm_up_s + PLAN.baseline_s + 1) * _S)
    due = table["scheduled_ns"].to_numpy()
    rows = np.flatnonzero((due >= fault_ns) & (due < fault_ns + round(PLAN.after_s * _S)))
    return sorted(int(row) for row in rng.choice(rows, int(rng.integers(least, most)), replace=False))


def _requests(name: str, may: May, table: pa.Table) -> Mutant:
    return Mutant(name, may, {STREAMS["requests"]: stream_of(table)})


def _changed(table: pa.Table, rows: list[int], values: Mapping[str, object]) -> pa.Table:
    """The table with other values in some rows of some columns; None for null."""
    for column, value in values.items():
        number, kind = table.schema.get_field_index(column), table.schema.field(column)
        held = table[column].to_pylist()
        for row in rows:
            held[row] = value
        loose = pa.field(column, kind.type, nullable=True)
        table = table.set_column(
            number, loose, pa.array(held, pa.string() if _named(kind) else kind.type).cast(kind.type)
        )
    return table


def _named(kind: pa.Field) -> bool:
    return bool(pa.types.is_dictionary(kind.type))


def shuffled(base: Base, rng: _Rng) -> Mutant:
    """In another order."""
    table = table_of(base, "requests")
    return _requests("rows shuffled", May.SAME, table.take(rng.permutation(table.num_rows)))


def duplicated(base: Base, rng: _Rng) -> Mutant:
    """Some rows of the window twice, or all of them."""
    table = table_of(base, "requests")
    rows = _window(table, rng, 3, 400) if rng.random() < 0.8 else list(range(table.num_rows))
    twice = pa.concat_tables([table, table.take(rows)])
    return _requests("rows duplicated", May.NO_PASS, twice)


def removed(base: Base, rng: _Rng) -> Mutant:
    """Without some rows of the window: evenly spaced ones can be counted."""
    table = table_of(base, "requests")
    gone = set(_window(table, rng, 2, 400))
    return _requests("rows removed", May.NO_PASS, table.take([row for row in range(table.num_rows) if row not in gone]))


def emptied(base: Base, rng: _Rng) -> Mutant:
    """No requests at all: no rows, no file, or an empty one."""
    table = table_of(base, "requests")
    ways: tuple[bytes | None, ...] = (stream_of(table.slice(0, 0)), None, b"")
    return Mutant("no requests", May.NO_PASS, {STREAMS["requests"]: ways[int(rng.integers(3))]})


def in_the_future(base: Base, rng: _Rng) -> Mutant:
    """Some rows of the window after the end of the recording."""
    table = table_of(base, "requests")
    rows = _window(table, rng, 2, 50)
    due = int(EPOCH_NS + 20 * _S + rng.choice(_FUTURE_NS))
    return _requests("rows in the future", May.NO_PASS, _changed(table, rows, {"scheduled_ns": due, "start_ns": due}))


def absurd_times(base: Base, rng: _Rng) -> Mutant:
    """Latencies and times that can't be."""
    table = table_of(base, "requests")
    column = str(rng.choice(["latency_ns", "start_ns", "scheduled_ns"]))
    value = int(rng.choice(_ABSURD_NS))
    return _requests(f"{column} absurd", May.NO_PASS, _changed(table, _window(table, rng, 2, 50), {column: value}))


def contradictory(base: Base, rng: _Rng) -> Mutant:
    """Answered well and yet never sent, never answered, without a status, or with an error."""
    table = table_of(base, "requests")
    ways: tuple[Mapping[str, object], ...] = (
        {"start_ns": None, "latency_ns": None},
        {"latency_ns": None},
        {"status": 0},
        {"error": "refused"},
    )
    way = ways[int(rng.integers(len(ways)))]
    return _requests("good answers that can't be", May.NO_PASS, _changed(table, _window(table, rng, 1, 20), way))


def failed(base: Base, rng: _Rng) -> Mutant:
    """Requests that failed."""
    table = table_of(base, "requests")
    values = {"ok": False, "status": int(rng.choice([0, 500, 503])), "error": "refused"}
    return _requests("requests failed", May.NO_PASS, _changed(table, _window(table, rng, 1, 200), values))


def unknown_names(base: Base, rng: _Rng) -> Mutant:
    """Workers, endpoints and regions that nobody has heard of."""
    table = table_of(base, "requests")
    column = str(rng.choice(["worker", "endpoint", "region"]))
    name = ("", "nobody", "worker-1\x00", "é" * 300)[int(rng.integers(4))]
    may = May.NO_PASS if column == "worker" else May.SAME
    return _requests(f"unknown {column}", may, _changed(table, _window(table, rng, 1, 20), {column: name}))


def other_columns(base: Base, rng: _Rng) -> Mutant:
    """A column that is gone, renamed, of text, or null throughout."""
    table = table_of(base, "requests")
    number = int(rng.integers(table.num_columns))
    name, way = table.column_names[number], int(rng.integers(4))
    if way == 0:
        table = table.remove_column(number)
    elif way == 1:
        table = table.rename_columns([f"{held}?" if held == name else held for held in table.column_names])
    else:
        kind = pa.string() if way == 2 else pa.null()
        words = ["what"] * table.num_rows if way == 2 else [None] * table.num_rows
        table = table.set_column(number, pa.field(name, kind), pa.array(words, kind))
    indifferent = name in ("bytes", "endpoint", "region")
    return _requests("columns changed", May.PASS if indifferent else May.NO_PASS, table)


def bad_samples(base: Base, rng: _Rng) -> Mutant:
    """The generator's lag as what no lag can be, or samples that are gone."""
    table = table_of(base, "samples")
    lag = np.array([series == "load.lag_s" for series in table["series"].to_pylist()])
    if rng.random() < 0.2:
        table = table.filter(pa.array(lag if rng.random() < 0.5 else ~lag))
        return Mutant("samples of a series removed", May.NO_PASS, {STREAMS["samples"]: stream_of(table)})
    values = table["value"].to_numpy().copy()
    values[lag] = float(rng.choice(_FLOATS))
    number = table.schema.get_field_index("value")
    table = table.set_column(number, table.schema.field("value"), pa.array(values))
    return Mutant("lag absurd", May.NO_PASS, {STREAMS["samples"]: stream_of(table)})


def miscounted(base: Base, rng: _Rng) -> Mutant:
    """Workers' own counts of their rows that aren't how many there are."""
    table = table_of(base, "samples")
    counts = np.array([series == "load.rows" for series in table["series"].to_pylist()])
    values = table["value"].to_numpy().copy()
    values[counts] += int(rng.integers(2, 400)) * (1 if rng.random() < 0.5 else -1)
    number = table.schema.get_field_index("value")
    table = table.set_column(number, table.schema.field("value"), pa.array(values))
    return Mutant("rows miscounted", May.NO_PASS, {STREAMS["samples"]: stream_of(table)})


MUTATIONS: tuple[Callable[[Base, _Rng], Mutant], ...] = (
    shuffled,
    duplicated,
    removed,
    emptied,
    in_the_future,
    absurd_times,
    contradictory,
    failed,
    unknown_names,
    other_columns,
    bad_samples,
    miscounted,
)
"""Of a base of streams."""
