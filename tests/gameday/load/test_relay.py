"""The load's end of the connection, against harnesses that do as they like; a real one is in `test_session`."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator

import gevent
import pytest

from gameday.load import relay as relay_module
from gameday.load.frames import (
    Begin,
    Challenge,
    Ended,
    Frame,
    FrameReader,
    Hello,
    Message,
    Ping,
    Pong,
    Refused,
    Rows,
    Run,
    Stop,
    Welcome,
    proof,
)
from gameday.load.relay import Relay

TOKEN = "a token of the test"
RUN = Run(profile_sha256="0" * 64, host="http://127.0.0.1:1", time_limit_s=60, stop_grace_s=3)
SILENCE_S = 0.5


class Load:
    """A relay in a thread of its own, as gevent wants it, and what came of it."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)  # what gevent's own sockets are
        self.port = self._listener.getsockname()[1]
        self.run: Run | None = None
        self.ahead_ns: int | None = None
        self.over = threading.Event()
        self._close = threading.Event()
        self._thread = threading.Thread(target=self._main)
        self._thread.start()

    def _main(self) -> None:
        relay = Relay(self._listener, TOKEN, time.monotonic_ns, lambda run: "" if run == RUN else "not this one")
        gevent.spawn(self._serve, relay)
        while not self._close.is_set():
            gevent.sleep(0.01)
        relay.end("")
        gevent.get_hub().destroy(destroy_loop=True)

    def _serve(self, relay: Relay) -> None:
        self.run = relay.wait_for_run()
        self.ahead_ns = relay.wait_for_begin()
        relay.send(Rows(worker="load-0", table="requests"), b"piece")
        relay.over.wait()
        self.over.set()
        relay.end("it was over")

    def close(self) -> None:
        self._close.set()
        self._thread.join(10)
        assert not self._thread.is_alive()


class Harness:
    """One connection, word by word."""

    def __init__(self, load: Load) -> None:
        self.socket = socket.create_connection(("127.0.0.1", load.port), 5)
        self._reader = FrameReader()
        self._frames: list[Frame] = []

    def say(self, *messages: Message) -> None:
        for message in messages:
            self.socket.sendall(Frame(message).to_bytes())

    def hear(self) -> Frame | None:
        """The next frame; None where the other end hung up."""
        while not self._frames:
            try:
                data = self.socket.recv(4096)
            except ConnectionError:
                return None
            if not data:
                return None
            self._frames += self._reader.feed(data)
        return self._frames.pop(0)

    def hello(self, token: str = TOKEN) -> None:
        challenge = self.hear()
        assert challenge is not None
        assert isinstance(challenge.message, Challenge)
        self.say(Hello(proof=proof(token, challenge.message.nonce, "harness"), nonce="m"))
        if token == TOKEN:
            welcome = self.hear()
            assert welcome is not None
            assert welcome.message == Welcome(proof=proof(TOKEN, "m", "load"))

    def close(self) -> None:
        self.socket.close()


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    monkeypatch.setattr(relay_module, "SILENCE_S", SILENCE_S)
    load = Load()
    yield load
    load.close()


@pytest.fixture
def harness(load: Load) -> Iterator[Harness]:
    harness = Harness(load)
    yield harness
    harness.close()


def message_of(frame: Frame | None) -> Message | None:
    return None if frame is None else frame.message


def test_a_session_from_its_first_word_to_its_last(load: Load, harness: Harness) -> None:
    harness.hello()
    harness.say(RUN, Ping(t1=7))
    pong = message_of(harness.hear())
    assert isinstance(pong, Pong)
    assert pong.t1 == 7
    assert pong.t2 <= pong.t3
    harness.say(Begin(ahead_ns=-5))
    assert harness.hear() == Frame(Rows(worker="load-0", table="requests"), b"piece")
    assert (load.run, load.ahead_ns) == (RUN, -5)
    assert not load.over.is_set()
    harness.say(Stop())
    assert message_of(harness.hear()) == Ended(reason="it was over")
    assert harness.hear() is None


def test_who_does_not_know_the_token_gets_nothing_and_the_next_one_is_served(load: Load, harness: Harness) -> None:
    harness.hello("a guess")
    harness.say(RUN)
    refused = message_of(harness.hear())
    assert refused == Refused(reason="the token is not the one of this load")
    assert harness.hear() is None
    assert load.run is None
    second = Harness(load)
    second.hello()
    second.say(RUN, Ping(t1=0))
    assert isinstance(message_of(second.hear()), Pong)
    second.close()


def test_what_cannot_be_run_is_refused_with_the_reason(load: Load, harness: Harness) -> None:
    harness.hello()
    harness.say(RUN.model_copy(update={"seed": 9}))
    assert message_of(harness.hear()) == Refused(reason="not this one")
    assert load.run is None


def test_a_second_harness_is_refused_while_the_first_is_served(load: Load, harness: Harness) -> None:
    harness.hello()
    harness.say(RUN, Ping(t1=0))
    assert isinstance(message_of(harness.hear()), Pong)
    second = Harness(load)
    second.hello()
    second.say(RUN)
    assert message_of(second.hear()) == Refused(reason="another harness uses this load")
    second.close()
    harness.say(Ping(t1=1))
    assert isinstance(message_of(harness.hear()), Pong)


@pytest.mark.parametrize("last", ["silence", "hang up", "torn", "huge", "nonsense", "out of turn"])
def test_whatever_ends_the_connection_ends_the_load(load: Load, harness: Harness, last: str) -> None:
    harness.hello()
    harness.say(RUN, Begin(ahead_ns=0))
    assert isinstance(message_of(harness.hear()), Rows)
    match last:
        case "hang up":
            harness.close()
        case "torn":
            harness.socket.sendall(Frame(Ping(t1=0)).to_bytes()[:-1])
            harness.close()
        case "huge":
            harness.socket.sendall(struct.pack("!II", 2**31, 2**31))
        case "nonsense":
            harness.socket.sendall(struct.pack("!II", 2, 0) + b"{}")
        case "out of turn":
            harness.say(RUN)
    assert load.over.wait(5)


def test_a_harness_that_goes_on_talking_keeps_its_load(load: Load, harness: Harness) -> None:
    harness.hello()
    harness.say(RUN)
    for t1 in range(8):  # for twice as long as silence may last
        harness.say(Ping(t1=t1))
        assert isinstance(message_of(harness.hear()), Pong)
        time.sleep(SILENCE_S / 4)
    assert not load.over.is_set()


def test_one_that_connects_and_says_nothing_is_hung_up_on(load: Load, harness: Harness) -> None:
    assert isinstance(message_of(harness.hear()), Challenge)
    assert harness.hear() is None
    assert load.run is None
