from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from http import HTTPStatus

import pytest

from sandbox.service.server import HttpError, Request, Response, Route, Server, respond

HOST = "127.95.0.9"


def echo(request: Request) -> Response:
    return Response({"params": dict(request.params), "body": dict(request.body), "key": request.headers.get("x-key")})


def refuse(_: Request) -> Response:
    raise HttpError(HTTPStatus.CONFLICT, "no")


ROUTES = [Route("POST", "/things/{thing}/parts", echo), Route("GET", "/refused", refuse)]


def test_a_route_gets_the_parts_of_its_path_the_headers_and_the_body() -> None:
    answer = respond(ROUTES, "POST", "/things/a-1/parts?x=y", {"x-key": "k"}, b'{"n": 1}')
    assert answer == Response({"params": {"thing": "a-1"}, "body": {"n": 1}, "key": "k"})


@pytest.mark.parametrize(
    ("method", "path", "raw", "status"),
    [
        ("GET", "/things/a/parts", b"", 404),
        ("POST", "/things/a/b/parts", b"", 404),
        ("POST", "/things/a/parts", b"{", 400),
        ("POST", "/things/a/parts", b"[]", 400),
        ("GET", "/refused", b"", 409),
    ],
)
def test_what_can_not_be_answered_says_why_as_json(method: str, path: str, raw: bytes, status: int) -> None:
    answer = respond(ROUTES, method, path, {}, raw)
    assert answer.status == status
    assert answer.body["error"]


class Slow:
    """A handler that answers once it is let go."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.go = threading.Event()

    def answer(self, _: Request) -> Response:
        self.reached.set()
        assert self.go.wait(5)
        return Response({"late": True})


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
def server(slow: Slow) -> Iterator[Server]:
    running = Server(HOST, 0, [*ROUTES, Route("GET", "/slow", slow.answer)])
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.finish()


def connect(server: Server) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(HOST, server.server_address[1], timeout=5)


def test_a_connection_carries_many_requests_without_delay(server: Server) -> None:
    """Two segments an answer would cost 40 ms each by Nagle's algorithm and delayed acknowledgement."""
    connection = connect(server)
    began_s = time.monotonic()
    for number in range(20):
        connection.request("POST", f"/things/{number}/parts", body=b"{}")
        answer = connection.getresponse()
        assert json.loads(answer.read())["params"] == {"thing": str(number)}
    assert time.monotonic() - began_s < 20 * 0.04
    connection.close()


def test_a_draining_server_serves_on_and_closes_each_connection(server: Server) -> None:
    server.start_drain(30)
    connection = connect(server)
    connection.request("POST", "/things/1/parts")
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Connection"]) == (200, "close")
    answer.read()
    connection.close()


def test_a_stopped_server_finishes_the_request_under_way(server: Server, slow: Slow) -> None:
    connection = connect(server)
    connection.request("GET", "/slow")
    assert slow.reached.wait(5)
    server.shutdown()
    finishing = threading.Thread(target=server.finish)
    finishing.start()
    assert finishing.is_alive()
    slow.go.set()
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, b'{"late": true}')
    finishing.join(5)
    assert not finishing.is_alive()
    connection.close()
