"""What a Deployment's rollout needs next: pure decisions over the Deployment and its ReplicaSets.

Facts from Kubernetes 1.34 pkg/controller/deployment (rolling.go, recreate.go, sync.go, util). Left out: proportional
scaling of several active ReplicaSets, and `collisionCount`.
"""

from __future__ import annotations

import copy
import json
import math
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sandbox.client import DEPLOYMENTS, KubeObject
from sandbox.objects import controller_reference

HASH_LABEL = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
REVISION_HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED_REPLICAS = "deployment.kubernetes.io/desired-replicas"
MAX_REPLICAS = "deployment.kubernetes.io/max-replicas"
NOT_COPIED = {
    "kubectl.kubernetes.io/last-applied-configuration",
    "deprecated.deployment.rollback.to",
    REVISION,
    REVISION_HISTORY,
    DESIRED_REPLICAS,
    MAX_REPLICAS,
}
SAFE_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""Kubernetes' alphabet for generated names: no vowels and no 0, 1, 3, so that no words come out."""


@dataclass(frozen=True)
class Scale:
    """Give a ReplicaSet another size."""

    replica_set: KubeObject
    replicas: int


def wished(obj: KubeObject) -> int:
    """`spec.replicas` of a Deployment or ReplicaSet."""
    return int(obj["spec"]["replicas"])


def total(replica_sets: Iterable[KubeObject], count: str) -> int:
    """Sum of one count over the statuses of ReplicaSets."""
    return sum(int(replica_set.get("status", {}).get(count, 0)) for replica_set in replica_sets)


def scaled(value: int | str, replicas: int, *, up: bool) -> int:
    """An int-or-percentage of the replicas, a percentage rounded up or down."""
    if isinstance(value, int):
        return value
    share = replicas * int(value.rstrip("%")) / 100
    return math.ceil(share) if up else math.floor(share)


def fence_posts(deployment: KubeObject) -> tuple[int, int]:
    """(maxSurge, maxUnavailable) in pods; both 0 would never move, so then one may be unavailable."""
    strategy = deployment["spec"].get("strategy", {})
    replicas = wished(deployment)
    if strategy.get("type") == "Recreate":
        return 0, 0
    rolling = strategy.get("rollingUpdate") or {}
    surge = scaled(rolling.get("maxSurge", "25%"), replicas, up=True)
    unavailable = scaled(rolling.get("maxUnavailable", "25%"), replicas, up=False)
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return surge, min(unavailable, replicas)


def template_hash(template: KubeObject) -> str:
    """The pod-template-hash: a 32-bit checksum's decimal digits, put into the safe alphabet digit by digit."""
    digits = str(zlib.crc32(json.dumps(without_empty(template), sort_keys=True).encode()))
    return "".join(SAFE_ALPHABET[ord(digit) % len(SAFE_ALPHABET)] for digit in digits)


def bare_template(obj: KubeObject) -> KubeObject:
    """A copy of the pod template without what the Deployment controller adds to it."""
    template: KubeObject = copy.deepcopy(obj["spec"]["template"])
    meta = template.setdefault("metadata", {})
    meta.pop("creationTimestamp", None)
    (meta.get("labels") or {}).pop(HASH_LABEL, None)
    return template


def without_empty(value: Any) -> Any:
    """The value without empty maps and lists in it: Kubernetes takes those for equal to absent ones."""
    if isinstance(value, dict):
        pruned = {key: without_empty(each) for key, each in value.items()}
        return {key: each for key, each in pruned.items() if each not in (None, {}, [])}
    return [without_empty(each) for each in value] if isinstance(value, list) else value


def find_new(deployment: KubeObject, replica_sets: Iterable[KubeObject]) -> KubeObject | None:
    """The ReplicaSet of the Deployment's present template (the oldest, should there be several)."""
    template = without_empty(bare_template(deployment))
    same = [each for each in replica_sets if without_empty(bare_template(each)) == template]
    return min(same, key=lambda replica_set: str(replica_set["metadata"]["creationTimestamp"]), default=None)


def revision_of(obj: KubeObject) -> int:
    """The revision annotation, 0 where there is none."""
    return int((obj["metadata"].get("annotations") or {}).get(REVISION, 0))


def replica_annotations(deployment: KubeObject) -> dict[str, str]:
    """The sizes that the controller notes on every ReplicaSet it scales."""
    surge, _ = fence_posts(deployment)
    return {DESIRED_REPLICAS: str(wished(deployment)), MAX_REPLICAS: str(wished(deployment) + surge)}


def new_annotations(deployment: KubeObject, new: KubeObject | None, old: list[KubeObject]) -> dict[str, str]:
    """The annotations that the new ReplicaSet ought to have: the Deployment's, its sizes and its revision.

    A rollback makes an old ReplicaSet the newest again: it gets the next revision and remembers its earlier one.
    """
    own = dict((new or {}).get("metadata", {}).get("annotations") or {})
    copied = (deployment["metadata"].get("annotations") or {}).items()
    own |= {key: value for key, value in copied if key not in NOT_COPIED}
    own |= replica_annotations(deployment)
    revision = max(map(revision_of, old), default=0) + 1
    before = int(own.get(REVISION, 0))
    if before < revision:
        if before:
            own[REVISION_HISTORY] = ",".join(filter(None, [own.get(REVISION_HISTORY, ""), str(before)]))
        own[REVISION] = str(revision)
    return own


