"""Requests as columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from bundle.manifest import LoadRecord, Manifest, Worker
from bundle.reader import Bundle
from bundle.table import REQUESTS, StreamWriter
from bundle.writer import BundleWriter
from scorer.facts import read_facts
from scorer.planted import Plan, plant
from scorer.requests import EARLY_NS, Requests
from scorer.source import Stream, all_rows, gather
from scorer.tally import Record, Recorded

Row = tuple[int, int | None, int | None, bool] | tuple[int, int | None, int | None, bool, int, str]


def written(tmp_path: Path, *workers: tuple[str, int, list[Row]]) -> tuple[Requests, int]:
    """Rows of (scheduled, start, latency, ok[, status, error]) by worker and clock offset, read back."""
    load = LoadRecord(model="open", workers=tuple(Worker(name=name, clock_offset_ns=at) for name, at, _ in workers))
    writer = BundleWriter(tmp_path / "b", Manifest(id="b", drill="d", clock_wall_ns=0, clock_mono_ns=0, load=load))
    for name, _, rows in workers:
        stream = StreamWriter(tmp_path / "b" / "requests" / f"{name}.arrows", REQUESTS)
        worker = pa.DictionaryArray.from_arrays(pa.array([0] * len(rows), pa.int32()), pa.array([name]))
        names = pa.DictionaryArray.from_arrays(pa.array([0] * len(rows), pa.int32()), pa.array([""]))
        errors = pa.array([row[5] if len(row) > 4 else "" for row in rows]).dictionary_encode()
        columns = [pa.array([row[i] for row in rows], kind) for i, kind in enumerate((pa.int64(),) * 3)]
        batch = pa.RecordBatch.from_arrays(
            [
                *columns,
                pa.array([row[4] if len(row) > 4 else 200 for row in rows], pa.uint16()),
                pa.array([row[3] for row in rows]),
                pa.array([0] * len(rows), pa.int64()),
                names,
                names,
                errors,
                worker,
            ],
            schema=REQUESTS,
        )
        stream.append(batch.slice(0, 1))
        stream.append(batch.slice(1))
        stream.close()
    source = Stream(Bundle.open(writer.root))
    recorded: Recorded = gather(source, [Record()])[0]
    assert recorded.workers.keys() == {name for name, _, rows in workers if rows}
    return all_rows(source), recorded.absurd


def test_unsent_arrivals_are_rows_that_were_not_sent(tmp_path: Path) -> None:
    requests, absurd = written(tmp_path, ("w", 0, [(10, 11, 5, True), (20, None, None, False), (30, 30, 9, False)]))
    assert requests.sent.tolist() == [True, False, True]
    assert requests.start_ns.tolist() == [11, 20, 30]
    assert requests.done_ns.tolist() == [15, 20, 39]
    assert (requests.bad, requests.unsent, absurd) == (1, 1, 0)


def test_nulls_are_seen_at_any_place_of_a_batch(tmp_path: Path) -> None:
    sent = np.random.default_rng(3).random(77) < 0.7
    rows: list[Row] = [(n, n, 1, True) if is_sent else (n, None, None, False) for n, is_sent in enumerate(sent)]
    requests, _ = written(tmp_path, ("w", 0, rows))
    assert requests.sent.tolist() == sent.tolist()


def test_each_workers_clock_is_set_right(tmp_path: Path) -> None:
    requests, _ = written(tmp_path, ("a", 0, [(100, 100, 5, True)]), ("b", 40, [(150, 151, 5, True)]))
    assert requests.scheduled_ns.tolist() == [100, 110]
    assert requests.start_ns.tolist() == [100, 111]


def test_a_worker_that_the_manifest_does_not_list_is_a_stranger(tmp_path: Path) -> None:
    plant(tmp_path / "b", Plan())
    bundle = Bundle.open(tmp_path / "b")
    bundle.manifest = bundle.manifest.model_copy(update={"load": LoadRecord(model="open")})
    assert read_facts(bundle).strangers == {"worker-1"}


def test_rows_that_no_clock_can_have_written_are_left_out_and_counted(tmp_path: Path) -> None:
    rows: list[Row] = [
        (0, 0, 5, True),
        (0, 0, -5, True),  # answered before it was due
        (9 * EARLY_NS, 7 * EARLY_NS, 3 * EARLY_NS, True),  # started long before it was due
        (9 * EARLY_NS, 9 * EARLY_NS - 5, 9, True),  # a timer that fired a little early
        (0, 7, 5, True),  # answered before it was sent
        (0, None, None, True),  # good, and never sent
        (0, 0, None, True),  # good, and never answered
        (0, 0, 5, True, 0, ""),  # good, and without a status
        (0, 0, 5, True, 200, "timeout"),  # good, and an error
        (0, 0, 5, False, 0, "timeout"),
    ]
    requests, absurd = written(tmp_path, ("w", 0, rows))
    assert (len(requests), absurd) == (3, 7)


def test_a_bundle_without_requests_has_none(tmp_path: Path) -> None:
    BundleWriter(tmp_path / "b", Manifest(id="b", drill="d", clock_wall_ns=0, clock_mono_ns=0)).close()
    source = Stream(Bundle.open(tmp_path / "b"))
    requests = all_rows(source)
    assert gather(source, [Record()]) == [Recorded(0, {}, None)]
    assert not len(requests)
    assert requests.due_within(0, 9).bad == 0


def test_the_window_holds_its_start_and_not_its_end(tmp_path: Path) -> None:
    requests, _ = written(tmp_path, ("w", 0, [(10, 10, 1, True), (19, 19, 5, True), (20, 20, 5, True)]))
    assert requests.due_within(10, 20).scheduled_ns.tolist() == [10, 19]
