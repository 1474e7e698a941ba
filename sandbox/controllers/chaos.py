"""What Chaos Mesh does with any experiment: hold it, select once, inject, record, and recover when it is over.

Facts from Chaos Mesh controllers/common (finalizers, desiredphase, records, condition) and controllers/utils/recorder.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from random import Random, SystemRandom
from typing import Protocol

from sandbox.client import NODES, PODS, ApiError, Key, KubeObject, NotFound, Resource, key_of
from sandbox.clock import NS_PER_S, parse_timestamp, timestamp
from sandbox.controllers.cluster import Cluster
from sandbox.controllers.selection import NothingSelected, chosen, selected
from sandbox.durations import duration_ns
from sandbox.objects import is_terminating

FINALIZER = "chaos-mesh/records"
PAUSE = "experiment.chaos-mesh.org/pause"
CLEAN = "chaos-mesh.chaos-mesh.org/cleanFinalizer"
RUN, STOP = "Run", "Stop"
INJECTED, NOT_INJECTED = "Injected", "Not Injected"
RETRY_S = 0.5
MOST_EVENTS = 100


class Failed(Exception):
    """A pod can't be injected, or can't be recovered, for now."""


class Injector(Protocol):
    """What differs from kind to kind."""

    resource: Resource
    one_shot: bool
    """Whether it has happened as soon as it has begun: it runs until it is deleted, and nothing is recovered."""

    async def apply(self, chaos: KubeObject, record: KubeObject, records: list[KubeObject]) -> None:
        """Inject the fault into the pod of `record`. Raises Failed."""
        ...

    async def recover(self, chaos: KubeObject, record: KubeObject) -> None:
        """Take the fault away; a pod that is gone has recovered. Raises Failed."""
        ...


@dataclass(frozen=True)
class Wish:
    """Whether an experiment is to run now, the event (reason, message) of a change, and when to ask again."""

    phase: str
    event: tuple[str, str] | None = None
    again_s: float | None = None


def wish(chaos: KubeObject, one_shot: bool, now_ns: int) -> Wish:
    """What is wanted of an experiment now. Its duration counts from its creation, whose time has whole seconds."""
    meta = chaos["metadata"]
    if is_terminating(chaos):
        return Wish(STOP, ("Deleted", "Experiment has been deleted"))
    if one_shot:
        return Wish(RUN)
    again_s = None
    if duration := chaos["spec"].get("duration"):
        left_ns = parse_timestamp(meta["creationTimestamp"]) + duration_ns(duration) - now_ns
        if left_ns < 0:
            return Wish(STOP, ("TimeUp", "Time up according to the duration"))
        again_s = (left_ns + 1) / NS_PER_S
    if (meta.get("annotations") or {}).get(PAUSE) == "true":
        return Wish(STOP, ("Paused", "Experiment has been paused"), again_s)
    return Wish(RUN, ("Started", "Experiment has started"), again_s)


def pod_key(record: KubeObject) -> Key:
    """Which pod a record is about."""
    namespace, _, name = record["id"].partition("/")
    return namespace, name


def conditions(chaos: KubeObject, records: list[KubeObject]) -> list[KubeObject]:
    """The conditions of an experiment with these records."""
    phases = {each["phase"] for each in records}
    paused = (chaos["metadata"].get("annotations") or {}).get(PAUSE) == "true"
    states = {
        "Selected": bool(records),
        "AllInjected": phases == {INJECTED},
        "AllRecovered": phases == {NOT_INJECTED},
        "Paused": paused,
    }
    return [{"type": kind, "status": str(holds)} for kind, holds in states.items()]


class ChaosController:
    """Acts on the experiments of one kind."""

    def __init__(self, cluster: Cluster, injector: Injector, random: Random | None = None) -> None:
        self._cluster = cluster
        self._injector = injector
        self._random = random or SystemRandom()
        self._retries: dict[tuple[str, str], int] = {}
        """When what failed is tried again, by the experiment's UID and the phase that is wanted of it."""
        self._queue = cluster.queue(injector.resource.plural, self.reconcile)
        cluster.informers[injector.resource].add_handler(lambda _kind, obj, _old: self._queue.add(key_of(obj)))

    async def reconcile(self, key: Key) -> float | None:
        """Bring an experiment a step further."""
        chaos = self._cluster.get(self._injector.resource, key)
        if chaos is None:
            return None
        try:
            chaos = await self._hold(chaos)
            wanted = wish(chaos, self._injector.one_shot, self._cluster.clock.now_ns())
            chaos = await self._want(chaos, wanted)
            again_s = self._left_s(chaos, wanted.phase)
            if again_s is None:
                records, failed = await self._act(chaos, wanted.phase)
                chaos = await self._report(chaos, records)
                await self._let_go(chaos, records)
                again_s = self._try_again(chaos, wanted.phase) if failed else None
        except NotFound:
            return None
        return min((each for each in (again_s, wanted.again_s) if each is not None), default=None)

    def _left_s(self, chaos: KubeObject, phase: str) -> float | None:
        """How long what failed is still to be left alone: noting a failure changes the experiment, which calls us."""
        due_ns = self._retries.get((chaos["metadata"]["uid"], phase))
        if due_ns is None:
            return None
        left_s = (due_ns - self._cluster.clock.now_ns()) / NS_PER_S
        if left_s > 0:
            return left_s
        del self._retries[chaos["metadata"]["uid"], phase]
        return None

    def _try_again(self, chaos: KubeObject, phase: str) -> float:
        self._retries[chaos["metadata"]["uid"], phase] = self._cluster.clock.now_ns() + int(RETRY_S * NS_PER_S)
        return RETRY_S

    async def _hold(self, chaos: KubeObject) -> KubeObject:
        """See to it that it stays until it has recovered."""
        finalizers = chaos["metadata"].get("finalizers") or []
        if is_terminating(chaos) or FINALIZER in finalizers:
            return chaos
        self._say("initFinalizers", chaos, "FinalizerInited", "Finalizer has been inited")
        chaos = await self._patch(chaos, {"metadata": {"finalizers": [*finalizers, FINALIZER]}})
        self._updated("initFinalizers", chaos, "finalizer")
        return chaos

    async def _want(self, chaos: KubeObject, wanted: Wish) -> KubeObject:
        if _experiment(chaos).get("desiredPhase") == wanted.phase:
            return chaos
        if wanted.event is not None:
            self._say("desiredphase", chaos, *wanted.event)
        chaos = await self._patch(chaos, {"status": {"experiment": {"desiredPhase": wanted.phase}}})
        self._updated("desiredphase", chaos, "desiredPhase")
        return chaos

    async def _act(self, chaos: KubeObject, phase: str) -> tuple[list[KubeObject], bool]:
        """Inject or recover what has to be; returns the records, and whether anything failed."""
        records = copy.deepcopy(_experiment(chaos).get("containerRecords") or [])
        if not records and phase == RUN:
            try:
                records = self._select(chaos)
            except NothingSelected as error:
                self._say("records", chaos, "Failed", f"Failed to select targets: {error}", warning=True)
        failed = False
        for record in records:
            if phase == RUN and record["phase"] == NOT_INJECTED:
                failed |= not await self._try(chaos, record, records, "Apply")
            elif phase == STOP and record["phase"] == INJECTED:
                failed |= not await self._try(chaos, record, records, "Recover")
        return records, failed

    def _select(self, chaos: KubeObject) -> list[KubeObject]:
        """The records of an experiment that begins. Raises NothingSelected."""
        cluster, spec, records = self._cluster, chaos["spec"], []
        parts = {".": spec, ".Target": spec.get("target")}
        for selector_key, part in parts.items():
            if part is None:
                continue
            found = selected(part["selector"], cluster.all(PODS), cluster.all(NODES))
            picked = chosen(part["mode"], part.get("value", ""), found, self._random)
            if not picked:
                raise NothingSelected("no target has been selected")
            for pod in picked:
                identity = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
                counts = {"injectedCount": 0, "recoveredCount": 0}
                records.append({"id": identity, "selectorKey": selector_key, "phase": NOT_INJECTED, **counts})
        return records

    async def _try(self, chaos: KubeObject, record: KubeObject, records: list[KubeObject], operation: str) -> bool:
        """Inject or recover one pod and note how that went; whether it did."""
        applies = operation == "Apply"
        event = {"operation": operation, "timestamp": timestamp(self._cluster.clock.now_ns())}
        record["events"] = record.get("events", [])[-MOST_EVENTS + 1 :]
        try:
            if applies:
                await self._injector.apply(chaos, record, records)
            else:
                await self._injector.recover(chaos, record)
        except (Failed, ApiError) as error:
            record["events"].append({"type": "Failed", "message": str(error), **event})
            self._say("records", chaos, "Failed", f"Failed to {operation.lower()} chaos: {error}", warning=True)
            return False
        record["events"].append({"type": "Succeeded", **event})
        record["phase"] = INJECTED if applies else NOT_INJECTED
        record["injectedCount" if applies else "recoveredCount"] += 1
        reason = "Applied" if applies else "Recovered"
        self._say("records", chaos, reason, f"Successfully {operation.lower()} chaos for {record['id']}")
        return True

    async def _report(self, chaos: KubeObject, records: list[KubeObject]) -> KubeObject:
        status: KubeObject = {"conditions": conditions(chaos, records)}
        known = _experiment(chaos).get("containerRecords") or []
        if records != known:
            status["experiment"] = {"containerRecords": records}
        elif status["conditions"] == chaos.get("status", {}).get("conditions"):
            return chaos
        chaos = await self._patch(chaos, {"status": status})
        if records != known:
            self._updated("records", chaos, "records")
        return chaos

    async def _let_go(self, chaos: KubeObject, records: list[KubeObject]) -> None:
        """Let a deleted experiment go once nothing is injected any more."""
        forced = (chaos["metadata"].get("annotations") or {}).get(CLEAN) == "forced"
        recovered = all(each["phase"] == NOT_INJECTED for each in records)
        if is_terminating(chaos) and chaos["metadata"].get("finalizers") and (recovered or forced):
            self._retries.pop((chaos["metadata"]["uid"], RUN), None)
            # Chaos Mesh gives this event the reason of its contrary.
            self._say("initFinalizers", chaos, "FinalizerInited", "Finalizer has been removed")
            name, namespace = chaos["metadata"]["name"], chaos["metadata"]["namespace"]
            await self._cluster.client.patch(self._injector.resource, name, {"metadata": {"finalizers": []}}, namespace)
            self._updated("initFinalizers", chaos, "finalizer")

    async def _patch(self, chaos: KubeObject, patch: KubeObject) -> KubeObject:
        meta, resource = chaos["metadata"], self._injector.resource
        # The UID: what has taken its name meanwhile is another experiment.
        guarded = {**patch, "metadata": {"uid": meta["uid"], **patch.get("metadata", {})}}
        answer = await self._cluster.client.patch(resource, meta["name"], guarded, meta["namespace"])
        return self._cluster.learn(resource, answer)

    def _updated(self, source: str, chaos: KubeObject, part: str) -> None:
        self._say(source, chaos, "Updated", f"Successfully update {part} of resource")

    def _say(self, source: str, chaos: KubeObject, reason: str, message: str, *, warning: bool = False) -> None:
        self._cluster.events.record(source, chaos, reason, message, warning=warning)


def _experiment(chaos: KubeObject) -> KubeObject:
    found: KubeObject = chaos.get("status", {}).get("experiment", {})
    return found
