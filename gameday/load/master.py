"""The master's side of a load of several processes: who is there, how their clocks stand, which part is whose.

It is one of Locust's own masters and runs no users. Of an open-loop profile every worker sends its part of one
schedule, which begins for all of them at the same moment; users of a closed-loop one are spread as Locust always does.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import gevent
from gevent.event import Event
from locust.env import Environment
from locust.rpc import Message

from bundle.clock import Anchor
from gameday.load.clockoffset import NO_OFFSET, Exchange, OffsetTrack, Span
from gameday.load.dispatcher import OneOfEach, WithoutLatecomers
from gameday.load.messages import BEGIN, DONE, HELLO, PING, PONG, ROWS, STOP, TAKEN
from gameday.load.options import options_of
from gameday.load.schedule import Part

logger = logging.getLogger(__name__)

LEAD_S = 0.5
"""From when the beginning is announced until then: workers have to make their users first."""
PING_S = 0.2
SETTLING_PING_S = 0.02
LOOK_EVERY_S = 0.02
HELLO_S = 2.0
"""How long a worker that Locust knows may take to be ready."""
DRAIN_S = 10.0
"""How long workers may take, after their last request, to send the rest of their rows."""


class Sink(Protocol):
    """Where the rows of workers on other machines go."""

    def begun(self) -> None:
        """The workers that take part are known, and when the schedule begins."""

    def rows(self, worker: str, table: str, piece: bytes) -> None:
        """The next piece of a worker's stream of a table."""


