"""How Kubernetes objects are read and written here: owners, conditions, readiness, selectors. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.client import KubeObject, Resource
from sandbox.clock import NS_PER_S, parse_timestamp, timestamp


def controller_reference(owner: KubeObject, resource: Resource) -> KubeObject:
    """The owner reference by which `owner` controls a new object."""
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def controller_uid(obj: KubeObject) -> str | None:
    """UID of the object that controls this one."""
    owners = obj["metadata"].get("ownerReferences") or []
    return next((owner["uid"] for owner in owners if owner.get("controller")), None)


def controlled_by(owner: KubeObject, objects: Iterable[KubeObject]) -> list[KubeObject]:
    """Those of the objects that `owner` controls, in the order of their names."""
    uid = owner["metadata"]["uid"]
    return sorted((obj for obj in objects if controller_uid(obj) == uid), key=lambda obj: str(obj["metadata"]["name"]))


def is_terminating(obj: KubeObject) -> bool:
    """Whether its deletion has been asked for."""
    return obj["metadata"].get("deletionTimestamp") is not None


def is_active(pod: KubeObject) -> bool:
    """Whether a pod counts as a replica: neither finished nor being deleted."""
    return pod.get("status", {}).get("phase") not in ("Succeeded", "Failed") and not is_terminating(pod)


def find_condition(obj: KubeObject, kind: str) -> KubeObject | None:
    """One condition of the object's status."""
    conditions: list[KubeObject] = obj.get("status", {}).get("conditions") or []
    return next((condition for condition in conditions if condition["type"] == kind), None)


def is_ready(pod: KubeObject) -> bool:
    """Whether the pod's Ready condition holds."""
    return (find_condition(pod, "Ready") or {}).get("status") == "True"


def available_in_s(pod: KubeObject, min_ready_s: int, now_ns: int) -> float | None:
    """Seconds until the pod counts as available (0: it does already); None while it isn't ready."""
    condition = find_condition(pod, "Ready")
    if condition is None or condition["status"] != "True":
        return None
    if not min_ready_s:
        return 0.0
    since_ns = parse_timestamp(condition["lastTransitionTime"])
    return max(0.0, (since_ns - now_ns) / NS_PER_S + min_ready_s)


def merge_condition(conditions: list[KubeObject], new: KubeObject, now_ns: int) -> list[KubeObject]:
    """The conditions with `new` in its place; `lastTransitionTime` moves only when its status does."""
    old = next((condition for condition in conditions if condition["type"] == new["type"]), None)
    kept = old is not None and old["status"] == new["status"] and "lastTransitionTime" in old
    stamped = {**new, "lastTransitionTime": old["lastTransitionTime"] if old and kept else timestamp(now_ns)}
    if old is None:
        return [*conditions, stamped]
    return [stamped if condition is old else condition for condition in conditions]


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a LabelSelector (`matchLabels` and `matchExpressions`) selects these labels."""
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    for expression in selector.get("matchExpressions") or []:
        value, values = labels.get(expression["key"]), expression.get("values") or []
        holds = {
            "In": value in values,
            "NotIn": value not in values,
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }[expression["operator"]]
        if not holds:
            return False
    return True
