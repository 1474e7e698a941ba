"""Following a stream while it is written."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from bundle.table import SAMPLES, StreamWriter
from bundle.tail import StreamTail


def samples(*values: float, names: str = "s") -> pa.RecordBatch:
    """A batch of readings."""
    name = pa.array([names] * len(values)).dictionary_encode()
    return pa.record_batch([pa.array(range(len(values)), pa.int64()), name, name, pa.array(values)], schema=SAMPLES)


def next_values(tail: StreamTail, count: int) -> list[list[float]]:
    """The values of the next `count` batches, waited for."""
    found: list[list[float]] = []
    deadline = time.monotonic() + 10
    while len(found) < count:
        assert time.monotonic() < deadline, found
        found += [batch["value"].to_pylist() for batch in tail.batches()]
        time.sleep(0.005)
    return found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the stream will be."""
    return tmp_path / "a.arrows"


@pytest.fixture
def tail(path: Path) -> Iterator[StreamTail]:
    """A tail on a file that isn't there yet."""
    following = StreamTail(path)
    yield following
    following.close()


def test_each_batch_comes_once_and_in_order(tail: StreamTail, path: Path) -> None:
    assert list(tail.batches()) == []
    writer = StreamWriter(path, SAMPLES)
    writer.append(samples(1.0))
    assert next_values(tail, 1) == [[1.0]]
    assert list(tail.batches()) == []
    writer.append(samples(2.0, names="other"))
    writer.append(samples(3.0, names="other"))
    assert next_values(tail, 2) == [[2.0], [3.0]]
    writer.close()


def test_a_batch_that_is_half_there_is_waited_for(tail: StreamTail, path: Path, tmp_path: Path) -> None:
    writer = StreamWriter(tmp_path / "whole", SAMPLES)
    writer.append(samples(1.0))
    writer.close()
    whole = (tmp_path / "whole").read_bytes()
    with path.open("wb", buffering=0) as half:
        half.write(whole[: len(whole) // 2])
        time.sleep(0.2)
        assert list(tail.batches()) == []
        half.write(whole[len(whole) // 2 :])
        assert next_values(tail, 1) == [[1.0]]


def test_closing_ends_the_thread_also_where_nothing_was_ever_written(path: Path) -> None:
    tail = StreamTail(path)
    tail.close()
    assert list(tail.batches()) == []
    assert not tail._thread.is_alive()


def test_closing_in_the_middle_of_a_batch_is_no_error(path: Path) -> None:
    path.write_bytes(b"\xff\xff\xff\xff\x10")
    tail = StreamTail(path)
    time.sleep(0.1)
    tail.close()
    assert list(tail.batches()) == []
