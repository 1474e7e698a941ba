"""Real connections on loopback. Only how early something comes is measured: a busy machine makes anything late."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sandbox.link import sockets
from sandbox.link.fault import Fault
from sandbox.link.link import Link

MS = 1_000_000
HERE, POD = "127.92.240.1", "127.92.240.2"
LATE = Fault(latency_ns=30 * MS)
LATE_S = 0.03


@pytest.fixture
def heard() -> list[str]:
    """The addresses at which something was listened."""
    return []


@pytest.fixture
def link(heard: list[str]) -> Iterator[Link]:
    """A link that all sockets of the test send through."""
    made = Link()
    sockets.install(made, POD, heard.append)
    yield made
    made.impose([])
    made.drain(5)
    sockets.uninstall()


@pytest.fixture
def connection(link: Link) -> Iterator[tuple[socket.socket, socket.socket]]:
    """The pod's end, which sends through the link, and the other end, which doesn't."""
    assert link.quiet
    with socket.create_server((HERE, 0)) as listener:
        other = sockets._Plain(socket.AF_INET, socket.SOCK_STREAM)
        other.connect(listener.getsockname())
        accepted, _ = listener.accept()
        other.settimeout(5)
        with accepted, other:
            yield accepted, other


def arrival_s(other: socket.socket, expected: bytes) -> float:
    """How long until that has come."""
    began_s, received = time.monotonic(), b""
    while len(received) < len(expected):
        received += other.recv(len(expected) - len(received))
    assert received == expected
    return time.monotonic() - began_s


def test_a_connection_that_exists_is_late_from_when_the_fault_begins(
    link: Link, connection: tuple[socket.socket, socket.socket]
) -> None:
    pod, other = connection
    pod.sendall(b"before")
    arrival_s(other, b"before")
    link.impose([LATE])
    assert pod.send(b"now") == 3
    assert arrival_s(other, b"now") >= LATE_S * 0.99
    other.sendall(b"back")
    assert pod.recv(4) == b"back", "what comes in is not held back"


def test_many_sends_arrive_whole_and_in_order_under_jitter(
    link: Link, connection: tuple[socket.socket, socket.socket]
) -> None:
    pod, other = connection
    link.impose([Fault(latency_ns=5 * MS, jitter_ns=5 * MS)])
    parts = [f"{number};".encode() * 50 for number in range(200)]
    for number, part in enumerate(parts):
        pod.sendall(part)
        if number == 100:
            link.impose([])
    arrival_s(other, b"".join(parts))


def test_the_end_of_a_connection_does_not_overtake_what_was_sent(
    link: Link, connection: tuple[socket.socket, socket.socket]
) -> None:
    pod, other = connection
    link.impose([LATE])
    pod.sendall(b"last words")
    pod.shutdown(socket.SHUT_WR)
    pod.close()
    assert arrival_s(other, b"last words") >= LATE_S * 0.99
    assert other.recv(1) == b""


def test_a_close_without_words_is_late_too(link: Link, connection: tuple[socket.socket, socket.socket]) -> None:
    pod, other = connection
    link.impose([LATE])
    began_s = time.monotonic()
    pod.close()
    assert other.recv(1) == b""
    assert time.monotonic() - began_s >= LATE_S * 0.99


def test_a_socket_that_is_not_connected_fails_as_ever(link: Link) -> None:
    link.impose([LATE])
    with socket.socket() as unconnected, pytest.raises(OSError, match=r"Broken pipe|not connected"):
        unconnected.send(b"x")


def test_sockets_that_are_no_tcp_connections_are_left_alone(link: Link) -> None:
    link.impose([Fault(cut=True)])
    left, right = socket.socketpair()
    with left, right:
        left.sendall(b"x")
        assert right.recv(1) == b"x"


def test_a_pod_connects_from_its_own_address_and_says_where_it_listens(link: Link, heard: list[str]) -> None:
    assert link.quiet
    with socket.create_server((HERE, 0)) as listener, socket.create_connection(listener.getsockname()) as made:
        assert made.getsockname()[0] == POD
    assert heard == [HERE]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        """Nothing."""


def test_the_standard_library_s_server_and_client_are_both_late(link: Link) -> None:
    server = ThreadingHTTPServer((HERE, 0), Handler)
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    try:
        client = http.client.HTTPConnection(*server.server_address[:2], timeout=5)
        client.request("GET", "/")
        assert client.getresponse().read() == b"ok"
        link.impose([LATE])
        began_s = time.monotonic()
        client.request("GET", "/")
        assert client.getresponse().read() == b"ok"
        assert time.monotonic() - began_s >= 2 * LATE_S * 0.99
        client.close()
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
