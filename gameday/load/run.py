"""The load of one drill, from its start to its end: where it runs, what is recorded of it, what it looks like now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from bundle.clock import Anchor
from bundle.table import STREAM_SUFFIX
from bundle.tail import StreamTail
from bundle.writer import BundleWriter
from gameday.load.live import Live, LiveView
from gameday.load.process import LoadPlan, LoadProcess
from gameday.load.profile import ProfileFacts
from gameday.load.remote import RemoteLoad, RemotePlan
from gameday.load.running import Load
from gameday.load.sources import digest
from gameday.phases import longest_s
from gameday.plan import DrillPlan

START_TIMEOUT_S = 20.0
WORKER_START_S = 2.0
"""So much longer for each process of ours, which take a second of a core each to start."""
REMOTE_START_S = 40.0
"""So much longer where the load comes from elsewhere: it may have to end another one first."""


class Note(Protocol):
    """Takes what happened to the load, now, as an entry of the timeline."""

    def __call__(self, kind: str, event: str, **attributes: str) -> None: ...


class LoadRun:
    """Sends what a plan asks for, from `start` to `stop`; `close` it at last. Each may be called at any time."""

    def __init__(
        self, plan: DrillPlan, profile: ProfileFacts, writer: BundleWriter, anchor: Anchor, note: Note
    ) -> None:
        self._plan, self._profile, self._writer, self._anchor, self._note = plan, profile, writer, anchor, note
        self._load: Load | None = None
        self._tails: list[StreamTail] = []
        self._view = LiveView(window_s=plan.limits.hold_s)
        self._began_ns = 0

    def start(self, given_up: Callable[[float], bool]) -> bool:
        """Start it and wait until its schedule begins; False where it was given up meanwhile. Raises LoadFailed.

        given_up: sleeps so many seconds, and is True where nobody wants to wait any longer.
        """
        here, root = self._plan.load_at is None, self._writer.root
        self._load = self._local() if here else self._remote()
        each_s = WORKER_START_S * self._plan.workers if here else REMOTE_START_S
        began_ns = self._load.wait_started(START_TIMEOUT_S + each_s, given_up)
        if began_ns is None:
            return False
        self._began_ns = began_ns
        workers = self._load.workers()
        self._keep(began_ns=began_ns, workers=workers)
        self._tails = [StreamTail(root / "requests" / f"{worker.name}{STREAM_SUFFIX}") for worker in workers]
        self._note("load", "started")
        return True

    def into_s(self, now_ns: int) -> float:
        """Seconds since its schedule began."""
        return (now_ns - self._began_ns) / 1e9

    def check(self) -> None:
        """Raise LoadFailed where it has ended by itself; note the workers that were lost while others go on."""
        if self._load is None:
            return
        if (code := self._load.poll()) is not None:
            raise self._load.failure(f"Locust ended in mid-drill with code {code}")
        self._note_lost(self._load)

    def look(self, now_ns: int) -> Live:
        """What it looks like now, by the rows that have reached the bundle."""
        for tail in self._tails:
            for batch in tail.batches():
                self._view.add(batch)
        return self._view.at(now_ns)

    def complain_of_silence(self, now_ns: int) -> None:
        """Raise LoadFailed where it has sent nothing, and logged errors that explain it."""
        if self._load is not None and not self.look(now_ns).sent:
            self._load.complain_of_errors("the load sent nothing in the warm-up")

    def stop(self) -> bool:
        """End it in order, and otherwise all the same; whether it ended in order."""
        return self._load is None or self._load.stop()

    def keep(self) -> None:
        """Record what became of its workers, once it has stopped."""
        if self._load is not None:
            self._note_lost(self._load)
            self._keep(workers=self._load.workers())
            self._note("load", "stopped")

    def close(self) -> None:
        """Follow its rows no more."""
        for tail in self._tails:
            tail.close()

    def _local(self) -> Load:
        plan, limit_s = self._plan, longest_s(self._plan.limits)
        asked, root = plan.asked, self._writer.root
        return LoadProcess(
            LoadPlan(self._profile.path, plan.host, root, self._anchor, limit_s, asked, plan.seed, workers=plan.workers)
        )

    def _remote(self) -> Load:
        plan, limit_s = self._plan, longest_s(self._plan.limits)
        assert plan.load_at is not None  # or it would run here
        sha256 = digest(self._profile.path, self._profile.modules)
        return RemoteLoad(
            RemotePlan(plan.load_at, sha256, plan.host, self._writer.root, self._anchor, limit_s, plan.asked, plan.seed)
        )

    def _note_lost(self, load: Load) -> None:
        for lost in load.newly_lost():
            self._note("load", "worker-lost", worker=lost.name, error=lost.error)

    def _keep(self, **changes: object) -> None:
        load = self._writer.manifest.load
        assert load is not None  # there is a profile
        self._writer.update(load=load.model_copy(update=changes))
