from __future__ import annotations

from pathlib import Path

import pytest

from gameday.imports.errors import BadRecord
from tests.gameday.imports.records import DATA, EPOCH_NS, MS, S, k6_points, read, vegeta_line, write


@pytest.mark.parametrize("file", ["vegeta.json", "vegeta.csv"])
def test_an_attack_is_read_to_the_nanosecond(file: str) -> None:
    """vegeta 12.13 asked for /ok, /bad (503), /slow (over its time-out of 0.5 s) and a port nobody listens at."""
    got = read(DATA / file)
    assert len(got.rows) == 20
    first, second, third = got.rows[:3]
    assert first["start_ns"] == first["scheduled_ns"] == 1795597265400403616
    assert first["latency_ns"] == 1811236
    assert (first["status"], first["ok"], first["bytes"], first["error"]) == (200, True, 12, "")
    assert (second["status"], second["ok"], second["error"]) == (503, False, "HTTP 503")
    assert (third["status"], third["ok"], third["error"]) == (0, False, "connection refused")
    slow = [row for row in got.rows if row["endpoint"].endswith("/slow")]
    assert {row["error"] for row in slow} == {"timeout"}
    assert all(row["latency_ns"] >= 500 * MS for row in slow)
    assert (got.tally.rows, got.tally.bad, got.tally.unsent, got.tally.resolution_ns) == (20, 15, 0, 1)


def test_both_forms_of_an_attack_give_the_same_rows() -> None:
    assert read(DATA / "vegeta.json").rows == read(DATA / "vegeta.csv").rows


@pytest.mark.parametrize("file", ["vegeta.json", "vegeta.csv"])
def test_no_secret_of_a_url_is_kept(file: str) -> None:
    raw = (DATA / file).read_text()
    assert "secret" in raw
    assert "token=" in raw
    kept = str(read(DATA / file).rows)
    assert "secret" not in kept
    assert "s3cret" not in kept
    assert "token" not in kept


def test_a_time_zone_is_taken_into_account(tmp_path: Path) -> None:
    line = vegeta_line().replace("Z", "+05:30")
    assert read(write(tmp_path / "r.json", line)).rows[0]["start_ns"] == EPOCH_NS - 19_800 * S


@pytest.mark.parametrize("line", ["null", "null \x00", "[]", "1", '"text"'])
def test_a_line_that_is_no_object_is_unreadable_wherever_it_stands(tmp_path: Path, line: str) -> None:
    got = read(write(tmp_path / "first.json", line, *([vegeta_line()] * 30)), "vegeta-json")
    assert (len(got.rows), got.tally.unreadable) == (30, 1)
    got = read(write(tmp_path / "later.json", *([vegeta_line()] * 30), line))
    assert (len(got.rows), got.tally.unreadable) == (30, 1)


def test_a_redirect_is_good_and_an_answer_of_400_is_not(tmp_path: Path) -> None:
    codes = [100, 200, 302, 399, 400, 404, 500]
    got = read(write(tmp_path / "r.json", *(vegeta_line(code=code) for code in codes)))
    assert got.column("ok") == [True, True, True, True, False, False, False]


def test_a_last_line_that_was_cut_is_left_out(tmp_path: Path) -> None:
    got = read(write(tmp_path / "r.json", vegeta_line(), vegeta_line()[:-30], end=""))
    assert (len(got.rows), got.tally.torn, got.tally.unreadable) == (1, True, 0)


def test_a_whole_last_line_without_its_end_is_kept(tmp_path: Path) -> None:
    got = read(write(tmp_path / "r.json", vegeta_line(), vegeta_line(), end=""))
    assert (len(got.rows), got.tally.torn) == (2, False)


def test_a_csv_line_without_its_end_is_left_out_for_its_last_field_may_be_cut(tmp_path: Path) -> None:
    lines = (DATA / "vegeta.csv").read_text().splitlines()
    for cut in (lines[-1], lines[-1][:-3], lines[-1][:20]):
        got = read(write(tmp_path / "r.csv", *lines[:-1], cut, end=""))
        assert (len(got.rows), got.tally.torn, got.tally.unreadable) == (19, True, 0)


def test_lines_that_make_no_sense_are_counted_and_the_others_kept(tmp_path: Path) -> None:
    lines = [vegeta_line(EPOCH_NS + number) for number in range(10)]
    lines[3], lines[7] = '{"timestamp": "yesterday"}', "!!!"
    got = read(write(tmp_path / "r.json", *lines))
    assert [row["start_ns"] - EPOCH_NS for row in got.rows] == [0, 1, 2, 4, 5, 6, 8, 9]
    assert (got.tally.unreadable, got.tally.first_unreadable) == (2, 4)


def test_blank_lines_are_nothing(tmp_path: Path) -> None:
    got = read(write(tmp_path / "r.json", vegeta_line(), "", "  ", vegeta_line(), ""))
    assert (len(got.rows), got.tally.unreadable) == (2, 0)


@pytest.mark.parametrize(
    "line",
    [
        vegeta_line(latency_ns=-1),
        vegeta_line(latency_ns=86_401 * S),
        vegeta_line(start_ns=1000),
        vegeta_line(code=-200),
        vegeta_line(code=70_000),
    ],
)
def test_a_request_that_cannot_be_is_left_out_and_counted(tmp_path: Path, line: str) -> None:
    got = read(write(tmp_path / "r.json", vegeta_line(), line))
    assert (len(got.rows), got.tally.absurd) == (1, 1)


def test_a_file_of_which_most_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRecord, match=r"3 of 5 lines cannot be read as vegeta-json.*the first is line 2"):
        read(write(tmp_path / "r.json", vegeta_line(), "?", vegeta_line(code=-1), "[]", vegeta_line()))


def test_a_long_file_of_nonsense_is_given_up_early(tmp_path: Path) -> None:
    path = write(tmp_path / "r.json", vegeta_line(), *["?"] * 100_000)
    with pytest.raises(BadRecord, match="1000 of 1"):
        read(path)


def test_a_file_of_two_formats_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRecord, match="vegeta-json at first and k6-json in line 3"):
        read(write(tmp_path / "r.json", vegeta_line(), vegeta_line(), *k6_points()))


def test_a_record_longer_than_a_block_is_read_whole(tmp_path: Path) -> None:
    """Blocks end amid lines; none may be lost or torn apart there."""
    count = 40_000
    path = write(tmp_path / "r.json", *(vegeta_line(EPOCH_NS + number) for number in range(count)))
    assert path.stat().st_size > 2 * (4 << 20)
    got = read(path)
    assert [row["start_ns"] - EPOCH_NS for row in got.rows] == list(range(count))
