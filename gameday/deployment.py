"""A deployment in a few figures: what the harness asks before it calls a cluster whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class DeploymentState:
    """A deployment at one moment. `settled`: rolled out, and as many pods there, ready and available as desired."""

    name: str
    desired: int
    ready: int
    settled: bool


def state_of(deployment: Mapping[str, Any]) -> DeploymentState:
    """The state of a Deployment object as the API gives it out."""
    status, desired = deployment.get("status", {}), deployment["spec"].get("replicas", 1)
    counts = [status.get(key, 0) for key in ("replicas", "readyReplicas", "updatedReplicas", "availableReplicas")]
    current = status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 0)
    return DeploymentState(
        name=deployment["metadata"]["name"],
        desired=desired,
        ready=counts[1],
        settled=current and all(count == desired for count in counts),
    )


def is_of(pod: Mapping[str, Any], deployment: str) -> bool:
    """Whether a pod belongs to a deployment: a ReplicaSet of its name owns it, `<deployment>-<hash>`."""
    owners = [o["name"] for o in pod["metadata"].get("ownerReferences") or [] if o.get("kind") == "ReplicaSet"]
    return any(owner.rpartition("-")[0] == deployment for owner in owners)
