"""Asks every replica of one deployment, again and again while a drill runs, each on a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from bundle.timeline import Entry
from gameday.deployment import is_of
from gameday.observe.reflector import KubeObject
from gameday.observe.sighting import Replica

LOOK_S = 0.05
"""How often it is looked which replicas there are."""
LINGER_S = 10.0
"""How long a pod that has left the API is asked on, at the most."""
TELL_S = 1.0
"""How often it is noted how far apart two questions were at the most."""


class Heard(Enum):
    """What came of a question. `REFUSAL`: the replica could be asked, and told nothing; `SILENCE`: nobody could."""

    ANSWER = "answer"
    REFUSAL = "refusal"
    SILENCE = "silence"


class Question(Protocol):
    """What is asked of one replica."""

    def ask(self) -> Heard:
        """Ask once, and record what came of it."""
        ...

    def gone(self) -> None:
        """The replica is no more."""
        ...

    def close(self) -> None:
        """End the connection."""
        ...


@dataclass(frozen=True, slots=True)
class Rounds:
    """How a deployment is polled. watches: what for, as the timeline names it. period_s: from one question to the next,
    of each replica. widest: the series that says how far apart two were."""

    watches: str
    deployment: str
    period_s: float
    widest: str


def replicas_of(pods: Iterable[KubeObject], context: str, deployment: str) -> tuple[Replica, ...]:
    """The pods of a deployment that have an address, as replicas."""
    found = []
    for pod in pods:
        meta, address = pod["metadata"], (pod.get("status") or {}).get("podIP")
        if address and is_of(pod, deployment):
            found.append(Replica(context, meta.get("namespace", ""), meta["name"], meta["uid"], address))
    return tuple(found)


class Poll:
    """Polls from `start` to `stop`.

    pods: the context's pods as last seen. make: the question to a replica, which came at a time in UTC nanoseconds, or
    None where it was there before. record and sample: as a Watcher takes them.
    """

    def __init__(
        self,
        context: str,
        rounds: Rounds,
        pods: Callable[[], list[KubeObject]],
        make: Callable[[Replica, int | None], Question],
        record: Callable[[Entry], None],
        sample: Callable[[str, str, int, float], None],
        now_ns: Callable[[], int],
    ) -> None:
        self._context, self._rounds, self._pods, self._make = context, rounds, pods, make
        self._record, self._sample, self._now_ns = record, sample, now_ns
        self._stopping = threading.Event()
        self._replicas: dict[str, _Poller] = {}
        self._leaving: list[_Poller] = []
        self._blind = self._broken = False
        self._thread = threading.Thread(target=self._run, name=f"{context}-{rounds.watches}", daemon=True)

    def start(self) -> None:
        """Begin to poll."""
        at_ns = self._now_ns()
        self._note("connected", at_ns, "")
        self._look(first=True)
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """End every poll and wait for the threads."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        for poller in (*self._replicas.values(), *self._leaving):
            poller.stop(timeout_s)

    def _run(self) -> None:
        try:
            while not self._stopping.wait(LOOK_S):
                self._look(first=False)
        except Exception as error:
            self._breaks(error)

    def _breaks(self, error: Exception) -> None:
        """Whatever breaks an observer must show in the record, never end it in silence."""
        self._broken = True
        self._note("failed", self._now_ns(), f"{type(error).__name__}: {error}")

    def _look(self, *, first: bool) -> None:
        """Begin to poll new replicas, stop with those that are gone, and say where none can be reached."""
        there = {each.uid: each for each in replicas_of(self._pods(), self._context, self._rounds.deployment)}
        for uid in self._replicas.keys() - there.keys():
            leaving = self._replicas.pop(uid)
            leaving.until_silent()
            self._leaving.append(leaving)
        now_ns = self._now_ns()
        for uid in there.keys() - self._replicas.keys():
            question = self._make(there[uid], None if first else now_ns)
            self._replicas[uid] = _Poller(there[uid], question, self._rounds, self._sample, self._now_ns, self._breaks)
            self._replicas[uid].start()
        if self._broken:
            return  # one that has failed is blind to the end
        silent = [poller.silent_since_ns for poller in self._replicas.values()]
        if silent and all(since is not None for since in silent):
            if not self._blind:
                self._note("lost", min(since for since in silent if since is not None), "no replica can be reached")
            self._blind = True
        elif self._blind:
            self._blind = False
            self._note("resumed", now_ns, "")

    def _note(self, event: str, at_ns: int, error: str) -> None:
        attributes = {"watches": self._rounds.watches, "error": error}
        self._record(Entry("observer", event, at_ns, at_ns, self._context, source="poll", attributes=attributes))


class _Poller:
    """Polls one replica."""

    def __init__(
        self,
        replica: Replica,
        question: Question,
        rounds: Rounds,
        sample: Callable[[str, str, int, float], None],
        now_ns: Callable[[], int],
        breaks: Callable[[Exception], None],
    ) -> None:
        self._question, self._rounds = question, rounds
        self._sample, self._now_ns, self._breaks = sample, now_ns, breaks
        self._source = f"{replica.context}/{replica.name}"
        self._stopping = threading.Event()
        self._last_s: float | None = None
        self._thread = threading.Thread(target=self._run, name=f"{replica.name}-{rounds.watches}", daemon=True)
        self.silent_since_ns: int | None = None
        """Since when its questions have come to nothing, neither answer nor refusal."""

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        self._stopping.set()
        self._thread.join(timeout_s)

    def until_silent(self) -> None:
        """Go on only for as long as it answers: a pod that has left the API may still live for a moment."""
        self._last_s = time.monotonic() + LINGER_S

    def _run(self) -> None:
        try:
            self._poll()
        except Exception as error:
            self._breaks(error)

    def _poll(self) -> None:
        due_s = before_s = told_s = time.monotonic()
        widest_s = 0.0
        while not self._stopping.wait(max(0.0, due_s - time.monotonic())):
            asked_s = time.monotonic()
            widest_s, before_s = max(widest_s, asked_s - before_s), asked_s
            asked_ns, heard = self._now_ns(), self._question.ask()
            silent = heard is Heard.SILENCE
            self.silent_since_ns = (self.silent_since_ns or asked_ns) if silent else None
            if asked_s - told_s >= TELL_S:
                self._sample(self._rounds.widest, self._source, self._now_ns(), widest_s)
                told_s, widest_s = asked_s, 0.0
            if self._last_s is not None and (heard is not Heard.ANSWER or asked_s > self._last_s):
                self._question.gone()
                break
            due_s = max(due_s + self._rounds.period_s, time.monotonic())
        self._question.close()
