"""A worker's side of a load of several processes: when its schedule begins, which part is its own, when it ends."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
from gevent.event import Event
from locust.env import Environment
from locust.rpc import Message

from bundle.clock import Anchor
from gameday.load import rows
from gameday.load.inflight import COUNTS
from gameday.load.messages import BEGIN, DONE, HELLO, PING, PONG, ROWS, STOP, TAKEN
from gameday.load.options import options_of
from gameday.load.schedule import Part, open_users
from gameday.load.spool import Spool

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 0.1


class Follower:
    """One worker. Its record, where it keeps one, is open already."""

    def __init__(
        self,
        environment: Environment,
        runner: Any,
        anchor: Anchor,
        name: str,
        send_from: Path | None,
        set_clock: Callable[[Anchor], None],
        close_record: Callable[[], None],
    ) -> None:
        """send_from: the bundle on this machine's disk whose streams are sent to the master; None sends nothing."""
        self._environment, self._runner, self._anchor = environment, runner, anchor
        self._set_clock, self._close_record = set_clock, close_record
        self._taken = Event()
        self._ending = False
        self._spool = Spool(send_from, name, self._pass_on) if send_from is not None else None
        runner.register_message(PING, self._answer)
        runner.register_message(BEGIN, self._begin)
        runner.register_message(TAKEN, lambda **_: self._taken.set())
        runner.register_message(STOP, self._stop, concurrent=True)
        self._sending = gevent.spawn(self._keep_sending)
        runner.send_message(HELLO, {"name": name})

    def _answer(self, msg: Message, **_: Any) -> None:
        came_ns = self._anchor.now_ns()
        self._runner.send_message(PONG, {"t1": msg.data["t1"], "t2": came_ns, "t3": self._anchor.now_ns()})

    def _begin(self, msg: Message, **_: Any) -> None:
        """It comes before Locust's own message that spawns users."""
        if msg.data["set_back_ns"]:
            self._set_clock(Anchor(self._anchor.wall_ns - msg.data["set_back_ns"], self._anchor.mono_ns))
        if not open_users(self._environment.user_classes):
            return
        options_of(self._environment).gameday_part = Part.parse(msg.data["part"])
        COUNTS.began_ns = msg.data["began_ns"] - self._anchor.utc_ns(0)
        if (recorder := rows.recorder()) is not None:
            recorder.sample(COUNTS.began_ns, {"load.began": 0.0})
        late_s = (time.monotonic_ns() - COUNTS.began_ns) / 1e9
        if late_s > 0:
            logger.warning("told %.1f s too late to begin: the first arrivals are late", late_s)

    def _stop(self, **_: Any) -> None:
        """Take no more arrivals, let those in flight finish, close the record and send what is left of it."""
        self._runner.stop_users(self._runner.user_classes_count)
        self._close_record()
        self._ending = True
        self._sending.join()
        self._runner.send_message(DONE)

    def _keep_sending(self) -> None:
        while self._spool is not None:
            if not self._spool.step():
                if self._ending:
                    return
                gevent.sleep(LOOK_EVERY_S)

    def _pass_on(self, table: str, piece: bytes) -> None:
        self._taken.clear()
        self._runner.send_message(ROWS, {"table": table, "piece": piece})
        self._taken.wait()
