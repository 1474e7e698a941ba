"""The scheduler: binds each pod without a node to the fitting node that has the fewest pods."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from sandbox.client import NODES, PODS, Conflict, EventType, Key, KubeObject, key_of
from sandbox.controllers.cluster import Cluster
from sandbox.objects import find_condition, is_active, is_ready, is_terminating, merge_condition

SOURCE = "default-scheduler"


def reason_against(pod: KubeObject, node: KubeObject) -> str | None:
    """Why the pod can't run on the node, in kube-scheduler's words; None where it can."""
    if node["spec"].get("unschedulable"):
        return "node(s) were unschedulable"
    if not is_ready(node):
        return "node(s) had untolerated taint {node.kubernetes.io/not-ready: }"
    wanted = (pod["spec"].get("nodeSelector") or {}).items()
    if not wanted <= (node["metadata"].get("labels") or {}).items():
        return "node(s) didn't match Pod's node affinity/selector"
    return None


def choose_node(pod: KubeObject, nodes: Iterable[KubeObject], pods: Iterable[KubeObject]) -> tuple[str | None, str]:
    """(name of the node for the pod, or None; why there is none, as the FailedScheduling event says it)."""
    nodes = list(nodes)
    reasons = {node["metadata"]["name"]: reason_against(pod, node) for node in nodes}
    fitting = [name for name, reason in reasons.items() if reason is None]
    if fitting:
        busy = Counter(other["spec"].get("nodeName") for other in pods if is_active(other))
        return min(fitting, key=lambda name: (busy[name], name)), ""
    counts = sorted(f"{count} {reason}" for reason, count in Counter(reasons.values()).items())
    return (
        None,
        f"0/{len(nodes)} nodes are available: {', '.join(counts)}." if nodes else "no nodes available to schedule pods",
    )


class Scheduler:
    """Looks at pods as they appear, and again at those that fitted nowhere when a node changes."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._queue = cluster.queue("scheduler", self.reconcile)
        cluster.informers[PODS].add_handler(self._pod_changed)
        cluster.informers[NODES].add_handler(self._node_changed)

    def _pod_changed(self, kind: EventType, pod: KubeObject, _old: KubeObject | None) -> None:
        if kind is EventType.ADDED and not pod["spec"].get("nodeName"):
            self._queue.add(key_of(pod))

    def _node_changed(self, _kind: EventType, _node: KubeObject, _old: KubeObject | None) -> None:
        for pod in self._cluster.all(PODS):
            if not pod["spec"].get("nodeName"):
                self._queue.add(key_of(pod))

    async def reconcile(self, key: Key) -> float | None:
        """Bind the pod, or say why that can't be done."""
        cluster = self._cluster
        pod = cluster.get(PODS, key)
        if pod is None or is_terminating(pod) or pod["spec"].get("nodeName"):
            return None
        if pod["spec"].get("schedulerName", SOURCE) != SOURCE:
            return None
        node, message = choose_node(pod, cluster.all(NODES), cluster.all(PODS))
        namespace, name = key
        if node is None:
            await self._refuse(pod, message)
            return None
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": name, "namespace": namespace, "uid": pod["metadata"]["uid"]},
            "target": {"apiVersion": "v1", "kind": "Node", "name": node},
        }
        try:
            await cluster.client.create(PODS, binding, name=name, subresource="binding")
        except Conflict:
            # Bound by someone else or replaced under the same name: the watch will tell which.
            return None
        cluster.events.record(SOURCE, pod, "Scheduled", f"Successfully assigned {namespace}/{name} to {node}")
        return None

    async def _refuse(self, pod: KubeObject, message: str) -> None:
        cluster = self._cluster
        wanted = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
        known = find_condition(pod, "PodScheduled") or {}
        if wanted.items() <= known.items():
            return
        conditions = list(pod["status"].get("conditions") or [])
        patch = {"status": {"conditions": merge_condition(conditions, wanted, cluster.clock.now_ns())}}
        namespace, name = key_of(pod)
        cluster.learn(PODS, await cluster.client.patch(PODS, name, patch, namespace, subresource="status"))
        cluster.events.record(SOURCE, pod, "FailedScheduling", message, warning=True)
