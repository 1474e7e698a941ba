"""Polls every replica of one context for its role while a drill runs, each on a thread of its own.

A poll says what was true at some time between question and answer, so each change lies between the last question that
was answered otherwise and the first answer that said so.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from bundle.timeline import Entry
from gameday.cluster import Cluster
from gameday.observe.asking import Asking, NoAnswer, OutOfReach
from gameday.observe.reflector import KubeObject
from gameday.observe.roles import RolePlan, role_in
from gameday.observe.sighting import Replica, Sighting

PERIOD_S = 0.015
"""From one question to the next, of each replica: no more than 20 ms, waking up late included."""
LOOK_S = 0.05
"""How often it is looked which replicas there are."""
LINGER_S = 10.0
"""How long a pod that has left the API is asked on, at the most."""
TELL_S = 1.0
"""How often it is noted how far apart two questions were at the most."""
WATCHES = "leaders"


def replicas_of(pods: Iterable[KubeObject], context: str, deployment: str) -> tuple[Replica, ...]:
    """The pods of a deployment that have an address, as replicas.

    A pod belongs to it that a ReplicaSet of its name owns: `<deployment>-<hash>`.
    """
    found = []
    for pod in pods:
        meta, address = pod["metadata"], (pod.get("status") or {}).get("podIP")
        owners = [o["name"] for o in meta.get("ownerReferences") or [] if o.get("kind") == "ReplicaSet"]
        if address and any(owner.rpartition("-")[0] == deployment for owner in owners):
            found.append(Replica(context, meta.get("namespace", ""), meta["name"], meta["uid"], address))
    return tuple(found)


class LeaderPoll:
    """Polls from `start` to `stop`.

    pods: the context's pods as last seen. make: how a replica is asked. record and sample: as a Watcher takes them.
    """

    def __init__(
        self,
        cluster: Cluster,
        plan: RolePlan,
        pods: Callable[[], list[KubeObject]],
        make: Callable[[RolePlan, Cluster, Replica], Asking],
        record: Callable[[Entry], None],
        sample: Callable[[str, str, int, float], None],
        now_ns: Callable[[], int],
    ) -> None:
        self._cluster, self._plan, self._pods, self._make = cluster, plan, pods, make
        self._record, self._sample, self._now_ns = record, sample, now_ns
        self._stopping = threading.Event()
        self._replicas: dict[str, _Poller] = {}
        self._leaving: list[_Poller] = []
        self._blind = False
        self._region = ""
        """What its replicas call the region."""
        self._thread = threading.Thread(target=self._run, name=f"{cluster.context}-leaders", daemon=True)

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
        while not self._stopping.wait(LOOK_S):
            self._look(first=False)

    def _look(self, *, first: bool) -> None:
        """Begin to poll new replicas, stop with those that are gone, and say where none can be reached."""
        context = self._cluster.context
        there = {each.uid: each for each in replicas_of(self._pods(), context, self._plan.deployment)}
        for uid in self._replicas.keys() - there.keys():
            leaving = self._replicas.pop(uid)
            leaving.until_silent()
            self._leaving.append(leaving)
        now_ns = self._now_ns()
        for uid in there.keys() - self._replicas.keys():
            replica = there[uid]
            asking = self._make(self._plan, self._cluster, replica)
            sighting = Sighting(replica, self._record, None if first else now_ns)
            self._replicas[uid] = _Poller(
                replica, asking, sighting, self._plan, self._sample, self._now_ns, self._belongs_to
            )
            self._replicas[uid].start()
        silent = [poller.silent_since_ns for poller in self._replicas.values()]
        if silent and all(since is not None for since in silent):
            if not self._blind:
                self._note("lost", min(since for since in silent if since is not None), "no replica can be reached")
            self._blind = True
        elif self._blind:
            self._blind = False
            self._note("resumed", now_ns, "")

    def _belongs_to(self, region: str) -> None:
        """Note once what the region is called, as answers of the service name it, too."""
        if region and not self._region:
            self._region, at_ns = region, self._now_ns()
            self._record(Entry("region", "named", at_ns, at_ns, self._cluster.context, name=region, source="poll"))

    def _note(self, event: str, at_ns: int, error: str) -> None:
        context, attributes = self._cluster.context, {"watches": WATCHES, "error": error}
        self._record(Entry("observer", event, at_ns, at_ns, context, source="poll", attributes=attributes))


class _Poller:
    """Polls one replica."""

    def __init__(
        self,
        replica: Replica,
        asking: Asking,
        sighting: Sighting,
        plan: RolePlan,
        sample: Callable[[str, str, int, float], None],
        now_ns: Callable[[], int],
        belongs_to: Callable[[str], None],
    ) -> None:
        """belongs_to: called with the region that it names, "" where it names none, after each answer."""
        self._asking, self._sighting, self._plan = asking, sighting, plan
        self._sample, self._now_ns, self._belongs_to = sample, now_ns, belongs_to
        self._source = f"{replica.context}/{replica.name}"
        self._stopping = threading.Event()
        self._last_s: float | None = None
        self._thread = threading.Thread(target=self._run, name=f"{replica.name}-role", daemon=True)
        self.silent_since_ns: int | None = None
        """Since when its questions have come to nothing, neither answer nor refusal."""

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        self._stopping.set()
        self._thread.join(timeout_s)

    def until_silent(self) -> None:
        """Go on only for as long as it answers: a pod that has left the API may still live for a moment, and lead."""
        self._last_s = time.monotonic() + LINGER_S

    def _run(self) -> None:
        due_s = before_s = told_s = time.monotonic()
        widest_s = 0.0
        while not self._stopping.wait(max(0.0, due_s - time.monotonic())):
            asked_s = time.monotonic()
            widest_s, before_s = max(widest_s, asked_s - before_s), asked_s
            answers = self.once()
            if asked_s - told_s >= TELL_S:
                self._sample("poll.widest_s", self._source, self._now_ns(), widest_s)
                told_s, widest_s = asked_s, 0.0
            if self._last_s is not None and (not answers or asked_s > self._last_s):
                self._sighting.gone(self._now_ns())
                break
            due_s = max(due_s + PERIOD_S, time.monotonic())
        self._asking.close()

    def once(self) -> bool:
        """Ask once; whether it answered."""
        asked_ns = self._now_ns()
        role = None
        try:
            role = role_in(self._asking.get(self._plan.path)[1], self._plan.field)
        except OutOfReach:
            self.silent_since_ns = self.silent_since_ns or asked_ns
            self._sighting.silent(asked_ns, self._now_ns())
            return False
        except (NoAnswer, ValueError):
            pass
        self.silent_since_ns = None
        self._sighting.answered(asked_ns, self._now_ns(), role)
        if role is not None:
            self._belongs_to(role.region)
        return role is not None
