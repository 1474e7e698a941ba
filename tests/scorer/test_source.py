"""Requests as they are read from a bundle: in order, the same ones each time, however they are stored and read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import bundle.order
import scorer.source
from bundle.errors import BundleError
from bundle.reader import Bundle
from bundle.table import REQUESTS
from scorer.facts import read_facts
from scorer.planted import Outage, Plan, plant
from scorer.requests import Requests
from scorer.score import score
from scorer.source import Held, Stream, all_rows
from scorer.targets import Targets

PLAN = Plan(outages=(Outage(0, 3, 1 / 3),), unsent=(5.0, 5.3), workers=3, offsets_ms=(0.0, 40.0, -25.0), late_ms=3.0)


@pytest.fixture(autouse=True)
def nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a drill of more requests than are kept between two passes."""
    monkeypatch.setattr(scorer.source, "KEPT_ROWS", 0)


def stored(root: Path, rows_a_group: int, order: np.ndarray | None = None, plan: Plan = PLAN) -> Bundle:
    """The plan with its requests in row groups of some size, in an order of theirs."""
    plant(root, plan)
    path = root / "requests.parquet"
    table = pq.read_table(path, schema=REQUESTS)
    pq.write_table(table if order is None else table.take(order), path, row_group_size=rows_a_group)
    return Bundle.open(root)


def same(one: Requests, other: Requests) -> bool:
    """Whether both hold the same rows in the same order."""
    return all(np.array_equal(a, b) for a, b in zip(one.order_keys(), other.order_keys(), strict=True))


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("rows_a_group", [50, 701, 10_000])
@pytest.mark.parametrize("order", ["stored", "shuffled", "backwards"])
def test_rows_come_in_order_however_they_lie(tmp_path: Path, threads: int, rows_a_group: int, order: str) -> None:
    plain = stored(tmp_path / "plain", 10_000)
    count = len(all_rows(Stream(plain)))
    places = {"shuffled": np.random.default_rng(1).permutation(count), "backwards": np.arange(count)[::-1]}
    source = Stream(stored(tmp_path / "other", rows_a_group, places.get(order)), threads=threads)
    once, again = all_rows(source), all_rows(source)
    assert same(once, all_rows(Held(once)))
    assert same(once, again)
    assert same(once, all_rows(Stream(plain)))


@pytest.mark.parametrize("first", [0, 1, 5])
@pytest.mark.parametrize("plan", [PLAN, Plan()], ids=["merged", "in-order"])
def test_batches_can_be_read_from_one_of_them_on(
    tmp_path: Path, plan: Plan, first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle.order, "CHUNK_ROWS", 300)
    source = Stream(stored(tmp_path / "b", 300, plan=plan), threads=2)
    all_rows(source)
    every = list(source.each(lambda batch: batch.rows))
    rest = list(source.each(lambda batch: batch.rows, first))
    assert len(every) > 6
    assert len(rest) == len(every) - first
    assert all(same(one, other) for one, other in zip(every[first:], rest, strict=True))


def test_a_verdict_is_the_same_whoever_reads_it_and_however(
    tmp_path: Path, targets: Targets, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdicts = set()
    for rows_a_group in (100, 10_000):
        drill = stored(tmp_path / str(rows_a_group), rows_a_group)
        for processors in (1, 3):
            monkeypatch.setattr("os.sched_getaffinity", lambda _, count=processors: range(count))
            verdicts.add(score(drill, targets).to_json())
    monkeypatch.undo()
    verdicts.add(score(drill, targets).to_json())
    assert len(verdicts) == 1


def test_a_drill_is_read_a_few_times_however_much_is_asked_of_it(
    tmp_path: Path, targets: Targets, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(tmp_path / "b", Plan(outages=(Outage(0, 3),)))
    passes = []
    each = Stream._each
    monkeypatch.setattr(Stream, "_each", lambda self, look, first: passes.append(first) or each(self, look, first))
    score(Bundle.open(tmp_path / "b"), targets)
    assert len(passes) <= 6  # twice for all measures; the others see a few batches around the end of the outage


def test_a_damaged_row_group_is_an_error_that_names_the_table(tmp_path: Path) -> None:
    drill = stored(tmp_path / "b", 300)
    path = drill.root / "requests.parquet"
    data = bytearray(path.read_bytes())
    data[len(data) // 3 : len(data) // 3 + 200] = b"\xff" * 200
    path.write_bytes(data)
    with pytest.raises(BundleError, match="cannot be read"):
        _ = read_facts(Bundle.open(drill.root)).recorded
