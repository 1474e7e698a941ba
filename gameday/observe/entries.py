"""From a Kubernetes object to a timeline entry: only what the scorer and a reader of the timeline need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bundle.timeline import Attribute, Entry
from gameday.chaosmesh import WATCHED
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


def chaos_attributes(resource: KubeObject) -> dict[str, Attribute]:
    """How far a resource of Chaos Mesh has come, and which pods it chose."""
    status = resource.get("status") or {}
    experiment = status.get("experiment") or {}
    true = {each["type"] for each in status.get("conditions") or [] if each["status"] == "True"}
    # an id is NAMESPACE/POD, and goes on where a container is meant
    pods = {record["id"].split("/")[1] for record in experiment.get("containerRecords") or []}
    return {
        "phase": experiment.get("desiredPhase", ""),
        "selected": "Selected" in true,
        "injected": "AllInjected" in true,
        "recovered": "AllRecovered" in true,
        "deleting": "deletionTimestamp" in resource["metadata"],
        "pods": sorted(pods),
        "labels": dict(resource["metadata"].get("labels") or {}),
    }


ATTRIBUTES: Mapping[str, Callable[[KubeObject], dict[str, Attribute]]] = {
    "pods": pod_attributes,
    "deployments": deployment_attributes,
    **dict.fromkeys(WATCHED, chaos_attributes),
}
"""What can be watched, and how each object is summed up."""
ALWAYS = ("pods", "deployments")
"""What is watched in every drill."""


def entry_of(change: Change, *, watches: str, context: str, earliest_ns: int, latest_ns: int) -> Entry:
    """The timeline entry of one change of a watched object."""
    meta: Mapping[str, Any] = change.obj["metadata"]
    attributes = ATTRIBUTES[watches](change.obj)
    if watches in WATCHED:
        attributes["resource"] = watches
    return Entry(
        kind="chaos" if watches in WATCHED else watches.removesuffix("s"),
        event=change.event,
        earliest_ns=earliest_ns,
        latest_ns=latest_ns,
        context=context,
        namespace=meta.get("namespace", ""),
        name=meta["name"],
        uid=meta["uid"],
        source="watch",
        attributes=attributes,
    )
