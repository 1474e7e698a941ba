"""What a delete request does to an object: gone at once, or marked and left to a node agent or to finalizers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from sandbox.apiserver.catalogue import Kind
from sandbox.apiserver.objects import KubeObject
from sandbox.apiserver.status import BadRequest, Conflict
from sandbox.clock import NS_PER_S, parse_timestamp, timestamp

ORPHAN = "orphan"
FOREGROUND = "foregroundDeletion"
_POLICIES = {"Orphan": ORPHAN, "Foreground": FOREGROUND, "Background": None}


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """The part of `metav1.DeleteOptions` that the server acts on."""

    grace_period_s: int | None = None
    propagation: str | None = None
    uid: str | None = None
    version: str | None = None
    dry_run: bool = False

    @classmethod
    def parse(cls, body: KubeObject) -> DeleteOptions:
        """Read the options of a request; raises BadRequest on values that mean nothing."""
        policy = body.get("propagationPolicy")
        if policy is None and "orphanDependents" in body:
            policy = "Orphan" if body["orphanDependents"] else "Background"
        if policy is not None and policy not in _POLICIES:
            raise BadRequest(f"invalid DeleteOptions: propagationPolicy: {policy!r} is none of {', '.join(_POLICIES)}")
        grace = body.get("gracePeriodSeconds")
        if grace is not None and not isinstance(grace, int):
            raise BadRequest(f"invalid DeleteOptions: gracePeriodSeconds: {grace!r} is no whole number")
        conditions = body.get("preconditions") or {}
        return cls(grace, policy, conditions.get("uid"), conditions.get("resourceVersion"), bool(body.get("dryRun")))


class Fate(Enum):
    """What becomes of the object."""

    REMOVED = "removed at once"
    MARKED = "marked as being deleted, and kept"
    UNCHANGED = "already on its way out; nothing to do"


def check_preconditions(kind: Kind, obj: KubeObject, options: DeleteOptions) -> None:
    """Raise Conflict where the object is not the one the client meant to delete."""
    metadata = obj["metadata"]
    for label, wanted, found, likely in (
        ("UID", options.uid, metadata["uid"], "deleted and then recreated"),
        ("ResourceVersion", options.version, metadata["resourceVersion"], "modified"),
    ):
        if wanted is not None and wanted != found:
            why = f"the {label} in the precondition ({wanted}) does not match the {label} in record ({found})"
            raise Conflict(kind, metadata["name"], f"{why}. The object might have been {likely}")


def begin(kind: Kind, obj: KubeObject, options: DeleteOptions, now_ns: int) -> tuple[Fate, KubeObject]:
    """Return the fate of `obj` and its state after the request, following the generic registry's graceful deletion."""
    metadata = dict(obj["metadata"])
    grace_s = _grace_period_s(kind, obj, options)
    if "deletionTimestamp" in metadata:
        left_s = metadata.get("deletionGracePeriodSeconds", 0)
        if left_s and (options.grace_period_s is None or grace_s is None or grace_s >= left_s):
            return Fate.UNCHANGED, obj
        if left_s and grace_s is not None:
            asked_ns = parse_timestamp(metadata["deletionTimestamp"]) - left_s * NS_PER_S
            metadata["deletionTimestamp"] = timestamp(asked_ns + grace_s * NS_PER_S)
            metadata["deletionGracePeriodSeconds"] = grace_s
    else:
        metadata["deletionTimestamp"] = timestamp(now_ns + (grace_s or 0) * NS_PER_S)
        if kind.kind != "Namespace":
            metadata["deletionGracePeriodSeconds"] = grace_s or 0
        if "generation" in metadata:
            metadata["generation"] += 1
    finalizers = _finalizers(metadata.get("finalizers", []), options.propagation)
    metadata.pop("finalizers", None)
    if finalizers:
        metadata["finalizers"] = finalizers
    marked = {**obj, "metadata": metadata}
    if kind.kind == "Namespace":
        marked["status"] = {**obj.get("status", {}), "phase": "Terminating"}
    return Fate.REMOVED if is_finished(marked) else Fate.MARKED, marked


def is_finished(obj: KubeObject) -> bool:
    """Whether nothing holds an object that is being deleted any longer."""
    metadata = obj["metadata"]
    held = metadata.get("deletionGracePeriodSeconds") or metadata.get("finalizers")
    namespace_held = obj.get("kind") == "Namespace" and obj.get("spec", {}).get("finalizers")
    return "deletionTimestamp" in metadata and not held and not namespace_held


def _grace_period_s(kind: Kind, obj: KubeObject, options: DeleteOptions) -> int | None:
    """Only pods are deleted gracefully, and only those that a node may be running."""
    if kind.kind != "Pod":
        return None
    unscheduled = not obj["spec"].get("nodeName")
    if unscheduled or obj["status"].get("phase") in ("Failed", "Succeeded"):
        return 0
    asked = options.grace_period_s
    grace_s: int = obj["spec"].get("terminationGracePeriodSeconds", 30) if asked is None else asked
    return max(grace_s, 1) if grace_s else 0


def _finalizers(present: list[str], propagation: str | None) -> list[str]:
    if propagation is None:
        return present
    others = [each for each in present if each not in (ORPHAN, FOREGROUND)]
    wanted = _POLICIES[propagation]
    return [*others, wanted] if wanted else others
