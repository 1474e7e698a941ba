from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gameday.imports.errors import BadRecord
from gameday.imports.formats import COARSE_NS, FORMATS, lacking
from gameday.imports.recognise import FORMATS as NAMES
from gameday.imports.tally import Tally
from tests.gameday.imports.records import DATA, read, vegeta_line, write

WRITTEN = ("vegeta.json", "vegeta.csv", "k6.json", "locust.csv", "jmeter.csv", "jmeter.xml")


def test_the_formats_that_are_recognised_are_those_that_are_read() -> None:
    assert tuple(FORMATS) == NAMES


@pytest.mark.parametrize(
    ("format_", "model", "rate_per_s", "lacks"),
    [
        ("vegeta-json", "open", None, "generator-health region schedule scheduled-time"),
        ("vegeta-csv", "open", 100.0, "generator-health region scheduled-time"),
        ("vegeta-csv", "closed", None, "generator-health region"),
        ("k6-json", "open", None, "bytes generator-health region schedule scheduled-time"),
        ("k6-json", "closed", None, "bytes generator-health region"),
        ("locust-csv", "closed", None, "generator-health region"),
        ("jmeter-jtl", "open", 50.0, "generator-health region scheduled-time"),
    ],
)
def test_what_a_record_lacks_follows_from_its_format_and_what_is_said_of_its_load(
    format_: str, model: str, rate_per_s: float | None, lacks: str
) -> None:
    tally = Tally("r", format_)
    assert lacking(FORMATS[format_], tally, model, rate_per_s, clock_known=True) == tuple(lacks.split())  # type: ignore[arg-type]


def test_numbered_requests_at_a_stated_rate_lack_no_scheduled_time() -> None:
    tally = Tally("r", "vegeta-json", paced=True)
    assert lacking(FORMATS["vegeta-json"], tally, "open", 100.0, clock_known=True) == ("generator-health", "region")


def test_a_file_may_lack_more_than_its_format() -> None:
    tally = Tally("r", "locust-csv", lacks={"bytes"}, resolution_ns=COARSE_NS, unreadable=1)
    assert {"bytes", "start-resolution", "whole-record"} <= set(
        lacking(FORMATS["locust-csv"], tally, "closed", None, clock_known=True)
    )
    assert "whole-record" in lacking(
        FORMATS["k6-json"], Tally("r", "k6-json", absurd=1), "closed", None, clock_known=True
    )


def test_the_format_may_be_named_and_must_then_be_right(tmp_path: Path) -> None:
    path = write(tmp_path / "r", vegeta_line())
    assert len(read(path, "vegeta-json").rows) == 1
    for other in set(FORMATS) - {"vegeta-json"}:
        with pytest.raises(BadRecord):
            read(path, other)


@pytest.mark.parametrize("file", WRITTEN)
def test_of_a_record_whose_writer_was_killed_the_whole_requests_are_read(tmp_path: Path, file: str) -> None:
    data = (DATA / file).read_bytes()
    whole = read(DATA / file).rows
    for cut in range(len(data) * 2 // 3, len(data), 97):
        path = tmp_path / file
        path.write_bytes(data[:cut])
        got = read(path)
        assert [row for row in got.rows if row not in whole] == []
        assert got.tally.unreadable == 0
        assert len(got.rows) >= len(whole) // 3


@pytest.mark.parametrize("file", WRITTEN)
@given(data=st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_happened_to_a_file_it_is_read_or_refused_in_one_line(file: str, data: st.DataObject) -> None:
    """Anything but rows that can be or a BadRecord would fail this."""
    content = (DATA / file).read_bytes()
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(len(content), start + 400)))
    content = content[:start] + data.draw(st.binary(max_size=40)) + content[end:]
    with tempfile.NamedTemporaryFile() as damaged:
        damaged.write(content)
        damaged.flush()
        _check(Path(damaged.name))


@given(st.binary(max_size=400))
def test_any_bytes_at_all_are_read_or_refused_in_one_line(content: bytes) -> None:
    with tempfile.NamedTemporaryFile() as anything:
        anything.write(content)
        anything.flush()
        for format_ in (None, *FORMATS):
            _check(Path(anything.name), format_)


def _check(path: Path, format_: str | None = None) -> None:
    try:
        rows = read(path, format_).rows
    except BadRecord:
        return
    for row in rows:
        assert row["latency_ns"] is None or row["latency_ns"] >= 0
        assert not row["ok"] or (100 <= row["status"] < 400 and not row["error"])


def test_a_clock_that_nobody_vouches_for_is_lacking() -> None:
    tally = Tally("r", "vegeta-json", paced=True)
    found = lacking(FORMATS["vegeta-json"], tally, "open", 100.0, clock_known=False)
    assert found == ("clock", "generator-health", "region")
