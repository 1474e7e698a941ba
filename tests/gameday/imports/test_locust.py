from __future__ import annotations

import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gameday.imports.errors import BadRecord
from tests.gameday.imports.records import DATA, EPOCH_NS, LOCUST_HEADER, MS, S, read, write

ROW = "1764000000.25,GET,/ok,12.5,12,200,"


def test_a_run_recorded_by_the_listener_of_the_docs_is_read() -> None:
    """Locust 2.47 asked for /ok, /bad (503), a port nobody listens at, and /slow (longer than its time-out)."""
    got = read(DATA / "locust.csv")
    assert len(got.rows) == 29
    first = got.rows[0]
    assert (first["start_ns"], first["latency_ns"]) == (1795597742802275200, 12099525)
    assert (first["endpoint"], first["status"], first["ok"], first["bytes"]) == ("/ok", 200, True, 12)
    assert {row["error"] for row in got.rows} == {"", "HTTP 503", "connection refused", "timeout"}
    assert got.tally.resolution_ns == 100


@pytest.mark.parametrize(
    ("start_time", "start_ns", "resolution_ns"),
    [
        ("1764000000", EPOCH_NS, S),
        ("1764000000.2", EPOCH_NS + S // 5, S // 10),
        ("1764000000.25", EPOCH_NS + S // 4, 10 * MS),
        ("1764000000.123456789", EPOCH_NS + 123456789, 1),
        ("1764000000.1234567891", EPOCH_NS + 123456789, 1),
    ],
)
def test_a_start_is_exact_and_as_coarse_as_it_was_written(
    tmp_path: Path, start_time: str, start_ns: int, resolution_ns: int
) -> None:
    got = read(write(tmp_path / "r.csv", LOCUST_HEADER, ROW.replace("1764000000.25", start_time)))
    assert got.column("start_ns") == [start_ns]
    assert got.tally.resolution_ns == resolution_ns


def test_a_failure_without_a_bad_status_is_bad_and_none_written_out_is_none(tmp_path: Path) -> None:
    got = read(write(tmp_path / "r.csv", LOCUST_HEADER, ROW + "no agents", ROW + "None"))
    assert [(row["ok"], row["error"]) for row in got.rows] == [(False, "no agents"), (True, "")]


def test_files_of_several_workers_may_be_joined(tmp_path: Path) -> None:
    got = read(write(tmp_path / "r.csv", LOCUST_HEADER, ROW, LOCUST_HEADER, ROW))
    assert (len(got.rows), got.tally.unreadable) == (2, 0)


def test_a_header_of_other_columns_amid_the_rows_is_refused(tmp_path: Path) -> None:
    other = "start_time,name,request_type,response_time,response_length,status_code,exception"
    with pytest.raises(BadRecord, match="columns change in line 3"):
        read(write(tmp_path / "r.csv", LOCUST_HEADER, ROW, other, ROW))


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadRecord, match="lacks the columns status_code, exception"):
        read(write(tmp_path / "r.csv", "start_time,name,response_time", "1764000000.25,/ok,12.5"))


def test_a_record_without_lengths_lacks_bytes(tmp_path: Path) -> None:
    header = "start_time,name,response_time,status_code,exception"
    got = read(write(tmp_path / "r.csv", header, "1764000000.25,/ok,12.5,200,"))
    assert got.tally.lacks == {"bytes"}


@pytest.mark.parametrize("line", ["soon,GET,/ok,12.5,12,200,", "1764000000.25,GET,/ok,nan,12,200,", "1764000000,GET"])
def test_a_row_without_a_time_is_no_row(tmp_path: Path, line: str) -> None:
    got = read(write(tmp_path / "r.csv", LOCUST_HEADER, ROW, ROW, line, ROW))
    assert (len(got.rows), got.tally.unreadable, got.tally.first_unreadable) == (3, 1, 4)


USER = """
from locust import FastHttpUser, constant, task


class User(FastHttpUser):
    wait_time = constant(0.02)
    network_timeout = 0.2

    @task
    def ask(self):
        self.client.get("/ok?token=secret", name="ok")
        self.client.get("/bad", name="bad")
        self.client.get("/silent", name="silent")
        self.environment.runner.quit()
"""


class Answers(BaseHTTPRequestHandler):
    """200, 503, or nothing until whoever asked has given up."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/silent":
            self.rfile.read(1)
            return
        self.send_response(503 if self.path == "/bad" else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_the_listener_of_the_docs_records_what_locust_does(tmp_path: Path) -> None:
    docs = (Path(__file__).parents[3] / "docs" / "importing.md").read_text()
    listener = docs.split("```python\n")[1].split("```")[0]
    (tmp_path / "locustfile.py").write_text(listener + USER)
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        subprocess.run(
            [
                sys.executable,
                "-m",
                "locust",
                "--headless",
                "-u",
                "1",
                "--host",
                f"http://127.0.0.1:{server.server_port}",
            ],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": ""},
            capture_output=True,
            timeout=60,
            check=False,  # it exits 1 for requests that failed
        )
        server.shutdown()
    (record,) = tmp_path.glob("requests-*.csv")
    rows = read(record).rows
    assert [(row["endpoint"], row["status"], row["ok"], row["error"]) for row in rows[:3]] == [
        ("ok", 200, True, ""),
        ("bad", 503, False, "HTTP 503"),
        ("silent", 0, False, "timeout"),
    ]
    assert rows[2]["latency_ns"] >= 190 * MS
    assert rows[0]["start_ns"] < rows[1]["start_ns"] < rows[2]["start_ns"]
