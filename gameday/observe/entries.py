"""From a Kubernetes object to a timeline entry: only what the scorer and a reader of the timeline need."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bundle.timeline import Attribute, Entry
from gameday.chaosmesh import WATCHED, conditions_of
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
    experiment, true = (resource.get("status") or {}).get("experiment") or {}, conditions_of(resource)
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


def autoscaler_attributes(autoscaler: KubeObject) -> dict[str, Attribute]:
    """What a HorizontalPodAutoscaler scales and wants, its CPU and the target of that in per cent, its conditions."""
    spec, status = autoscaler.get("spec", {}), autoscaler.get("status", {})
    window = spec.get("behavior", {}).get("scaleDown", {}).get("stabilizationWindowSeconds")
    conditions = status.get("conditions") or []
    return {
        "target": spec.get("scaleTargetRef", {}).get("name", ""),
        "min": spec.get("minReplicas", 1),
        "max": spec.get("maxReplicas"),
        "current": status.get("currentReplicas"),
        "desired": status.get("desiredReplicas"),
        "cpu_percent": cpu_utilisation(status.get("currentMetrics"), "current"),
        "cpu_target_percent": cpu_utilisation(spec.get("metrics"), "target"),
        "stabilization_s": window,
        "last_scale": status.get("lastScaleTime"),
        "conditions": {condition["type"]: condition["status"] for condition in conditions},
    }


def cpu_utilisation(metrics: Sequence[KubeObject] | None, side: str) -> int | None:
    """The `averageUtilization` of the resource `cpu` among an autoscaler's metrics; None where there is none.

    side: `target` in its spec, `current` in its status.
    """
    for metric in metrics or []:
        resource = metric.get("resource") or {}
        if metric.get("type") == "Resource" and resource.get("name") == "cpu":
            figure = (resource.get(side) or {}).get("averageUtilization")
            return None if figure is None else int(figure)
    return None


def slice_attributes(endpoints: KubeObject) -> dict[str, Attribute]:
    """The service of an EndpointSlice, and the pods that are given traffic by it."""
    return {
        "service": (endpoints["metadata"].get("labels") or {}).get("kubernetes.io/service-name", ""),
        "ready": [
            endpoint["targetRef"]["name"]
            for endpoint in endpoints.get("endpoints") or []
            # left out, `ready` is unknown, which consumers are told to take for ready
            if (endpoint.get("conditions") or {}).get("ready", True) and endpoint.get("targetRef", {}).get("name")
        ],
    }


ATTRIBUTES: Mapping[str, Callable[[KubeObject], dict[str, Attribute]]] = {
    "pods": pod_attributes,
    "deployments": deployment_attributes,
    "autoscalers": autoscaler_attributes,
    "endpointslices": slice_attributes,
    **dict.fromkeys(WATCHED, chaos_attributes),
}
"""What can be watched, and how each object is summed up."""

ALWAYS = ("pods", "deployments")
"""What is watched in every drill."""
OF_SCALING = ("autoscalers", "endpointslices")
"""What is watched besides where the drill is about an autoscaler."""

_KINDS = {"autoscalers": "hpa", **dict.fromkeys(WATCHED, "chaos")}
"""What an entry of these is called, where that isn't their singular."""


def entry_of(change: Change, *, watches: str, context: str, earliest_ns: int, latest_ns: int) -> Entry:
    """The timeline entry of one change of a watched object."""
    meta: Mapping[str, Any] = change.obj["metadata"]
    attributes = ATTRIBUTES[watches](change.obj)
    if watches in WATCHED:
        attributes["resource"] = watches
    return Entry(
        kind=_KINDS.get(watches, watches.removesuffix("s")),
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
