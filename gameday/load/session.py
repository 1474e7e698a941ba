"""A load that is run for a harness elsewhere: one session, from its first word to its last row."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import gevent
from locust.env import Environment

from bundle.clock import Anchor
from gameday.load.frames import ClockReading, Lost, Rows, Run, Started
from gameday.load.listener import TOKEN_VARIABLE, listen
from gameday.load.master import Master
from gameday.load.options import options_of
from gameday.load.relay import Relay
from gameday.load.schedule import Asked, schedules
from gameday.load.sources import digest, imported

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 0.2
CLOCKS_EVERY_S = 1.0


class Session:
    """The master of a load that waits for a harness. Made when Locust's runner is."""

    def __init__(self, environment: Environment, runner: Any, anchor: Anchor, users: list[type[Any]]) -> None:
        """users: the open-loop classes, none of a closed-loop profile. Raises OSError; ValueError without a token."""
        options = options_of(environment)
        self._environment, self._runner, self._anchor, self._users = environment, runner, anchor, users
        profile = Path(options.locustfile)
        self._profile = digest(profile, imported(profile))
        if not (token := os.environ.get(TOKEN_VARIABLE, "")):
            raise ValueError(f"{TOKEN_VARIABLE} is not set, and anybody could start the load")
        self._relay = Relay(listen(options.gameday_relay), token, anchor.now_ns, self._why_not)
        self._reason = ""
        # before the master's: Locust calls them from the last to the first
        environment.events.quitting.add_listener(self._quitting)  # type: ignore[no-untyped-call]
        self._master = Master(environment, runner, anchor, open_loop=bool(users), sink=self)

    def wait(self, workers: int) -> None:
        """Wait until a harness asks for a load and so many workers are ready; Locust may start then.

        Ends this process where the harness goes away meanwhile.
        """
        run = self._relay.wait_for_run()
        options = options_of(self._environment)
        options.rate, options.duration, options.lead = run.rate_per_s, run.duration_s, run.lead_s
        options.spacing = None if run.spacing is None else run.spacing.value
        options.seed = run.seed
        if run.users is not None:
            options.num_users = options.spawn_rate = run.users
        self._environment.host, self._environment.stop_timeout = run.host, run.stop_grace_s
        ahead_ns = self._relay.wait_for_begin()
        if ahead_ns is None or not self._master.wait_for(workers, unless=self._relay.over.is_set):
            self._relay.end("")
            self._runner.quit()  # so that the workers begin anew, too
            raise SystemExit(0)
        names = self._master.ready()
        if doubled := {name for name in names if names.count(name) > 1}:
            self._relay.end(f"several workers are called {', '.join(doubled)}")
            raise SystemExit(2)
        self._master.ahead_ns = ahead_ns
        gevent.spawn(self._watch, run.time_limit_s)

    def begun(self) -> None:
        """Tell the harness who takes part, and from when on."""
        self._tell_clocks()
        self._relay.send(
            Started(workers=tuple(self._master.workers()), began_ns=self._master.began_ns - self._master.ahead_ns)
        )

    def rows(self, worker: str, table: str, piece: bytes) -> None:
        """Pass on the next piece of a worker's stream."""
        self._relay.send(Rows.model_validate({"worker": worker, "table": table}), piece)

    def _why_not(self, run: Run) -> str:
        if run.profile_sha256 != self._profile:
            return "the load profile there, or what it imports, is another one than yours: put yours there"
        try:
            schedules(self._users, Asked(run.rate_per_s, run.duration_s, run.spacing, lead_s=run.lead_s))
        except ValueError as error:
            return str(error)
        return ""

    def _watch(self, time_limit_s: float) -> None:
        """Until the end: who is lost, how the clocks stand. Then end the load, in order, and this process."""
        lost: set[str] = set()
        told_s = 0.0
        with gevent.Timeout(time_limit_s, False):
            while not self._relay.over.wait(LOOK_EVERY_S):
                for name in self._master.lost() - lost:
                    lost.add(name)
                    self._relay.send(Lost(worker=name, error="its master hears nothing of it any more"))
                if lost and lost == self._master.workers().keys():
                    self._reason = "every worker is lost"
                    break
                told_s += LOOK_EVERY_S
                if told_s >= CLOCKS_EVERY_S:
                    told_s = 0.0
                    self._tell_clocks()
        if not (self._reason or self._relay.over.is_set()):
            self._reason = f"its time limit of {time_limit_s:g} s was reached"
        self._master.stop()
        self._quitting()
        self._runner.quit()

    def _tell_clocks(self) -> None:
        for name, span in self._master.workers().items():
            self._relay.send(ClockReading(worker=name, low_ns=span.low_ns, high_ns=span.high_ns))

    def _quitting(self, **_: Any) -> None:
        """The load was stopped, and every row sent. Without a reason of ours, Locust itself was told to end."""
        self._tell_clocks()
        for name in sorted(self._master.undelivered):
            self._relay.send(Lost(worker=name, error="its last rows never came"))
        self._relay.end(self._reason or ("" if self._relay.over.is_set() else "its master was told to end"))
