"""The columnar tables: streams that may be torn, and what they become."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bundle.table import LEDGER, REQUESTS, SAMPLES, StreamWriter, compact, iter_table, read_stream


def samples(*values: float, series: str = "load.sent", source: str = "load-0") -> pa.RecordBatch:
    """A batch of readings, one a nanosecond."""
    count = len(values)
    columns = [
        pa.array(range(count), pa.int64()),
        pa.array([series] * count).dictionary_encode(),
        pa.array([source] * count).dictionary_encode(),
        pa.array(values, pa.float64()),
    ]
    return pa.record_batch(columns, schema=SAMPLES)


def values_of(root: Path) -> list[float]:
    """All values of the samples table, in stored order."""
    return [value for batch in iter_table(root, "samples") for value in batch["value"].to_pylist()]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty bundle folder with room for samples."""
    (tmp_path / "samples").mkdir()
    return tmp_path


def test_what_was_appended_is_there_before_the_stream_is_closed(root: Path) -> None:
    writer = StreamWriter(root / "samples" / "a.arrows", SAMPLES)
    writer.append(samples(1.0, 2.0))
    assert values_of(root) == [1.0, 2.0]
    writer.close()


def test_names_may_change_from_batch_to_batch(root: Path) -> None:
    writer = StreamWriter(root / "samples" / "a.arrows", SAMPLES)
    writer.append(samples(1.0, series="x"))
    writer.append(samples(2.0, series="y"))
    writer.close()
    assert [name for batch in iter_table(root, "samples") for name in batch["series"].to_pylist()] == ["x", "y"]


def test_a_stream_cut_at_any_byte_reads_up_to_its_last_whole_batch(root: Path) -> None:
    path = root / "samples" / "a.arrows"
    writer = StreamWriter(path, SAMPLES)
    ends = []
    for number in range(3):
        writer.append(samples(float(number)))
        ends.append(path.stat().st_size)
    writer.close()
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        assert values_of(root) == [float(n) for n in range(sum(end <= cut for end in ends))], f"cut at byte {cut}"


def test_compacting_keeps_every_row_of_every_worker_and_removes_the_streams(root: Path) -> None:
    for name, value in (("a", 1.0), ("b", 2.0)):
        writer = StreamWriter(root / "samples" / f"{name}.arrows", SAMPLES)
        writer.append(samples(value, source=name))
        writer.close()
    compact(root, "samples")
    assert not (root / "samples").exists()
    (batch,) = iter_table(root, "samples")
    assert batch.schema == SAMPLES
    assert batch.to_pydict()["source"] == ["a", "b"]
    assert values_of(root) == [1.0, 2.0]


def test_a_crash_while_compacting_loses_nothing(root: Path) -> None:
    writer = StreamWriter(root / "samples" / "a.arrows", SAMPLES)
    writer.append(samples(1.0))
    writer.close()
    (root / "samples.parquet.partial").write_bytes(b"half a file")
    assert values_of(root) == [1.0]
    compact(root, "samples")
    assert values_of(root) == [1.0]


def test_a_table_that_was_never_written_has_no_rows_and_still_compacts(root: Path) -> None:
    assert values_of(root) == []
    compact(root, "samples")
    assert values_of(root) == []


