"""The harness's one connection to a load that runs elsewhere, at the load's end of it.

The connection is the session: it begins the load, and when it breaks or falls silent, the load ends. Whoever connects
must prove that they know the token, and only one session is had at a time.
"""

from __future__ import annotations

import contextlib
import logging
import socket
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from gevent.event import AsyncResult, Event
from gevent.lock import RLock
from gevent.pool import Pool
from gevent.server import StreamServer

from bundle.clock import Clock
from gameday.load.frames import (
    BadFrame,
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
    Run,
    Stop,
    Welcome,
    is_proof,
    new_nonce,
    proof,
)

logger = logging.getLogger(__name__)

SILENCE_S = 5.0
"""The harness pings five times a second. One that was silent for so long is gone."""
CONNECTIONS = 8
HANG_UP_S = 2.0
"""How long the harness may take to hang up, once it was told that the load has ended."""
RECEIVE = 1 << 16
LOOK_EVERY_S = 0.02

Expected = TypeVar("Expected", bound=Message)


class Relay:
    """Waits for a harness, and then stands between it and the load."""

    def __init__(self, listener: socket.socket, token: str, now_ns: Clock, why_not: Callable[[Run], str]) -> None:
        """listener: bound and listening. why_not: why a run that is asked for cannot be had, "" where it can."""
        self._token, self._now_ns, self._why_not = token, now_ns, why_not
        self._asked: AsyncResult = AsyncResult()
        self._begin: AsyncResult = AsyncResult()
        self._socket: socket.socket | None = None
        self._closed = Event()
        self._sending = RLock()
        self.over = Event()
        """Set once the harness has asked for the end, or is gone."""
        self._server = StreamServer(listener, self._session, spawn=Pool(CONNECTIONS))
        self._server.start()

    def wait_for_run(self) -> Run:
        """What a harness asks for; waits until one does."""
        run: Run = self._asked.get()
        return run

    def wait_for_begin(self) -> int | None:
        """How far our clock is ahead of the bundle's, once the harness knows; None where it went away instead."""
        while not self._begin.ready():
            if self.over.wait(LOOK_EVERY_S):
                return None
        ahead_ns: int = self._begin.get()
        return ahead_ns

    def send(self, message: Message, body: bytes = b"") -> None:
        """Tell the harness. Waits while it doesn't read; does nothing once it is gone, for then the load ends."""
        if self._socket is None:
            return
        try:
            self._write(self._socket, message, body)
        except OSError as error:
            self._lose(f"the connection to the harness broke: {error}")

    def end(self, reason: str) -> None:
        """The load has ended and every row was sent: say so and hang up. Harmless when called again."""
        connection = self._socket
        if connection is not None:
            self.send(Ended(reason=reason))
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_WR)  # to close at once, with a ping unread, could undo what was sent
            self._closed.wait(HANG_UP_S)
        self._hang_up()
        self._server.stop(timeout=0)

    def _session(self, connection: socket.socket, address: Any) -> None:
        """One connection, from its first byte to its last."""
        connection.settimeout(SILENCE_S)
        run = None
        try:
            frames = _frames(connection)
            run = self._agree(connection, frames)
            if run is None:
                return
            self._socket = connection
            self._asked.set(run)
            logger.info("a harness runs %s", run.host)
            self._listen(frames)
            self._lose("the harness hung up")
        except (OSError, BadFrame) as error:
            if run is not None:
                self._lose("the harness was silent" if isinstance(error, TimeoutError) else str(error))
            else:
                logger.warning("%s did not begin a session: %s", address, error or type(error).__name__)
        finally:
            connection.close()

    def _agree(self, connection: socket.socket, frames: Iterator[Frame]) -> Run | None:
        """The first words of a session. None where it was refused, or nobody was there."""
        nonce = new_nonce()
        self._write(connection, Challenge(nonce=nonce))
        hello = _next(frames, Hello)
        if hello is None:
            return None  # a probe that looks whether the port is open
        if not is_proof(hello.proof, self._token, nonce, "harness"):
            run, reason = None, "the token is not the one of this load"
        else:
            self._write(connection, Welcome(proof=proof(self._token, hello.nonce, "load")))
            run = _next(frames, Run)
            if run is None:
                return None
            reason = "another harness uses this load" if self._asked.ready() else self._why_not(run)
        if reason:
            logger.warning("a session was refused: %s", reason)
            self._write(connection, Refused(reason=reason))
            return None
        return run

    def _listen(self, frames: Iterator[Frame]) -> None:
        for frame in frames:
            match frame.message:
                case Ping(t1=t1):
                    came_ns = self._now_ns()
                    self.send(Pong(t1=t1, t2=came_ns, t3=self._now_ns()))
                case Begin(ahead_ns=ahead_ns):
                    self._begin.set(ahead_ns)
                case Stop():
                    self._take_no_more()
                case other:
                    raise BadFrame(f"the harness said {other.kind} in mid-session")

    def _write(self, connection: socket.socket, message: Message, body: bytes = b"") -> None:
        with self._sending:
            connection.sendall(Frame(message, body).to_bytes())

    def _lose(self, reason: str) -> None:
        if not self.over.is_set():
            logger.error("the load ends: %s", reason)
            self._take_no_more()
        self._hang_up()

    def _take_no_more(self) -> None:
        """The load ends. Whoever knocks from now on waits for the next one."""
        self._server.stop_accepting()
        self.over.set()

    def _hang_up(self) -> None:
        connection, self._socket = self._socket, None
        self._closed.set()
        if connection is not None:
            connection.close()


def _frames(connection: socket.socket) -> Iterator[Frame]:
    """The frames that come, until the other end hangs up. Raises OSError, BadFrame."""
    reader = FrameReader()
    while data := connection.recv(RECEIVE):
        yield from reader.feed(data)
    if reader.torn:
        raise BadFrame("the connection broke in the middle of a frame")


def _next(frames: Iterator[Frame], kind: type[Expected]) -> Expected | None:
    frame = next(frames, None)
    if frame is None:
        return None
    if not isinstance(frame.message, kind):
        raise BadFrame(f"{frame.message.kind} came where {kind.__name__.lower()} was due")
    return frame.message
