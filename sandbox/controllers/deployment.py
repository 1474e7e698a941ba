"""The Deployment controller: one ReplicaSet a pod template, and the way from one to the next.

What to do is decided in `rollout` and `progress`; this does it.
"""

from __future__ import annotations

import contextlib

from sandbox.client import (
    DEPLOYMENTS,
    PODS,
    REPLICA_SETS,
    AlreadyExists,
    EventType,
    Key,
    KubeObject,
    NotFound,
    key_of,
)
from sandbox.controllers.cluster import Cluster
from sandbox.controllers.progress import deployment_status, is_complete, progress_check_s
from sandbox.controllers.rollout import (
    REVISION,
    Scale,
    find_new,
    history_to_drop,
    new_annotations,
    new_replica_set,
    replica_annotations,
    scales,
    wished,
)
from sandbox.objects import controlled_by, controller_uid, is_terminating

SOURCE = "deployment-controller"


class DeploymentController:
    """Reconciles Deployments when they, their ReplicaSets or (for Recreate) their pods change."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._queue = cluster.queue("deployment", self.reconcile)
        cluster.informers[DEPLOYMENTS].add_handler(lambda _kind, obj, _old: self._queue.add(key_of(obj)))
        cluster.informers[REPLICA_SETS].add_handler(self._replica_set_changed)
        cluster.informers[PODS].add_handler(self._pod_changed)

    def _replica_set_changed(self, _kind: EventType, replica_set: KubeObject, _old: KubeObject | None) -> None:
        for owner in replica_set["metadata"].get("ownerReferences") or []:
            if owner["kind"] == DEPLOYMENTS.kind and owner.get("controller"):
                self._queue.add((replica_set["metadata"]["namespace"], owner["name"]))

    def _pod_changed(self, kind: EventType, pod: KubeObject, _old: KubeObject | None) -> None:
        """Recreate waits for the last old pod to be gone, which no ReplicaSet's status tells."""
        if kind is not EventType.DELETED:
            return
        uid, namespace = controller_uid(pod), pod["metadata"]["namespace"]
        for replica_set in self._cluster.all(REPLICA_SETS, namespace):
            if replica_set["metadata"]["uid"] == uid:
                self._replica_set_changed(kind, replica_set, None)

    async def reconcile(self, key: Key) -> float | None:
        """Take the next step of the rollout, then write the status."""
        cluster = self._cluster
        deployment = cluster.get(DEPLOYMENTS, key)
        if deployment is None or is_terminating(deployment):
            return None
        owned = controlled_by(deployment, cluster.all(REPLICA_SETS, key[0]))
        new = find_new(deployment, owned)
        old = [replica_set for replica_set in owned if replica_set is not new]
        created = False
        if not deployment["spec"].get("paused"):
            if new is None and self._may_create(deployment, old):
                new, created = await self._create(deployment, old), True
            if new is not None:
                deployment = await self._sync_revision(deployment, new, old)
                new = cluster.get(REPLICA_SETS, key_of(new)) or new
        for step in scales(deployment, new, old):
            await self._scale(deployment, step)
        now_ns = cluster.clock.now_ns()
        new = (cluster.get(REPLICA_SETS, key_of(new)) or new) if new else None
        old = [cluster.get(REPLICA_SETS, key_of(replica_set)) or replica_set for replica_set in old]
        status = deployment_status(deployment, new, old, now_ns, created=created)
        if status != deployment.get("status"):
            changed = {**deployment, "status": status}
            deployment = cluster.learn(DEPLOYMENTS, await cluster.client.update_status(DEPLOYMENTS, changed))
        if is_complete(deployment, status):
            for replica_set in history_to_drop(deployment, old):
                await self._drop(replica_set)
        return progress_check_s(deployment, status, now_ns)

    def _may_create(self, deployment: KubeObject, old: list[KubeObject]) -> bool:
        """Recreate must not have two generations of pods at once; a rolling update may."""
        if deployment["spec"].get("strategy", {}).get("type") != "Recreate":
            return True
        uids = {replica_set["metadata"]["uid"] for replica_set in old}
        return not any(map(wished, old)) and not any(
            controller_uid(pod) in uids and pod["status"].get("phase") not in ("Succeeded", "Failed")
            for pod in self._cluster.all(PODS, deployment["metadata"]["namespace"])
        )

    async def _create(self, deployment: KubeObject, old: list[KubeObject]) -> KubeObject:
        cluster = self._cluster
        wanted = new_replica_set(deployment, old)
        try:
            created = cluster.learn(REPLICA_SETS, await cluster.client.create(REPLICA_SETS, wanted))
        except AlreadyExists:
            # An answer that was lost on its way: the name is made of the template, so it is the one that was meant.
            return cluster.learn(REPLICA_SETS, await cluster.client.get(REPLICA_SETS, *reversed(key_of(wanted))))
        if wished(created):
            self._tell_scaled(deployment, created["metadata"]["name"], 0, wished(created))
        return created

    async def _sync_revision(self, deployment: KubeObject, new: KubeObject, old: list[KubeObject]) -> KubeObject:
        """Copy annotations and minReadySeconds to the new ReplicaSet, and its revision to the Deployment."""
        cluster = self._cluster
        annotations = new_annotations(deployment, new, old)
        min_ready_s = deployment["spec"].get("minReadySeconds", 0)
        if annotations != new["metadata"].get("annotations") or min_ready_s != new["spec"].get("minReadySeconds", 0):
            patch = {"metadata": {"annotations": annotations}, "spec": {"minReadySeconds": min_ready_s or None}}
            namespace, name = key_of(new)
            cluster.learn(REPLICA_SETS, await cluster.client.patch(REPLICA_SETS, name, patch, namespace))
        if (deployment["metadata"].get("annotations") or {}).get(REVISION) == annotations[REVISION]:
            return deployment
        patch = {"metadata": {"annotations": {REVISION: annotations[REVISION]}}}
        namespace, name = key_of(deployment)
        return cluster.learn(DEPLOYMENTS, await cluster.client.patch(DEPLOYMENTS, name, patch, namespace))

    async def _scale(self, deployment: KubeObject, step: Scale) -> None:
        cluster, meta = self._cluster, step.replica_set["metadata"]
        patch = {
            # With the version that the decision rests on: a change in between makes it a conflict, and it is made anew.
            "metadata": {
                "annotations": replica_annotations(deployment),
                "resourceVersion": meta["resourceVersion"],
            },
            "spec": {"replicas": step.replicas},
        }
        answer = await cluster.client.patch(REPLICA_SETS, meta["name"], patch, meta["namespace"])
        cluster.learn(REPLICA_SETS, answer)
        self._tell_scaled(deployment, meta["name"], wished(step.replica_set), step.replicas)

    def _tell_scaled(self, deployment: KubeObject, name: str, before: int, after: int) -> None:
        way = "up" if after > before else "down"
        message = f"Scaled {way} replica set {name} from {before} to {after}"
        self._cluster.events.record(SOURCE, deployment, "ScalingReplicaSet", message)

    async def _drop(self, replica_set: KubeObject) -> None:
        namespace, name = key_of(replica_set)
        with contextlib.suppress(NotFound):
            await self._cluster.client.delete(REPLICA_SETS, name, namespace, uid=replica_set["metadata"]["uid"])
