"""From a Kubernetes object to a timeline entry: only what the scorer and a reader of the timeline need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bundle.timeline import Attribute, Entry
from gameday.observe.reflector import Change, KubeObject


def pod_attributes(pod: KubeObject) -> dict[str, Attribute]:
    """Readiness, phase, restarts, the reason a container waits, and the labels of a pod."""
    status = pod.get("status", {})
    containers = status.get("containerStatuses") or []
    waiting = [c["state"]["waiting"].get("reason", "") for c in containers if "waiting" in c.get("state", {})]
    return {
        "ready": any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions") or []),
        "phase": status.get("phase", ""),
        "deleting": "deletionTimestamp" in pod["metadata"],
        "started": any("running" in c.get("state", {}) for c in containers),
        "restarts": sum(c.get("restartCount", 0) for c in containers),
        "waiting": waiting[0] if waiting else "",
        "labels": dict(pod["metadata"].get("labels") or {}),
    }


def deployment_attributes(deployment: KubeObject) -> dict[str, Attribute]:
    """Desired, ready, available and updated replicas, and the labels of a deployment.

    The ready count is that of the pods of every revision, as `kubectl get deployments` shows it.
    """
    status = deployment.get("status", {})
    return {
        "desired": deployment.get("spec", {}).get("replicas", 1),
        "ready": status.get("readyReplicas", 0),
        "available": status.get("availableReplicas", 0),
        "updated": status.get("updatedReplicas", 0),
        "observed": status.get("observedGeneration", 0) == deployment["metadata"].get("generation", 0),
        "labels": dict(deployment["metadata"].get("labels") or {}),
    }


ATTRIBUTES: Mapping[str, Callable[[KubeObject], dict[str, Attribute]]] = {
    "pods": pod_attributes,
    "deployments": deployment_attributes,
}
"""What is watched, and how each object is summed up."""


def entry_of(change: Change, *, watches: str, context: str, earliest_ns: int, latest_ns: int) -> Entry:
    """The timeline entry of one change of a watched object."""
    meta: Mapping[str, Any] = change.obj["metadata"]
    return Entry(
        kind=watches.removesuffix("s"),
        event=change.event,
        earliest_ns=earliest_ns,
        latest_ns=latest_ns,
        context=context,
        namespace=meta.get("namespace", ""),
        name=meta["name"],
        uid=meta["uid"],
        source="watch",
        attributes=ATTRIBUTES[watches](change.obj),
    )
