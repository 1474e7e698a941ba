from __future__ import annotations

from pathlib import Path

import pytest

from bundle.clock import Anchor
from bundle.table import iter_table
from gameday.load.recorder import Recorder
from gameday.load.spool import PIECE, Spool


class Elsewhere:
    """The other end: a bundle that is given pieces."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.sizes: list[int] = []

    def take(self, table: str, piece: bytes) -> None:
        self.sizes.append(len(piece))
        path = self.root / table / "load-0.arrows"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(piece)


def times(root: Path) -> list[float]:
    return [row["value"] for batch in iter_table(root, "samples") for row in batch.to_pylist()]


def test_a_stream_arrives_as_it_grows_and_is_the_very_same_in_the_end(tmp_path: Path) -> None:
    here, there = tmp_path / "here", Elsewhere(tmp_path / "there")
    recorder = Recorder(here, "load-0", Anchor.take(), pytest.fail)
    spool = Spool(here, "load-0", there.take)
    for value in range(3):
        recorder.sample(value, {"load.lag_s": value})
        assert spool.step()
        assert not spool.step(), "all of it was passed on"
        assert times(there.root) == list(range(value + 1))
    recorder.close(0)
    assert spool.step(), "the end of the streams"
    for table in ("requests", "samples"):
        stream = f"{table}/load-0.arrows"
        assert (there.root / stream).read_bytes() == (here / stream).read_bytes()


def test_what_has_heaped_up_goes_in_pieces(tmp_path: Path) -> None:
    there = Elsewhere(tmp_path / "there")
    (tmp_path / "requests").mkdir()
    (tmp_path / "requests" / "load-0.arrows").write_bytes(bytes(2 * PIECE + 5))
    spool = Spool(tmp_path, "load-0", there.take)
    while spool.step():
        pass
    assert there.sizes == [PIECE, PIECE, 5]


def test_where_nothing_was_recorded_yet_there_is_nothing_to_send(tmp_path: Path) -> None:
    assert not Spool(tmp_path, "load-0", pytest.fail).step()
