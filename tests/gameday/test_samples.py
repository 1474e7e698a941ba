from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from bundle.table import read_stream
from gameday.samples import SampleSink


def test_readings_are_written_with_their_series_and_source(tmp_path: Path) -> None:
    told: list[OSError] = []
    sink = SampleSink(tmp_path / "harness.arrows", told.append)
    sink.add("api.round_trip_s", "us-east-1", 5, 0.25)
    sink.add("api.round_trip_s", "us-west-2", 6, 0.5)
    sink.close()
    rows = pa.Table.from_batches(read_stream(tmp_path / "harness.arrows")).to_pylist()
    assert [(row["t_ns"], row["source"], row["value"]) for row in rows] == [
        (5, "us-east-1", 0.25),
        (6, "us-west-2", 0.5),
    ]
    assert told == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_told_and_raises_nothing(tmp_path: Path) -> None:
    (tmp_path / "harness.arrows").symlink_to("/dev/full")
    told: list[OSError] = []
    sink = SampleSink(tmp_path / "harness.arrows", told.append)
    sink.add("api.round_trip_s", "us-east-1", 5, 0.25)
    sink.flush()
    sink.close()
    assert {error.strerror or str(error).rpartition(": ")[2] for error in told} == {"No space left on device"}
