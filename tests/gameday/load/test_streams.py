"""The streams of a worker, also on a disk that is full."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from bundle.table import read_stream
from gameday.load.streams import Streams, flush_for_ever

SCHEMA = pa.schema([("n", pa.int64())])


def batch(*numbers: int) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array(numbers, pa.int64())], schema=SCHEMA)


def test_each_table_is_a_stream_of_the_worker(tmp_path: Path) -> None:
    streams = Streams(tmp_path, "w-1", {"ones": SCHEMA, "twos": SCHEMA}, failed=pytest.fail)
    streams.append("ones", batch(1))
    streams.append("twos", batch(2))
    streams.close()
    streams.close()
    streams.append("ones", batch(3))
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.arrows")) == [
        "ones/w-1.arrows",
        "twos/w-1.arrows",
    ]
    rows = [row["n"] for read in read_stream(tmp_path / "ones" / "w-1.arrows") for row in read.to_pylist()]
    assert rows == [1]


def test_a_disk_that_is_full_is_told_once_and_what_follows_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    streams = Streams(tmp_path, "w-1", {"ones": SCHEMA}, failed=lambda error: told.append(str(error)))

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("bundle.table.StreamWriter.append", full)
    streams.append("ones", batch(1))
    streams.append("ones", batch(2))
    streams.close()
    assert told == ["No space left on device"]


def test_flushing_goes_on_for_ever_at_its_pace() -> None:
    done: list[float] = []

    def sleep(seconds: float) -> None:
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(seconds)

    flushed: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        flush_for_ever(lambda: flushed.append(1), sleep)
    assert (done, len(flushed)) == ([0.15] * 3, 3)