def test_a_writer_killed_with_kill_9_leaves_a_readable_stream(root: Path) -> None:
    path = root / "samples" / "a.arrows"
    program = (
        "import sys; from pathlib import Path; import pyarrow as pa\n"
        "from bundle.table import SAMPLES, StreamWriter\n"
        "w = StreamWriter(Path(sys.argv[1]), SAMPLES)\n"
        "n = 0.0\n"
        "while True:\n"
        "    s = pa.array(['s'] * 50).dictionary_encode()\n"
        "    w.append(pa.record_batch([pa.array(range(50), pa.int64()), s, s, pa.array([n] * 50)], schema=SAMPLES))\n"
        "    n += 1\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", program, str(path)])
    deadline = time.monotonic() + 30
    while not path.exists() or path.stat().st_size < 100_000:
        assert time.monotonic() < deadline, "the writer wrote nothing"
        time.sleep(0.01)
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    found = values_of(root)
    assert found
    assert found == [float(n) for n in range(len(found) // 50) for _ in range(50)]


def test_no_table_has_a_column_of_another_name_or_type() -> None:
    """A golden list: readers in other languages rest on it, and docs/bundle.md gives it."""
    assert [(f.name, str(f.type), f.nullable) for f in REQUESTS] == [
        ("scheduled_ns", "int64", False),
        ("start_ns", "int64", True),
        ("latency_ns", "int64", True),
        ("status", "uint16", False),
        ("ok", "bool", False),
        ("bytes", "int64", False),
        *(
            (name, "dictionary<values=string, indices=int32, ordered=0>", False)
            for name in ("endpoint", "region", "error", "worker")
        ),
    ]
    assert [f.name for f in SAMPLES] == ["t_ns", "series", "source", "value"]
    assert [f.name for f in LEDGER] == ["key", "acknowledged_ns", "region", "read_back"]


def test_something_that_is_no_stream_reads_as_empty(root: Path) -> None:
    path = root / "samples" / "a.arrows"
    path.write_bytes(b"this is no Arrow stream at all")
    assert list(read_stream(path)) == []


def test_a_stream_whose_names_point_nowhere_is_damaged_and_not_torn(root: Path) -> None:
    batch = samples(1.0, 2.0)
    codes = pa.array([7, 7], pa.int32())
    astray = pa.DictionaryArray.from_arrays(codes, batch["series"].dictionary, safe=False)
    writer = StreamWriter(root / "samples" / "a.arrows", SAMPLES)
    writer.append(pa.record_batch([batch["t_ns"], astray, batch["source"], batch["value"]], schema=SAMPLES))
    writer.close()
    with pytest.raises(pa.ArrowInvalid, match="out of bounds"):
        values_of(root)


def test_a_closed_table_whose_names_are_no_text_is_damaged(root: Path) -> None:
    batch = samples(1.0, series="load.sent" * 9)
    writer = StreamWriter(root / "samples" / "a.arrows", SAMPLES)
    writer.append(batch)
    writer.close()
    compact(root, "samples")
    table = pq.read_table(root / "samples.parquet", read_dictionary=[])
    pq.write_table(table, root / "samples.parquet", compression="none", use_dictionary=False, store_schema=False)
    data = (root / "samples.parquet").read_bytes()
    (root / "samples.parquet").write_bytes(data.replace(b"load.sent" * 9, b"load\xff\xfeent" + b"load.sent" * 8))
    with pytest.raises((pa.ArrowInvalid, OSError)):
        values_of(root)


def test_a_closed_table_whose_names_point_nowhere_is_damaged(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the reader of Parquet gives it where a byte of the codes is another."""
    batch = samples(1.0, 2.0)
    astray = pa.DictionaryArray.from_arrays(pa.array([7, 7], pa.int32()), batch["series"].dictionary, safe=False)
    broken = pa.record_batch([batch["t_ns"], astray, batch["source"], batch["value"]], schema=SAMPLES)

    named = pa.Table.from_batches([batch, samples(3.0, series="load.due", source="load-1")])
    pq.write_table(named, root / "samples.parquet")  # of several names: of one, the statistics tell which
    monkeypatch.setattr(pq.ParquetFile, "iter_batches", lambda *_, **__: [broken])
    with pytest.raises(pa.ArrowInvalid, match="out of bounds"):
        values_of(root)


def test_a_batch_whose_last_bytes_do_not_fit_is_an_error(tmp_path: Path) -> None:
    """A write to a disk that is nearly full is cut short, without an error of its own."""
    batch, whole = samples(*range(1000)), tmp_path / "whole.arrows"
    writer = StreamWriter(whole, SAMPLES)
    writer.append(batch)
    size = whole.stat().st_size
    writer.close()
    script = f"""
import resource
from tests.bundle.test_table import SAMPLES, Path, StreamWriter, samples
writer = StreamWriter(Path({os.fspath(tmp_path / "cut.arrows")!r}), SAMPLES)
resource.setrlimit(resource.RLIMIT_FSIZE, ({size - 10}, -1))
try:
    writer.append(samples(*range(1000)))
except OSError as error:
    print("error:", error.strerror)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout == "error: File too large\n"