class Master:
    """The master of one load. Made when Locust's runner is, before any worker was started."""

    def __init__(
        self,
        environment: Environment,
        runner: Any,
        anchor: Anchor,
        *,
        open_loop: bool,
        sink: Sink | None = None,
    ) -> None:
        """sink: where the workers' rows go, whose clocks are compared to the end then; None: they keep their own.

        Locust sends its options on to the workers as users are spawned, and overwrites theirs. A worker has used its
        own bundle and name by then, but not its part; and paths and parts couldn't be sent.
        """
        self._environment, self._runner, self._anchor = environment, runner, anchor
        self._open_loop, self._sink = open_loop, sink
        self._names: dict[str, str] = {}
        self._tracks: dict[str, OffsetTrack] = {}
        self._parts: dict[str, Part] | None = None
        self._dealt = Event()
        self._done: set[str] = set()
        self._stopping = False
        self.undelivered: set[str] = set()
        """Workers whose last rows had not come when the end was no longer waited for."""
        self.began_ns = 0
        """When the schedule begins, UTC by the clock of this process; 0 before that is known."""
        self.ahead_ns = 0
        """How far the clock of this process is ahead of the bundle's."""
        self._set_back_ns: dict[str, int] = {}
        """By how much each worker sets back the clock that it records by, so that it is the bundle's."""
        runner.register_message(HELLO, self._hello, concurrent=True)
        runner.register_message(PONG, self._pong)
        runner.register_message(ROWS, self._rows, concurrent=True)
        runner.register_message(DONE, lambda msg, **_: self._done.add(msg.node_id))
        environment.events.test_start.add_listener(self._begin)  # type: ignore[no-untyped-call]
        environment.events.quitting.add_listener(self.stop)  # type: ignore[no-untyped-call]
        dispatcher = OneOfEach if open_loop else WithoutLatecomers if sink is not None else None
        if dispatcher is not None:
            environment.dispatcher_class = partial(dispatcher, takes_part=self._takes_part)  # type: ignore[assignment]
        options = options_of(environment)
        options.gameday_bundle = options.gameday_worker = None
        del options.gameday_part

    def wait_for(self, workers: int, *, timeout_s: float = 0.0, unless: Callable[[], bool] = lambda: False) -> bool:
        """Wait until so many workers are ready and their clocks compared; False after `timeout_s` (0: never).

        unless: waiting is in vain once it is true.
        """
        deadline_ns = self._anchor.now_ns() + timeout_s * 1e9
        while len(self.ready()) < workers:
            if unless() or (timeout_s and self._anchor.now_ns() > deadline_ns):
                return False
            gevent.sleep(LOOK_EVERY_S)
        return True

    def ready(self) -> list[str]:
        """The names of the workers that are there and whose clocks were compared."""
        return [self._names[c] for c in self._here() if c in self._tracks and self._tracks[c].settled]

    def workers(self) -> dict[str, Span]:
        """The workers that take part, and how the clocks that they record by stood to ours all the time."""
        return {
            self._names[client]: self._offset(client) + Span(-by_ns, -by_ns)
            for client, by_ns in self._set_back_ns.items()
        }

    def lost(self) -> set[str]:
        """Workers that take part and are gone, or have said nothing for Locust's limit of three seconds."""
        return {self._names[client] for client in (self._parts or {}).keys() - self._here()}

    def stop(self, **_: Any) -> None:
        """No more arrivals at any worker; wait for what is in flight and for the rest of the rows.

        Also the first thing done on SIGTERM, as a listener of `quitting`. Locust then tells its workers to quit.
        """
        if self._stopping:
            return
        self._stopping = True
        asked = self._here() & self._names.keys()
        for client in asked:
            self._runner.send_message(STOP, client_id=client)
        grace_s = (self._environment.stop_timeout or 0) + (DRAIN_S if self._sink is not None else 1)
        with gevent.Timeout(grace_s, False):
            while (asked & self._here()) - self._done:
                gevent.sleep(LOOK_EVERY_S)
        self.undelivered = {self._names[client] for client in asked - self._done}

    def _here(self) -> set[str]:
        clients = self._runner.clients
        return {client.id for client in (*clients.ready, *clients.spawning, *clients.running)}

    def _takes_part(self, client: str) -> bool:
        return not self._stopping and (self._parts is None or client in self._parts)

    def _hello(self, msg: Message, **_: Any) -> None:
        """A worker is ready. Compare its clock with ours, to the end where its rows come to us."""
        client = msg.node_id
        self._names[client] = msg.data["name"]
        track = self._tracks[client] = OffsetTrack()
        while client in self._runner.clients and not (track.settled and self._sink is None):
            self._runner.send_message(PING, {"t1": self._anchor.now_ns()}, client)
            gevent.sleep(PING_S if track.settled else SETTLING_PING_S)

    def _pong(self, msg: Message, **_: Any) -> None:
        came_ns = self._anchor.now_ns()
        try:
            self._tracks[msg.node_id].add(Exchange(msg.data["t1"], msg.data["t2"], msg.data["t3"], came_ns))
        except ValueError as error:
            logger.error("the clock of %s went backwards: %s", self._names[msg.node_id], error)

    def _begin(self, **_: Any) -> None:
        """Deal the parts and say when it begins. A listener of `test_start`: before Locust tells which users to run."""
        with gevent.Timeout(HELLO_S, False):
            while self._here() - self._names.keys():  # started by a person, before all who are there were ready
                gevent.sleep(LOOK_EVERY_S)
        clients = sorted(self._here() & self._names.keys(), key=self._runner.get_worker_index)
        self._parts = {client: Part(index, len(clients)) for index, client in enumerate(clients)}
        self.began_ns = self._anchor.now_ns() + int(LEAD_S * 1e9)
        for client, part in self._parts.items():
            shift_ns = self._offset(client).shift_ns
            by_ns = self._set_back_ns[client] = 0 if self._sink is None else shift_ns + self.ahead_ns
            told = {"began_ns": self.began_ns + shift_ns, "part": f"{part.index}/{part.of}", "set_back_ns": by_ns}
            self._runner.send_message(BEGIN, told, client)
        if self._sink is not None:
            self._sink.begun()
        self._dealt.set()

    def _offset(self, client: str) -> Span:
        track = self._tracks.get(client)
        return track.over_run if track is not None and track.settled else NO_OFFSET

    def _rows(self, msg: Message, **_: Any) -> None:
        """Pass a piece of a stream on, then ask for the next. One of a latecomer is dropped: it has no part to send."""
        self._dealt.wait()
        if self._sink is not None and msg.node_id in (self._parts or ()):
            self._sink.rows(self._names[msg.node_id], msg.data["table"], msg.data["piece"])
        self._runner.send_message(TAKEN, client_id=msg.node_id)
