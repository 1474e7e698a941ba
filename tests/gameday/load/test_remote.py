"""The harness's end of the connection, against other ends that do as they like; the real one is in `test_session`."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bundle.clock import Anchor
from gameday.errors import BadInput
from gameday.load.errors import LoadFailed
from gameday.load.frames import (
    Begin,
    Challenge,
    ClockReading,
    Ended,
    Frame,
    FrameReader,
    Hello,
    Lost,
    Message,
    Ping,
    Pong,
    Rows,
    Run,
    Started,
    Stop,
    Welcome,
    is_proof,
    proof,
)
from gameday.load.remote import LoadAddress, RemoteLoad, RemotePlan, address_of
from gameday.load.schedule import Asked

TOKEN = "a token of the test"
STARTED = Started(workers=("load-0",), began_ns=0)
Play = Callable[[socket.socket], None]


class Elsewhere:
    """The other end of one connection, which plays what it is given."""

    def __init__(self, play: Play) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, args=(play,))
        self._thread.start()

    def _serve(self, play: Play) -> None:
        connection, _ = self._listener.accept()
        with connection:
            play(connection)

    def close(self) -> None:
        self._listener.close()
        self._thread.join(10)
        assert not self._thread.is_alive()


def say(connection: socket.socket, *messages: Message) -> None:
    for message in messages:
        connection.sendall(Frame(message).to_bytes())


def answering(connection: socket.socket, *messages: Message, body: bytes = b"") -> None:
    """Begin as a real one does, answer pings, say these messages after the tenth, and `ended` when asked to stop."""
    say(connection, Challenge(nonce="n"))
    reader, pings = FrameReader(), 0
    while data := connection.recv(4096):
        for frame in reader.feed(data):
            match frame.message:
                case Hello(proof=claimed, nonce=nonce):
                    assert is_proof(claimed, TOKEN, "n", "harness")
                    say(connection, Welcome(proof=proof(TOKEN, nonce, "load")))
                case Run(host=host):
                    assert host == "http://127.0.0.1:1"
                case Begin(ahead_ns=ahead_ns):
                    assert abs(ahead_ns) < 1_000_000_000
                    say(connection, ClockReading(worker="load-0", low_ns=-5, high_ns=7), STARTED)
                case Ping(t1=t1):
                    pings += 1
                    say(connection, Pong(t1=t1, t2=t1, t3=t1))
                    if pings == 10:
                        for message in messages:
                            connection.sendall(Frame(message, body).to_bytes())
                case Stop():
                    say(connection, Ended())
                    return


@pytest.fixture
def start(tmp_path: Path) -> Callable[[Play], tuple[RemoteLoad, Elsewhere]]:
    def start(play: Play) -> tuple[RemoteLoad, Elsewhere]:
        elsewhere = Elsewhere(play)
        at, bundle = LoadAddress("127.0.0.1", elsewhere.port, TOKEN), tmp_path / "bundle"
        plan = RemotePlan(at, "0" * 64, "http://127.0.0.1:1", bundle, Anchor.take(), 60, Asked(), 0)
        return RemoteLoad(plan), elsewhere

    return start


Start = Callable[[Play], tuple[RemoteLoad, Elsewhere]]


def wait_until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def test_a_load_is_told_to_end_and_does(start: Start) -> None:
    load, elsewhere = start(answering)
    load.wait_started(10)
    assert [worker.name for worker in load.workers()] == ["load-0"]
    assert load.poll() is None
    assert load.stop()
    assert load.stop()
    elsewhere.close()


def test_pieces_of_streams_are_put_together_in_the_bundle(start: Start) -> None:
    rows = Rows(worker="load-0", table="requests")
    load, elsewhere = start(lambda connection: answering(connection, rows, rows, body=b"piece"))
    stream = load.plan.bundle / "requests" / "load-0.arrows"
    wait_until(lambda: stream.exists() and stream.stat().st_size == 10)
    assert load.stop()
    assert stream.read_bytes() == b"piecepiece"
    elsewhere.close()


def test_a_lost_worker_is_told_once(start: Start) -> None:
    load, elsewhere = start(lambda connection: answering(connection, Lost(worker="load-0", error="gone")))
    load.wait_started(10)
    told = []
    wait_until(lambda: told.extend(load.newly_lost()) or told)
    assert [(lost.name, lost.error) for lost in told] == [("load-0", "gone")]
    assert load.stop()
    elsewhere.close()


def http(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def torn(connection: socket.socket) -> None:
    connection.sendall(Frame(Challenge(nonce="n")).to_bytes()[:-3])


def huge(connection: socket.socket) -> None:
    connection.sendall(struct.pack("!II", 10, 2**31))


@pytest.mark.parametrize(
    ("play", "says"),
    [
        (http, "a frame of 1213486160 + 791752241 bytes; at most"),  # the first bytes of HTTP, taken for lengths
        (torn, "the connection broke in the middle of a frame"),
        (huge, "a frame of 10 \\+ 2147483648 bytes; at most"),
        (lambda connection: say(connection, Challenge(version=99, nonce="n")), "it speaks version 99 of the protocol"),
        (lambda connection: answering(connection, Stop()), "a load does not say stop"),
        (
            lambda connection: answering(connection, Rows(worker="x", table="requests")),
            "rows of 'x', which takes no part",
        ),
        (lambda connection: answering(connection, Ended(reason="every worker is lost")), "every worker is lost"),
    ],
)
def test_another_end_that_is_no_load_is_told_in_one_line(start: Start, play: Play, says: str) -> None:
    load, elsewhere = start(play)
    wait_until(lambda: load.poll() is not None)
    with pytest.raises(LoadFailed, match=says.replace(" + 79", r" \+ 79")):
        raise load.failure("it ended")
    assert not load.stop()
    elsewhere.close()


def test_where_nobody_listens_the_load_did_not_begin(tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        at = LoadAddress("127.0.0.1", nobody.getsockname()[1], TOKEN)
        load = RemoteLoad(RemotePlan(at, "", "", tmp_path, Anchor.take(), 60, Asked(), 0))
        with pytest.raises(LoadFailed, match=r"127\.0\.0\.1:\d+: the load did not begin: Connection refused"):
            load.wait_started(10)


def test_a_load_that_says_nothing_is_given_up(start: Start) -> None:
    load, elsewhere = start(lambda connection: connection.recv(1) and None)
    with pytest.raises(LoadFailed, match=r"did not begin within 0\.5 s"):
        load.wait_started(0.5)
    assert not load.stop()
    elsewhere.close()


@pytest.mark.parametrize(
    ("text", "host"), [("127.0.0.1:8900", "127.0.0.1"), ("[::1]:8900", "::1"), ("load:8900", "load")]
)
def test_an_address_has_a_host_and_a_port(text: str, host: str) -> None:
    assert LoadAddress.parse(text, TOKEN) == LoadAddress(host, 8900, TOKEN)


@pytest.mark.parametrize("text", ["", "8900", "host:", "host:0", "host:65536", "host:x", ":8900"])
def test_what_is_no_address_is_bad_input(text: str) -> None:
    with pytest.raises(BadInput, match="is not HOST:PORT"):
        LoadAddress.parse(text, TOKEN)


def test_the_token_is_taken_from_the_environment_and_out_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAMEDAY_LOAD_TOKEN", TOKEN)
    address = address_of("127.0.0.1:8900", workers=1)
    assert address == LoadAddress("127.0.0.1", 8900, TOKEN)
    assert TOKEN not in repr(address)
    assert "GAMEDAY_LOAD_TOKEN" not in os.environ
    with pytest.raises(BadInput, match="GAMEDAY_LOAD_TOKEN is not set"):
        address_of("127.0.0.1:8900", workers=1)


def test_without_an_address_the_load_is_sent_from_here() -> None:
    assert address_of(None, workers=4) is None


def test_workers_of_this_machine_and_a_load_elsewhere_exclude_each_other() -> None:
    with pytest.raises(BadInput, match="--workers is for this machine"):
        address_of("127.0.0.1:8900", workers=4)


def test_a_worker_that_is_called_as_the_harness_is_is_refused(start: Start) -> None:
    load, elsewhere = start(
        lambda connection: answering(
            connection,
            ClockReading(worker="harness", low_ns=0, high_ns=1),
            Started(workers=("load-0", "harness"), began_ns=0),
        )
    )
    wait_until(lambda: load.poll() is not None)
    with pytest.raises(LoadFailed, match="a worker is called 'harness'"):
        raise load.failure("it ended")
    load.stop()
    elsewhere.close()


def test_a_beginning_that_lies_too_far_ahead_is_not_waited_for(start: Start) -> None:
    far = Started(workers=("load-0",), began_ns=2**62)
    load, elsewhere = start(lambda connection: answering(connection, far))
    wait_until(lambda: load._started is not None and load._started.began_ns == 2**62)
    assert load.wait_started(5, lambda _: True) is None
    with pytest.raises(LoadFailed, match=r"did not begin within 0\.3 s"):
        load.wait_started(0.3)
    load.stop()
    elsewhere.close()


def _impostor(connection: socket.socket) -> None:
    """Sends the harness's own proof back, and rows."""
    say(connection, Challenge(nonce="n"))
    for frame in FrameReader().feed(connection.recv(4096)):
        if isinstance(frame.message, Hello):
            say(connection, Welcome(proof=frame.message.proof))


@pytest.mark.parametrize(
    ("play", "says"),
    [
        (_impostor, "it does not know the token, so it is not the load that you mean"),
        (lambda connection: say(connection, Challenge(nonce="n"), STARTED), "it said started before it proved"),
        (lambda connection: say(connection, Rows(worker="load-0", table="requests")), "it said rows before it proved"),
    ],
)
def test_nothing_is_taken_from_a_load_that_does_not_know_the_token(start: Start, play: Play, says: str) -> None:
    load, elsewhere = start(play)
    with pytest.raises(LoadFailed, match=says):
        load.wait_started(10)
    elsewhere.close()
    assert not load.workers()
