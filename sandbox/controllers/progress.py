"""The status of a Deployment: counts and the conditions Available and Progressing. Pure.

Facts from Kubernetes 1.34 pkg/controller/deployment (progress.go, sync.go).
"""

from __future__ import annotations

from sandbox.client import KubeObject
from sandbox.clock import NS_PER_S, parse_timestamp, timestamp
from sandbox.controllers.rollout import fence_posts, total, wished
from sandbox.objects import find_condition, merge_condition

NO_DEADLINE_S = 2**31 - 1
COUNTS = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas")


def deployment_status(
    deployment: KubeObject, new: KubeObject | None, old: list[KubeObject], now_ns: int, *, created: bool = False
) -> KubeObject:
    """The Deployment's status as its ReplicaSets now stand; `created` says that `new` was made just now."""
    known = [*old, new] if new else old
    available = total(known, "availableReplicas")
    counts = {
        "replicas": total(known, "replicas"),
        "updatedReplicas": total([new] if new else [], "replicas"),
        "readyReplicas": total(known, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, sum(map(wished, known)) - available),
    }
    status: KubeObject = {"observedGeneration": deployment["metadata"].get("generation", 0)}
    status |= {name: count for name, count in counts.items() if count}
    conditions = list(deployment.get("status", {}).get("conditions") or [])
    _, max_unavailable = fence_posts(deployment)
    if available >= wished(deployment) - max_unavailable:
        wanted = _condition("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        wanted = _condition(
            "Available", "False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability."
        )
    conditions = _set(conditions, wanted, now_ns)
    progressing = _progressing(deployment, status, new, now_ns, created=created)
    if progressing is not None:
        conditions = _set(conditions, progressing, now_ns, touch=progressing["reason"] == "ReplicaSetUpdated")
    status["conditions"] = conditions
    return status


def progress_check_s(deployment: KubeObject, status: KubeObject, now_ns: int) -> float | None:
    """Seconds until the progress deadline has to be looked at again; None where nothing is being waited for."""
    condition = find_condition({"status": status}, "Progressing")
    deadline_s = deployment["spec"].get("progressDeadlineSeconds", NO_DEADLINE_S)
    if condition is None or deadline_s == NO_DEADLINE_S or is_complete(deployment, status):
        return None
    if condition["reason"] == "ProgressDeadlineExceeded" or deployment["spec"].get("paused"):
        return None
    since_s = (now_ns - parse_timestamp(condition["lastUpdateTime"])) / NS_PER_S
    # A second more than needed, because server times are cut to whole seconds.
    return max(0.0, float(deadline_s) - since_s) + 1.0


def is_complete(deployment: KubeObject, status: KubeObject) -> bool:
    """Whether every wished pod is of the new template and available, and no other is left."""
    return all(
        status.get(count, 0) == wished(deployment) for count in ("updatedReplicas", "replicas", "availableReplicas")
    ) and status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 0)


def _progressing(
    deployment: KubeObject, status: KubeObject, new: KubeObject | None, now_ns: int, *, created: bool
) -> KubeObject | None:
    """The Progressing condition to set, None to leave it as it is."""
    deadline_s = deployment["spec"].get("progressDeadlineSeconds", NO_DEADLINE_S)
    current = find_condition(deployment, "Progressing")
    reason = current["reason"] if current else ""
    if deadline_s == NO_DEADLINE_S:
        return None
    if deployment["spec"].get("paused"):
        if reason == "ProgressDeadlineExceeded":
            return None
        return _condition("Progressing", "Unknown", "DeploymentPaused", "Deployment is paused")
    if reason == "DeploymentPaused":
        return _condition("Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed")
    if created and new:
        name = new["metadata"]["name"]
        return _condition("Progressing", "True", "NewReplicaSetCreated", f'Created new replica set "{name}"')
    if current is None and new:
        name = new["metadata"]["name"]
        return _condition("Progressing", "True", "FoundNewReplicaSet", f'Found new replica set "{name}"')
    if status.get("replicas", 0) == status.get("updatedReplicas", 0) and reason == "NewReplicaSetAvailable":
        return None
    subject = f'ReplicaSet "{new["metadata"]["name"]}"' if new else f'Deployment "{deployment["metadata"]["name"]}"'
    if is_complete(deployment, status):
        return _condition("Progressing", "True", "NewReplicaSetAvailable", f"{subject} has successfully progressed.")
    if _progressed(deployment.get("status", {}), status):
        return _condition("Progressing", "True", "ReplicaSetUpdated", f"{subject} is progressing.")
    if current and reason != "NewReplicaSetAvailable":
        since_ns = parse_timestamp(current["lastUpdateTime"])
        if reason == "ProgressDeadlineExceeded" or since_ns + deadline_s * NS_PER_S < now_ns:
            return _condition(
                "Progressing", "False", "ProgressDeadlineExceeded", f"{subject} has timed out progressing."
            )
    return None


def _progressed(before: KubeObject, after: KubeObject) -> bool:
    """Whether more new pods exist, are ready or available, or fewer old pods are left."""
    old_before = before.get("replicas", 0) - before.get("updatedReplicas", 0)
    old_after = after.get("replicas", 0) - after.get("updatedReplicas", 0)
    grown = ("updatedReplicas", "readyReplicas", "availableReplicas")
    return old_after < old_before or any(after.get(count, 0) > before.get(count, 0) for count in grown)


def _condition(kind: str, status: str, reason: str, message: str) -> KubeObject:
    return {"type": kind, "status": status, "reason": reason, "message": message}


def _set(conditions: list[KubeObject], new: KubeObject, now_ns: int, *, touch: bool = False) -> list[KubeObject]:
    """Put a condition in; one with the same status and reason stays as it is, unless `touch`ed."""
    old = next((condition for condition in conditions if condition["type"] == new["type"]), None)
    if old and (old["status"], old["reason"]) == (new["status"], new["reason"]) and not touch:
        return conditions
    return merge_condition(conditions, {**new, "lastUpdateTime": timestamp(now_ns)}, now_ns)
