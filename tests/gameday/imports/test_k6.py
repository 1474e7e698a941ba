from __future__ import annotations

from pathlib import Path

import pytest

from gameday.imports import jsonlines
from tests.gameday.imports.records import DATA, EPOCH_NS, MS, k6_points, read, rfc3339, write


def test_a_run_is_read_with_the_arrivals_it_dropped() -> None:
    """k6 1.8.1 with one user asked for /ok, /bad (503), a port nobody listens at, and /slow (over its time-out)."""
    got = read(DATA / "k6.json")
    sent = [row for row in got.rows if row["start_ns"] is not None]
    assert [(row["status"], row["error"]) for row in sent[:4]] == [
        (200, ""),
        (503, "HTTP 503"),
        (0, "connection refused"),
        (0, "timeout"),
    ]
    unsent = [row for row in got.rows if row["start_ns"] is None]
    assert {row["error"] for row in unsent} == {"unsent: the iteration was dropped"}
    assert [row["scheduled_ns"] for row in unsent][:2] == [1795597268192481061, 1795597268292406590]
    assert (got.tally.rows, got.tally.bad, got.tally.unsent) == (11, 5, 4)


def test_a_request_began_before_its_time_by_its_duration_and_its_wait_for_a_connection(tmp_path: Path) -> None:
    """k6 writes the end. `blocked` spans the dial and the handshake, but not those of a connection that it gave up."""
    points = [
        *k6_points(EPOCH_NS, duration=10),
        *k6_points(EPOCH_NS, duration=10, blocked=5, connecting=3, tls_handshaking=1.5),
        *k6_points(EPOCH_NS, duration=10, blocked=0, connecting=3, tls_handshaking=2),
    ]
    got = read(write(tmp_path / "k6.json", *points))
    assert got.column("latency_ns") == [10 * MS, 15 * MS, 15 * MS]
    assert [row["start_ns"] + row["latency_ns"] for row in got.rows] == [EPOCH_NS] * 3


def test_the_rows_are_the_same_wherever_blocks_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    points = [line for number in range(30) for line in k6_points(EPOCH_NS + number, duration=number)]
    path = write(tmp_path / "k6.json", *points)
    whole = read(path)
    assert whole.column("latency_ns") == [number * MS for number in range(30)]
    for size in (100, 333, 1000, 4001):
        monkeypatch.setattr(jsonlines, "BLOCK_BYTES", size)
        assert read(path).rows == whole.rows


def test_a_status_that_k6_was_told_to_expect_is_bad_all_the_same(tmp_path: Path) -> None:
    points = [
        line.replace('"value": 1.0, "tags"', '"value": 0.0, "tags"') if "failed" in line else line
        for line in k6_points(status=404)
    ]
    row = read(write(tmp_path / "k6.json", *points)).rows[0]
    assert (row["ok"], row["error"]) == (False, "HTTP 404")


def test_a_good_status_that_k6_was_told_not_to_expect_is_bad(tmp_path: Path) -> None:
    points = [
        line.replace('"value": 0.0, "tags"', '"value": 1.0, "tags"') if "failed" in line else line
        for line in k6_points()
    ]
    row = read(write(tmp_path / "k6.json", *points)).rows[0]
    assert (row["ok"], row["error"]) == (False, "failed")


def test_other_metrics_and_what_k6_says_of_metrics_is_passed_over(tmp_path: Path) -> None:
    vus = f'{{"metric":"vus","type":"Point","data":{{"time":"{rfc3339(EPOCH_NS)}","value":1,"tags":null}}}}'
    metric = '{"type":"Metric","data":{"name":"vus","type":"gauge","thresholds":[],"submetrics":null},"metric":"vus"}'
    got = read(write(tmp_path / "k6.json", metric, vus, *k6_points(), vus, metric))
    assert (len(got.rows), got.tally.unreadable, got.tally.absurd) == (1, 0, 0)


def test_iterations_left_over_at_the_end_of_a_closed_load_were_never_due(tmp_path: Path) -> None:
    data = f'{{"time":"{rfc3339(EPOCH_NS)}","value":17,"tags":{{}}}}'
    line = f'{{"metric":"dropped_iterations","type":"Point","data":{data}}}'
    got = read(write(tmp_path / "k6.json", *k6_points(), line))
    assert (len(got.rows), got.tally.unsent) == (1, 0)
    assert got.tally.left_out == {"sums of iterations left over": 1}


def test_a_request_whose_points_were_cut_is_left_out(tmp_path: Path) -> None:
    last = k6_points(EPOCH_NS + 1)
    for kept in range(1, len(last)):
        got = read(write(tmp_path / "k6.json", *k6_points(), *last[:kept]))
        assert (got.column("start_ns"), got.tally.torn) == ([EPOCH_NS - 10 * MS], True)


def test_a_request_that_lacks_points_amid_others_is_left_out_and_counted(tmp_path: Path) -> None:
    got = read(write(tmp_path / "k6.json", *k6_points(), *k6_points()[:3], *k6_points()))
    assert (len(got.rows), got.tally.absurd) == (2, 1)


def test_a_run_that_judges_no_answer_is_judged_by_status(tmp_path: Path) -> None:
    points = [*k6_points(status=503)[:-1], *k6_points()[:-1]]
    assert read(write(tmp_path / "k6.json", *points)).column("ok") == [False, True]


def test_a_dial_that_timed_out_has_no_start_and_one_that_was_refused_has(tmp_path: Path) -> None:
    for error, lacks in (("dial: i/o timeout", {"failed-start"}), ("dial: connection refused", set())):
        got = read(write(tmp_path / "k6.json", *k6_points(status=0, error=error, duration=0)))
        assert (got.column("latency_ns"), got.tally.lacks) == ([0], lacks)
    assert read(write(tmp_path / "k6.json", *k6_points(status=0, error="request timeout"))).tally.lacks == set()
