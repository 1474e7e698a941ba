from __future__ import annotations

from pathlib import Path

import pytest

from gameday.imports.errors import BadRecord
from tests.gameday.imports.records import DATA, EPOCH_NS, JTL_HEADER, MS, jtl_line, read, vegeta_line, write

TRANSACTION = "Number of samples in transaction : 2, number of failing samples : 1"


@pytest.mark.parametrize("file", ["jmeter.csv", "jmeter.xml"])
def test_a_run_is_read_without_its_transactions(file: str) -> None:
    """JMeter 5.6.3 asked, twice by two users, for /ok, /bad (503), a port nobody listens at, /slow (longer than its
    time-out) and /ok with an assertion that fails; a transaction controller sums up the first two."""
    got = read(DATA / file)
    assert len(got.rows) == 20
    assert got.tally.left_out == {"transactions": 4}
    assert got.tally.resolution_ns == MS
    causes = {row["endpoint"]: (row["status"], row["error"]) for row in got.rows}
    assert causes == {
        "good": (200, ""),
        "/bad": (503, "HTTP 503"),
        "refused": (0, "connection refused"),
        "slow": (0, "timeout"),
        "asserted": (200, "Test failed: text expected to contain /nothing, like this/"),
    }
    assert sum(row["ok"] for row in got.rows) == 4


def test_the_stamp_is_the_start_in_milliseconds() -> None:
    first = read(DATA / "jmeter.csv").rows[0]
    assert (first["start_ns"], first["latency_ns"], first["bytes"]) == (1795597558435 * MS, 36 * MS, 124)


def test_a_success_of_no_protocol_with_a_status_is_left_out_and_said(tmp_path: Path) -> None:
    got = read(write(tmp_path / "r.jtl", JTL_HEADER, jtl_line(), jtl_line(code=""), jtl_line(code="OK")))
    assert (len(got.rows), got.tally.left_out) == (1, {"samples that are not HTTP": 2})


def test_a_record_of_transactions_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRecord, match="no request, only 1 transactions"):
        read(write(tmp_path / "r.jtl", JTL_HEADER, jtl_line(code="", message=TRANSACTION)))


def test_a_transaction_that_holds_its_samples_gives_way_to_them(tmp_path: Path) -> None:
    sample = f'<httpSample t="5" ts="{EPOCH_NS // MS}" s="true" lb="in" rc="200" rm="OK" by="1"/>'
    whole = f'<sample t="9" ts="{EPOCH_NS // MS}" s="true" lb="T" rc="200" rm="{TRANSACTION}">{sample}{sample}</sample>'
    text = f"<testResults>{whole}</testResults>"
    got = read(write(tmp_path / "r.jtl", text))
    assert got.column("endpoint") == ["in", "in"]


def test_the_parts_of_a_page_are_not_counted_beside_it(tmp_path: Path) -> None:
    sample = f'ts="{EPOCH_NS // MS}" s="true" rc="200" rm="OK" by="1"'
    page = f'<httpSample t="9" lb="page" {sample}><httpSample t="5" lb="picture" {sample}/></httpSample>'
    text = f"<testResults>{page}</testResults>"
    got = read(write(tmp_path / "r.jtl", text))
    assert got.column("endpoint") == ["page"]


def test_xml_whose_writer_was_killed_is_read_up_to_there(tmp_path: Path) -> None:
    text = (DATA / "jmeter.xml").read_text()
    path = tmp_path / "r.jtl"
    path.write_text(text[: text.rindex("<httpSample") + 40])
    got = read(path)
    assert (len(got.rows), got.tally.torn) == (19, True)


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_any_usual_delimiter_will_do(tmp_path: Path, delimiter: str) -> None:
    lines = [line.replace(",", delimiter) for line in (JTL_HEADER, jtl_line(), jtl_line())]
    assert len(read(write(tmp_path / "r.jtl", *lines)).rows) == 2


def test_a_message_may_have_commas_quotes_and_lines(tmp_path: Path) -> None:
    message = 'no ""agents"", none\nat all'
    got = read(write(tmp_path / "r.jtl", JTL_HEADER, jtl_line(success="false", failure=message), jtl_line()))
    assert got.column("error") == ['no "agents", none at all', ""]


def test_dates_are_refused_for_their_zone_is_not_known(tmp_path: Path) -> None:
    with pytest.raises(BadRecord, match="timestamp_format=ms"):
        read(write(tmp_path / "r.jtl", JTL_HEADER, jtl_line("2026/01/31 09:30:00.250")))


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadRecord, match="lacks the columns responseCode"):
        read(write(tmp_path / "r.jtl", "timeStamp,elapsed,label,success", "1764000000000,5,home,true"))


def test_rows_of_another_format_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRecord, match="jmeter-jtl at first and vegeta-json in line 3"):
        read(write(tmp_path / "r.jtl", JTL_HEADER, jtl_line(), vegeta_line()))


@pytest.mark.parametrize("end", ["\n", ""])
def test_what_a_quote_without_its_end_swallows_is_counted(tmp_path: Path, end: str) -> None:
    lines = [jtl_line().replace('"', "") for _ in range(100)]
    lines[80] = lines[80].replace("OK", '"OK')
    got = read(write(tmp_path / "r.jtl", JTL_HEADER, *lines, end=end))
    assert (len(got.rows), got.tally.unreadable + got.tally.torn) == (80, 20)


@pytest.mark.parametrize("line", [jtl_line("then"), jtl_line(elapsed_ms="long")])
def test_a_row_without_a_time_is_no_row(tmp_path: Path, line: str) -> None:
    got = read(write(tmp_path / "r.jtl", JTL_HEADER, jtl_line(), jtl_line(), line))
    assert (len(got.rows), got.tally.unreadable, got.tally.first_unreadable) == (2, 1, 4)
