"""The harness's side of a load that runs elsewhere: one connection to its relay, whose rows come into this bundle."""

from __future__ import annotations

import contextlib
import os
import queue
import re
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from bundle.clock import Anchor
from bundle.manifest import Worker
from bundle.table import STREAM_SUFFIX
from gameday.errors import BadInput
from gameday.load.clockoffset import Exchange, OffsetTrack, Span
from gameday.load.errors import LoadFailed
from gameday.load.frames import (
    VERSION,
    BadFrame,
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
    Refused,
    Rows,
    Run,
    Started,
    Stop,
    Welcome,
    is_proof,
    new_nonce,
    proof,
)
from gameday.load.listener import TOKEN_VARIABLE
from gameday.load.running import LostWorker, slept
from gameday.load.schedule import Asked

CONNECT_S = 10.0
SILENCE_S = 10.0
"""The relay answers five pings a second. One that was silent for so long is gone."""
PING_S = 0.2
SETTLING_PING_S = 0.02
RECEIVE = 1 << 18
DRAIN_S = 15.0
"""How long the rest of the rows may take to come, after the last request."""


@dataclass(frozen=True, slots=True)
class LoadAddress:
    """Where a load waits for its harness, and what both know."""

    host: str
    port: int
    token: str = field(repr=False)

    @classmethod
    def parse(cls, text: str, token: str | None) -> LoadAddress:
        """From `HOST:PORT` and what the environment says. Raises BadInput."""
        found = re.fullmatch(r"\[?([^\[\]]+)\]?:(\d{1,5})", text)
        if found is None or not 0 < int(found[2]) < 1 << 16:
            raise BadInput(f"{text!r} is not HOST:PORT", where="--load-at", do="give 127.0.0.1:8900, say")
        if not token:
            raise BadInput(
                f"{TOKEN_VARIABLE} is not set", where="--load-at", do="set it to the token that the load was given"
            )
        return cls(found[1], int(found[2]), token)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def address_of(text: str | None, workers: int) -> LoadAddress | None:
    """What `--load-at` says; None where the load is sent from this machine. Raises BadInput.

    The token is taken out of the environment, so that no experiment, profile or record gets to see it.
    """
    token = os.environ.pop(TOKEN_VARIABLE, None)
    if text is None:
        return None
    if workers != 1:
        raise BadInput("--workers is for this machine", where="--load-at", do="scale the workers there instead")
    return LoadAddress.parse(text, token)


@dataclass(frozen=True, slots=True)
class RemotePlan:
    """What is to be sent from elsewhere, and into which bundle it is recorded."""

    at: LoadAddress
    profile_sha256: str
    """The `gameday.load.sources.digest` of the profile here, which must be that of the one there."""
    host: str
    bundle: Path
    anchor: Anchor
    time_limit_s: float
    asked: Asked
    seed: int
    stop_grace_s: int = 3

    def run(self) -> Run:
        """What the other end is asked for."""
        return Run(
            profile_sha256=self.profile_sha256,
            host=self.host,
            rate_per_s=self.asked.rate_per_s,
            duration_s=self.asked.duration_s,
            spacing=self.asked.spacing,
            users=self.asked.users,
            lead_s=self.asked.lead_s,
            seed=self.seed,
            time_limit_s=self.time_limit_s,
            stop_grace_s=self.stop_grace_s,
        )


OURS = "harness"
"""The name under which the harness keeps its own series in the bundle."""


