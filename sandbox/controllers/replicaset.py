"""The ReplicaSet controller: keeps as many active pods as the ReplicaSet wishes.

Facts from Kubernetes 1.34 pkg/controller/replicaset and pkg/controller/controller_utils.go.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

from sandbox.client import PODS, REPLICA_SETS, EventType, Key, KubeObject, NotFound, key_of
from sandbox.clock import parse_timestamp
from sandbox.controllers.cluster import Cluster
from sandbox.objects import (
    available_in_s,
    controlled_by,
    controller_reference,
    find_condition,
    is_active,
    is_ready,
    is_terminating,
)

SOURCE = "replicaset-controller"
PHASE_ORDER = {"Pending": 0, "Unknown": 1, "Running": 2}


@dataclass(frozen=True)
class Difference:
    """What is to be done to a ReplicaSet's pods."""

    create: int
    delete: list[KubeObject]


def deletion_rank(pod: KubeObject) -> tuple[object, ...]:
    """Sorts the pods that go first to the front.

    Unscheduled before scheduled, pending before running, unready before ready, cheaper `pod-deletion-cost` first, more
    lately ready first, more restarts first, younger first. (Kubernetes compares ages on a logarithmic scale, so that
    among pods of like age the choice is by UID; the strict order here picks one of those it might pick.)
    """
    status = pod.get("status", {})
    annotations = pod["metadata"].get("annotations") or {}
    ready = is_ready(pod)
    ready_ns = parse_timestamp((find_condition(pod, "Ready") or {})["lastTransitionTime"]) if ready else 0
    restarts = max((container["restartCount"] for container in status.get("containerStatuses") or []), default=0)
    return (
        bool(pod["spec"].get("nodeName")),
        PHASE_ORDER.get(status.get("phase", "Pending"), 0),
        ready,
        int(annotations.get("controller.kubernetes.io/pod-deletion-cost", 0)),
        -ready_ns,
        -restarts,
        -parse_timestamp(pod["metadata"]["creationTimestamp"]),
        pod["metadata"]["uid"],
    )


def difference(replica_set: KubeObject, pods: list[KubeObject]) -> Difference:
    """How many pods to create, or which to delete, for the ReplicaSet to have the number it wishes."""
    active = [pod for pod in pods if is_active(pod)]
    surplus = len(active) - replica_set["spec"]["replicas"]
    if surplus <= 0:
        return Difference(-surplus, [])
    return Difference(0, sorted(active, key=deletion_rank)[:surplus])


def pod_from_template(replica_set: KubeObject) -> KubeObject:
    """A new pod of the ReplicaSet, to be named by the server."""
    template = copy.deepcopy(replica_set["spec"]["template"])
    meta = template.get("metadata") or {}
    return {
        "metadata": {
            "generateName": f"{replica_set['metadata']['name']}-",
            "namespace": replica_set["metadata"]["namespace"],
            "labels": meta.get("labels") or {},
            "annotations": meta.get("annotations") or {},
            "ownerReferences": [controller_reference(replica_set, REPLICA_SETS)],
        },
        "spec": template["spec"],
    }


def replica_set_status(replica_set: KubeObject, pods: list[KubeObject], now_ns: int) -> tuple[KubeObject, float | None]:
    """The ReplicaSet's new status, and after how many seconds a ready pod will have become available (None: none)."""
    active = [pod for pod in pods if is_active(pod)]
    spec = replica_set["spec"]
    template_labels = (spec["template"].get("metadata") or {}).get("labels") or {}
    waits = [available_in_s(pod, spec.get("minReadySeconds", 0), now_ns) for pod in active]
    counts = {
        "replicas": len(active),
        "fullyLabeledReplicas": sum(template_labels.items() <= pod["metadata"]["labels"].items() for pod in active),
        "readyReplicas": sum(wait is not None for wait in waits),
        "availableReplicas": sum(wait == 0 for wait in waits),
    }
    status = {key: count for key, count in counts.items() if count or key == "replicas"}
    status["observedGeneration"] = replica_set["metadata"].get("generation", 0)
    return status, min((wait for wait in waits if wait), default=None)


class ReplicaSetController:
    """Creates and deletes pods; `Informer.learn` takes the place of Kubernetes' expectations: own writes are seen."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._queue = cluster.queue("replicaset", self.reconcile)
        cluster.informers[REPLICA_SETS].add_handler(lambda _kind, obj, _old: self._queue.add(key_of(obj)))
        cluster.informers[PODS].add_handler(self._pod_changed)

    def _pod_changed(self, _kind: EventType, pod: KubeObject, _old: KubeObject | None) -> None:
        for owner in pod["metadata"].get("ownerReferences") or []:
            if owner["kind"] == REPLICA_SETS.kind and owner.get("controller"):
                self._queue.add((pod["metadata"]["namespace"], owner["name"]))

    async def reconcile(self, key: Key) -> float | None:
        """Create or delete pods, then write the status."""
        cluster = self._cluster
        replica_set = cluster.get(REPLICA_SETS, key)
        if replica_set is None:
            return None
        namespace = key[0]
        if not is_terminating(replica_set):
            todo = difference(replica_set, controlled_by(replica_set, cluster.all(PODS, namespace)))
            for _ in range(todo.create):
                pod = cluster.learn(PODS, await cluster.client.create(PODS, pod_from_template(replica_set)))
                cluster.events.record(
                    SOURCE, replica_set, "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}"
                )
            for pod in todo.delete:
                await self._delete(replica_set, pod)
        pods = controlled_by(replica_set, cluster.all(PODS, namespace))
        status, again_s = replica_set_status(replica_set, pods, cluster.clock.now_ns())
        if status != replica_set.get("status"):
            # A full update, guarded by resourceVersion: counts computed from an older spec must not win.
            changed = {**replica_set, "status": status}
            cluster.learn(REPLICA_SETS, await cluster.client.update_status(REPLICA_SETS, changed))
        return again_s

    async def _delete(self, replica_set: KubeObject, pod: KubeObject) -> None:
        cluster, meta = self._cluster, pod["metadata"]
        try:
            answer = await cluster.client.delete(PODS, meta["name"], meta["namespace"], uid=meta["uid"])
        except NotFound:
            return
        if answer.get("kind") == PODS.kind:
            cluster.learn(PODS, answer)
        cluster.events.record(SOURCE, replica_set, "SuccessfulDelete", f"Deleted pod: {meta['name']}")
