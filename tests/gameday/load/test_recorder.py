from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from bundle.clock import Anchor
from bundle.table import REQUESTS, SAMPLES, iter_table
from gameday.load.recorder import MAX_ROWS, Recorder, RequestColumns

ANCHOR = Anchor(wall_ns=1_700_000_000_000_000_000, mono_ns=5_000)


def no_failure(error: OSError) -> None:
    raise AssertionError(error)


def add(columns: RequestColumns, number: int = 0, *, error: str = "", sent: bool = True) -> bool:
    return columns.append(
        scheduled_ns=5_000 + number,
        start_ns=5_001 + number if sent else None,
        latency_ns=7,
        status=200 if not error else 0,
        size=12,
        endpoint="/a",
        region="r",
        error=error,
    )


def test_a_row_comes_back_with_utc_times(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "load-0", ANCHOR, no_failure)
    add(recorder.columns, 20)
    recorder.close(20_000)
    (batch,) = iter_table(tmp_path, "requests")
    assert batch.schema == REQUESTS
    assert batch.to_pylist() == [
        {
            "scheduled_ns": ANCHOR.wall_ns + 20,
            "start_ns": ANCHOR.wall_ns + 21,
            "latency_ns": 7,
            "status": 200,
            "ok": True,
            "bytes": 12,
            "endpoint": "/a",
            "region": "r",
            "error": "",
            "worker": "load-0",
        }
    ]


def test_an_arrival_that_was_never_sent_has_neither_start_nor_latency(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "load-0", ANCHOR, no_failure)
    add(recorder.columns, error="unsent: full", sent=False)
    recorder.close(20_000)
    (row,) = next(iter_table(tmp_path, "requests")).to_pylist()
    assert (row["start_ns"], row["latency_ns"], row["ok"], row["error"]) == (None, None, False, "unsent: full")


def test_texts_are_coded_anew_for_each_flush(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "load-0", ANCHOR, no_failure)
    for errors in (["", "timeout", "", "HTTP 503"], ["HTTP 503", ""]):
        for number, error in enumerate(errors):
            add(recorder.columns, number, error=error)
        recorder.flush()
    recorder.close(20_000)
    rows = [row for batch in iter_table(tmp_path, "requests") for row in batch.to_pylist()]
    assert [row["error"] for row in rows] == ["", "timeout", "", "HTTP 503", "HTTP 503", ""]
    assert [row["ok"] for row in rows] == [True, False, True, False, False, True]


@pytest.mark.parametrize("status", [-1, 1 << 16, 10**9])
def test_a_status_that_can_be_none_of_http_is_none(tmp_path: Path, status: int) -> None:
    recorder = Recorder(tmp_path, "load-0", ANCHOR, no_failure)
    recorder.columns.append(1, 2, 3, status, 4, "/a", "", "odd")
    recorder.close(20_000)
    (row,) = next(iter_table(tmp_path, "requests")).to_pylist()
    assert row["status"] == 0


def test_rows_can_be_read_as_soon_as_they_are_flushed(tmp_path: Path) -> None:
    """Nobody has closed the stream: that is how a bundle survives `kill -9`."""
    recorder = Recorder(tmp_path, "load-0", ANCHOR, no_failure)
    for flushed in (3, 5):
        for number in range(flushed):
            add(recorder.columns, number, error="timeout" if number else "")
        recorder.flush()
    assert [batch.num_rows for batch in iter_table(tmp_path, "requests")] == [3, 5]
    recorder.close(20_000)


def test_a_flush_of_nothing_writes_nothing(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "load-0", ANCHOR, no_failure)
    recorder.flush()
    recorder.close(20_000)
    assert list(iter_table(tmp_path, "requests")) == []


def test_samples_of_one_moment_are_one_batch(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "load-0", ANCHOR, no_failure)
    recorder.sample(6_000, {"load.due": 3, "load.lag_s": 0.5})
    recorder.close(20_000)
    batch, _ = iter_table(tmp_path, "samples")
    assert batch.schema == SAMPLES
    assert [(row["t_ns"], row["series"], row["source"], row["value"]) for row in batch.to_pylist()] == [
        (ANCHOR.wall_ns + 1_000, "load.due", "load-0", 3.0),
        (ANCHOR.wall_ns + 1_000, "load.lag_s", "load-0", 0.5),
    ]


def test_at_its_end_a_record_says_how_many_rows_it_should_hold(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "load-0", ANCHOR, no_failure)
    for number in range(3):
        add(recorder.columns, number)
        recorder.flush()
    add(recorder.columns, 3)
    recorder.close(6_000)
    recorder.close(7_000)
    (batch,) = iter_table(tmp_path, "samples")
    assert batch.to_pylist() == [
        {"t_ns": ANCHOR.wall_ns + 1_000, "series": "load.rows", "source": "load-0", "value": 4.0}
    ]


def test_memory_does_not_grow_with_the_number_of_rows(tmp_path: Path) -> None:
    """Rows with texts of their own, flushed only by their number: what is left after 60 batches is not 60 batches."""
    recorder = Recorder(tmp_path, "load-0", ANCHOR, no_failure)

    def record(batches: int) -> None:
        for number in range(batches * MAX_ROWS):
            if add(recorder.columns, number, error=f"error {number}"):
                recorder.flush()

    record(2)
    tracemalloc.start()
    record(2)
    tracemalloc.reset_peak()
    _, of_two = tracemalloc.get_traced_memory()
    record(10)
    left, of_ten = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(recorder.columns) == 0
    assert of_ten < 2 * max(of_two, 2**20)
    assert left < 2**20
    recorder.close(20_000)


def test_a_full_disk_is_told_once_and_rows_are_dropped_from_then_on(tmp_path: Path) -> None:
    """The stream itself goes to /dev/full; samples still have room, and are given up with it."""
    failures: list[OSError] = []
    (tmp_path / "requests").mkdir()
    (tmp_path / "requests" / "load-0.arrows").symlink_to("/dev/full")
    recorder = Recorder(tmp_path, "load-0", ANCHOR, failures.append)
    for _ in range(3):
        add(recorder.columns)
        recorder.flush()
    recorder.sample(6_000, {"load.due": 3})
    recorder.close(20_000)
    assert [error.strerror for error in failures] == ["No space left on device"]
    assert len(recorder.columns) == 0
    assert list(iter_table(tmp_path, "samples")) == []


def test_streams_that_cannot_be_created_are_the_callers_to_report(tmp_path: Path) -> None:
    (tmp_path / "bundle").write_text("a file is in the way")
    with pytest.raises(OSError, match="bundle"):
        Recorder(tmp_path / "bundle", "load-0", ANCHOR, no_failure)


def test_what_may_be_a_secret_in_a_name_is_not_recorded(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "load-0", ANCHOR, no_failure)
    for name in ("/a?token=1", "/b", "/a?token=2", "http://me:pw@host/a#x"):
        recorder.columns.append(5_000, 5_001, 7, 200, 12, name, "r", "")
    recorder.close(20_000)
    (batch,) = iter_table(tmp_path, "requests")
    assert batch["endpoint"].to_pylist() == ["/a", "/b", "/a", "http://host/a"]
    assert len(batch["endpoint"].dictionary) == 3