class RemoteLoad:
    """A load that runs elsewhere for as long as this is connected. A thread of its own reads and writes."""

    def __init__(self, plan: RemotePlan) -> None:
        """Ask for it; returns at once."""
        self.plan = plan
        self._master = OffsetTrack()
        self._clocks: dict[str, Span] = {}
        self._lost: queue.SimpleQueue[LostWorker] = queue.SimpleQueue()
        self._started: Started | None = None
        self._running = threading.Event()
        self._over = threading.Event()
        self._trouble = ""
        self._nonce = new_nonce()
        self._agreed = self._begun = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._converse, name="load", daemon=True)
        self._thread.start()

    def workers(self) -> tuple[Worker, ...]:
        """The workers, and how the clocks that they record by stood to the bundle's all the time so far."""
        if self._started is None:
            return ()
        master = self._master.over_run
        spans = {name: master + self._clocks[name] for name in self._started.workers}
        return tuple(
            Worker(name=name, clock_offset_ns=span.offset_ns, clock_uncertainty_ns=span.uncertainty_ns)
            for name, span in spans.items()
        )

    def wait_started(self, timeout_s: float, given_up: Callable[[float], bool] = slept) -> int | None:
        """Wait until the schedule begins; returns when that was, UTC ns by the bundle's clock.

        given_up: sleeps so many seconds, and is True where nobody wants to wait any longer: None is returned then.
        Raises LoadFailed.
        """
        deadline = time.monotonic() + timeout_s
        while not self._running.is_set():
            if given_up(PING_S):
                return None
            if self._over.is_set():
                raise self.failure("the load did not begin")
            if time.monotonic() > deadline:
                raise self.failure(f"the load did not begin within {timeout_s:g} s")
        assert self._started is not None  # it runs
        while self.plan.anchor.now_ns() < self._started.began_ns:
            if given_up(PING_S / 10):
                return None
            if time.monotonic() > deadline:
                raise self.failure(f"the load did not begin within {timeout_s:g} s")
        return self._started.began_ns

    def poll(self) -> int | None:
        """None while load is sent; 1 once it has ended, or nothing is known of it any more."""
        return 1 if self._over.is_set() else None

    def newly_lost(self) -> list[LostWorker]:
        """Workers that were lost since the last call, while others go on; each is told once."""
        lost = []
        with contextlib.suppress(queue.Empty):
            while True:
                lost.append(self._lost.get_nowait())
        return lost

    def failure(self, what: str) -> LoadFailed:
        """An error that says `what` happened and what is known of why."""
        return LoadFailed(
            f"{what}: {self._trouble or 'it still waits for its workers'}",
            where=f"load at {self.plan.at}",
            do="see the log of the load's master there",
        )

    def complain_of_errors(self, what: str) -> None:
        """Errors of a profile are in the logs of the pods, which nobody brings here: the rows must say it."""

    def stop(self, timeout_s: float | None = None) -> bool:
        """End the load: no new arrivals, requests in flight finish, the last rows come. Whether all that was so.

        timeout_s: after which it is left alone, which ends it too; None is the grace and the time that rows may take.
        """
        self._stopping.set()
        self._thread.join(self.plan.stop_grace_s + DRAIN_S if timeout_s is None else timeout_s)
        ended = self._over.is_set() and not self._trouble
        self._over.set()
        self._thread.join()
        return ended

    def _converse(self) -> None:
        """The thread: connect, agree, ping and listen until the end. Whatever goes wrong is told by `failure`."""
        try:
            with socket.create_connection((self.plan.at.host, self.plan.at.port), CONNECT_S) as connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._listen(connection)
        except (OSError, BadFrame, ValueError) as error:
            self._trouble = self._trouble or f"{getattr(error, 'strerror', None) or error or type(error).__name__}"
        finally:
            self._over.set()

    def _listen(self, connection: socket.socket) -> None:
        reader, heard, pinged, stopped = FrameReader(), time.monotonic(), 0.0, False
        with contextlib.ExitStack() as files:
            streams = _Streams(self.plan.bundle, files)
            while not self._over.is_set():
                now = time.monotonic()
                every_s = PING_S if self._master.settled else SETTLING_PING_S
                if self._agreed and now - pinged >= every_s:
                    pinged = now
                    self._say(connection, Ping(t1=self.plan.anchor.now_ns()))
                if self._stopping.is_set() and not stopped:
                    if not self._agreed:
                        raise BadFrame("it had not answered when it was to end")
                    stopped = True
                    self._say(connection, Stop())
                connection.settimeout(every_s)
                try:
                    data = connection.recv(RECEIVE)
                except TimeoutError:
                    if self._agreed and time.monotonic() - heard > SILENCE_S:  # before that it may just be starting
                        raise BadFrame(f"nothing was heard of it for {SILENCE_S:g} s") from None
                    continue
                came_ns = self.plan.anchor.now_ns()
                if not data:
                    raise BadFrame("the connection broke" + (" in the middle of a frame" if reader.torn else ""))
                heard = time.monotonic()
                for frame in reader.feed(data):
                    self._take(connection, frame, came_ns, streams)

    def _take(self, connection: socket.socket, frame: Frame, came_ns: int, streams: _Streams) -> None:
        match frame.message:
            case Challenge(version=version, nonce=nonce):
                if version != VERSION:
                    raise BadFrame(f"it speaks version {version} of the protocol, and this is {VERSION}")
                self._say(connection, Hello(proof=proof(self.plan.at.token, nonce, "harness"), nonce=self._nonce))
            case Refused(reason=reason):
                self._trouble = reason
                self._over.set()
            case Welcome(proof=answer) if not self._agreed:
                if not is_proof(answer, self.plan.at.token, self._nonce, "load"):
                    raise BadFrame("it does not know the token, so it is not the load that you mean")
                self._say(connection, self.plan.run())
                self._agreed = True
            case other if not self._agreed:
                raise BadFrame(f"it said {other.kind} before it proved that it knows the token")
            case Pong(t1=t1, t2=t2, t3=t3):
                self._master.add(Exchange(t1, t2, t3, came_ns))
                if self._master.settled and not self._begun:
                    self._begun = True
                    self._say(connection, Begin(ahead_ns=self._master.now.offset_ns))
            case Started() as started if self._begun and self._clocks.keys() >= set(started.workers):
                if OURS in started.workers:
                    raise BadFrame(f"a worker is called {OURS!r}, as the harness's own series are")
                self._started = started
                self._running.set()
            case ClockReading(worker=worker, low_ns=low_ns, high_ns=high_ns):
                self._clocks[worker] = Span(low_ns, high_ns)
            case Lost(worker=worker, error=error):
                self._lost.put(LostWorker(worker, error))
            case Rows(worker=worker, table=table):
                if self._started is None or worker not in self._started.workers:
                    raise BadFrame(f"rows of {worker!r}, which takes no part")
                streams.append(table, worker, frame.body)
            case Ended(reason=reason):
                self._trouble = reason
                self._over.set()
            case other:
                raise BadFrame(f"a load does not say {other.kind}")

    def _say(self, connection: socket.socket, message: Message) -> None:
        connection.settimeout(SILENCE_S)
        connection.sendall(Frame(message).to_bytes())


class _Streams:
    """The files in the bundle to which the pieces of the workers' streams are added as they come."""

    def __init__(self, bundle: Path, files: contextlib.ExitStack) -> None:
        self._bundle, self._files = bundle, files
        self._open: dict[Path, IO[bytes]] = {}

    def append(self, table: str, worker: str, piece: bytes) -> None:
        """Add a piece; it is on the file system when this returns. Raises OSError."""
        path = self._bundle / table / f"{worker}{STREAM_SUFFIX}"
        if path not in self._open:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._open[path] = self._files.enter_context(path.open("xb"))
        self._open[path].write(piece)
        self._open[path].flush()
