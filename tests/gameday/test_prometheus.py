"""A scripted server in place of Prometheus; the real one is in tests/e2e/test_prometheus.py."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest

from gameday.errors import BadInput
from gameday.prometheus import ClockOffset, Prometheus, Unanswered, addresses


class Scripted(ThreadingHTTPServer):
    """Answers everything with `text`, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.text = ""
        self.asked: list[dict[str, list[str]]] = []

    def says(self, data: Any) -> None:
        self.text = json.dumps({"status": "success", "data": data})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Scripted

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.asked.append(parse_qs(body))
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.text.encode())))
        self.end_headers()
        self.wfile.write(self.server.text.encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Scripted]:
    with Scripted() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def prometheus(server: Scripted) -> Iterator[Prometheus]:
    asking = Prometheus(server.url)
    yield asking
    asking.close()


def test_addresses_are_read_by_context() -> None:
    text = "us-east-1=http://127.64.1.3:9090  arn:aws:eks:x=y=https://prometheus.example/team/\n"
    assert addresses(text) == {
        "us-east-1": "http://127.64.1.3:9090",
        "arn:aws:eks:x=y": "https://prometheus.example/team",
    }
    assert addresses("") == {}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("http://127.0.0.1:9090", "names no context and URL"),
        ("us-east-1=127.0.0.1:9090", "names no context and URL"),
        ("us-east-1=http://", "names no context and URL"),
        ("us-east-1=http://sre:secret@127.0.0.1", "holds a password"),
        ("a=http://b a=http://c", "comes twice"),
    ],
)
def test_anything_else_is_refused_in_one_line_without_the_password(text: str, what: str) -> None:
    with pytest.raises(BadInput, match=what) as refused:
        addresses(text)
    assert "secret" not in refused.value.line()


def test_samples_come_with_their_own_times_in_nanoseconds(server: Scripted, prometheus: Prometheus) -> None:
    server.says({"resultType": "matrix", "result": [{"metric": {"le": "0.1"}, "values": [[1.5, "3"], [2.501, "4"]]}]})
    [series] = prometheus.samples('a{b="c"}', 60_000_000_000, 30)
    assert series.labels == {"le": "0.1"}
    assert series.samples == ((1_500_000_000, 3.0), (2_501_000_000, 4.0))
    assert server.asked == [{"query": ['a{b="c"}[30s]'], "time": ["60.000"]}]


def test_clocks_are_compared_to_half_a_round_trip(server: Scripted, prometheus: Prometheus) -> None:
    server.says({"resultType": "scalar", "result": [105.0, "105"]})
    times = iter([100_000_000_000, 100_020_000_000])
    assert prometheus.offset(lambda: next(times)) == ClockOffset(4_990_000_000, 11_000_000)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("<html>", "does not answer in JSON"),
        ('{"status":"error","error":"parse error"}', "refuses: parse error"),
        ("[]", "refuses"),
        ('{"status":"success","data":{"result":[{"metric":{}}]}}', "does not answer a with samples"),
        ('{"status":"success","data":{"result":[{"metric":{},"values":[["inf","1"]]}]}}', "does not answer a with"),
    ],
)
def test_an_answer_that_holds_no_samples_is_told_as_one_line(
    server: Scripted, prometheus: Prometheus, text: str, what: str
) -> None:
    server.text = text
    with pytest.raises(Unanswered, match=what):
        prometheus.samples("a", 0, 1)


def test_a_longer_answer_than_can_be_read_is_refused_however_it_comes(
    server: Scripted, prometheus: Prometheus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gameday.prometheus.MOST_BYTES", 1000)
    server.says({"result": [], "more": "x" * 2000})
    with pytest.raises(Unanswered, match="more than can be read"):
        prometheus.samples("a", 0, 1)


def test_a_server_that_is_not_there_is_told_without_its_address() -> None:
    gone = Prometheus("http://127.0.0.1:1")
    with pytest.raises(Unanswered, match=r"^does not answer: ConnectionError$"):
        gone.offset()
    gone.close()