def new_size(deployment: KubeObject, new_replicas: int, all_replicas: int) -> int:
    """How large the new ReplicaSet may be now, given the sum of all ReplicaSets' sizes."""
    if deployment["spec"].get("strategy", {}).get("type") == "Recreate":
        return wished(deployment)
    surge, _ = fence_posts(deployment)
    room = wished(deployment) + surge - all_replicas
    return new_replicas + max(0, min(room, wished(deployment) - new_replicas))


def new_replica_set(deployment: KubeObject, old: list[KubeObject]) -> KubeObject:
    """The ReplicaSet to create for the Deployment's template."""
    template = bare_template(deployment)
    digest = template_hash(template)
    labels = {**(template["metadata"].get("labels") or {}), HASH_LABEL: digest}
    template["metadata"]["labels"] = labels
    selector = copy.deepcopy(deployment["spec"]["selector"])
    selector["matchLabels"] = {**(selector.get("matchLabels") or {}), HASH_LABEL: digest}
    spec = {
        "replicas": new_size(deployment, 0, sum(map(wished, old))),
        "selector": selector,
        "template": template,
    }
    if deployment["spec"].get("minReadySeconds"):
        spec["minReadySeconds"] = deployment["spec"]["minReadySeconds"]
    return {
        "metadata": {
            "name": f"{deployment['metadata']['name']}-{digest}",
            "namespace": deployment["metadata"]["namespace"],
            "labels": labels,
            "annotations": new_annotations(deployment, None, old),
            "ownerReferences": [controller_reference(deployment, DEPLOYMENTS)],
        },
        "spec": spec,
    }


def scales(deployment: KubeObject, new: KubeObject | None, old: list[KubeObject]) -> list[Scale]:
    """The sizes to change now; whatever follows from them is decided when they have taken effect."""
    if deployment["spec"].get("paused"):
        return _scale_paused(deployment, new, old)
    if deployment["spec"].get("strategy", {}).get("type") == "Recreate":
        down = [Scale(replica_set, 0) for replica_set in old if wished(replica_set)]
        if down or new is None or wished(new) == wished(deployment):
            return down
        return [Scale(new, wished(deployment))]
    if new is None:
        return []
    size = wished(deployment)
    if wished(new) < size:
        size = new_size(deployment, wished(new), sum(map(wished, [*old, new])))
    if size != wished(new):
        return [Scale(new, size)]
    return _scale_down_old(deployment, new, old)


def _scale_paused(deployment: KubeObject, new: KubeObject | None, old: list[KubeObject]) -> list[Scale]:
    """A paused Deployment can still be scaled, as long as only one ReplicaSet is active."""
    known = [*old, new] if new else old
    active = [replica_set for replica_set in known if wished(replica_set)]
    target = active[0] if len(active) == 1 else new
    if len(active) > 1 or target is None or wished(target) == wished(deployment):
        return []
    return [Scale(target, wished(deployment))]


def _scale_down_old(deployment: KubeObject, new: KubeObject, old: list[KubeObject]) -> list[Scale]:
    """Take away old pods: first those that aren't available anyway, then as many as availability allows."""
    _, max_unavailable = fence_posts(deployment)
    minimum = wished(deployment) - max_unavailable
    new_unavailable = wished(new) - total([new], "availableReplicas")
    unhealthy_budget = sum(map(wished, [*old, new])) - minimum - new_unavailable
    if unhealthy_budget <= 0:
        return []
    oldest_first = sorted(old, key=lambda replica_set: str(replica_set["metadata"]["creationTimestamp"]))
    sizes = {replica_set["metadata"]["name"]: wished(replica_set) for replica_set in oldest_first}
    for replica_set in oldest_first:
        unhealthy = max(0, wished(replica_set) - total([replica_set], "availableReplicas"))
        taken = min(unhealthy, unhealthy_budget)
        sizes[replica_set["metadata"]["name"]] -= taken
        unhealthy_budget -= taken
    healthy_budget = max(0, total([*old, new], "availableReplicas") - minimum)
    for name, size in sizes.items():
        taken = min(size, healthy_budget)
        sizes[name] -= taken
        healthy_budget -= taken
    return [
        Scale(replica_set, sizes[replica_set["metadata"]["name"]])
        for replica_set in oldest_first
        if sizes[replica_set["metadata"]["name"]] != wished(replica_set)
    ]


def history_to_drop(deployment: KubeObject, old: list[KubeObject]) -> list[KubeObject]:
    """The old, empty ReplicaSets beyond `revisionHistoryLimit`, lowest revision first."""
    limit = deployment["spec"].get("revisionHistoryLimit", 10)
    alive = sorted(
        (replica_set for replica_set in old if not replica_set["metadata"].get("deletionTimestamp")), key=revision_of
    )
    return [
        replica_set
        for replica_set in alive[: max(0, len(alive) - limit)]
        if wished(replica_set) == 0 and total([replica_set], "replicas") == 0
    ]
