from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest

from gameday.imports.errors import BadRecord
from gameday.imports.source import opened
from tests.gameday.imports.records import read, vegeta_line, write


def test_a_gzipped_record_reads_like_a_plain_one(tmp_path: Path) -> None:
    plain = write(tmp_path / "r.json", *[vegeta_line()] * 1000)
    packed = tmp_path / "r.json.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert read(packed).rows == read(plain).rows


@pytest.mark.parametrize("damage", [lambda data: data[:-20], lambda data: data[:-8] + b"\0" * 8])
def test_a_damaged_gzip_is_refused(tmp_path: Path, damage) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "r.json.gz"
    lines = "\n".join(vegeta_line(latency_ns=number) for number in range(3000)) + "\n"
    path.write_bytes(damage(gzip.compress(lines.encode())))
    with pytest.raises(BadRecord, match="compression is damaged"):
        read(path)


def test_standard_input_is_read_as_a_file() -> None:
    line = vegeta_line().encode() + b"\n"
    with opened(Path("-"), io.BytesIO(line * 3)) as source:
        assert source.name == "standard input"
        assert source.stream.read() == line * 3
        assert source.share() == 1


@pytest.mark.parametrize("content", [b"", b" \n\n"])
def test_an_empty_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "r.json"
    path.write_bytes(content)
    with pytest.raises(BadRecord, match="is empty"):
        read(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRecord, match="No such file"):
        read(tmp_path / "none")
    with pytest.raises(BadRecord, match="Is a directory"):
        read(tmp_path)
