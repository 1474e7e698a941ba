"""The subresources of a stored object: its status, its scale, the binding of a pod, the finalizers of a namespace."""

from __future__ import annotations

import copy

from sandbox.apiserver import schema, selectors
from sandbox.apiserver.catalogue import Kind
from sandbox.apiserver.objects import KubeObject, dig
from sandbox.apiserver.status import BadRequest, Invalid, invalid_value, required

TOPOLOGY_LABELS = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone")


def part_of(subresource: str, old: KubeObject, new: KubeObject) -> KubeObject:
    """Return `old` with the part that `subresource` stands for taken from `new`; all of `new` where there is none."""
    if not subresource:
        return new
    kept = {**old, "metadata": dict(old["metadata"])}
    for name in ("uid", "resourceVersion"):
        if name in new["metadata"]:
            kept["metadata"][name] = new["metadata"][name]
    part = "status" if subresource == "status" else "spec"
    kept[part] = new.get(part, {})
    return copy.deepcopy(kept)


def scale_of(obj: KubeObject) -> KubeObject:
    """Return the `autoscaling/v1` Scale of a Deployment or a ReplicaSet."""
    names = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    selector = ",".join(str(each) for each in selectors.from_selector(obj["spec"]["selector"]))
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: obj["metadata"][name] for name in names},
        "spec": {"replicas": obj["spec"]["replicas"]} if obj["spec"]["replicas"] else {},
        "status": {"replicas": dig(obj, "status.replicas", 0), "selector": selector},
    }


def scaled(kind: Kind, old: KubeObject, body: KubeObject) -> KubeObject:
    """Return a copy of `old` with the replicas of the Scale in `body`; raises BadRequest or Invalid."""
    try:
        scale, _ = schema.conform(body, "autoscaling.v1.Scale")
    except schema.SchemaError as error:
        raise BadRequest(f"the body of the request is no Scale: {error}") from error
    replicas = dig(scale, "spec.replicas", 0)
    if replicas < 0:
        fault = invalid_value("spec.replicas", replicas, "must be greater than or equal to 0")
        raise Invalid(kind, old["metadata"]["name"], [fault])
    new = copy.deepcopy(old)
    new["spec"]["replicas"] = replicas
    if version := dig(scale, "metadata.resourceVersion"):
        new["metadata"]["resourceVersion"] = version
    return new


def binding_refusal(pod: KubeObject) -> str:
    """Return why a pod can't be bound to a node, an empty string if it can."""
    name, node = pod["metadata"]["name"], pod["spec"].get("nodeName")
    if "deletionTimestamp" in pod["metadata"]:
        return f"pod {name} is being deleted, cannot be assigned to a host"
    return f'pod {name} is already assigned to node "{node}"' if node else ""


def node_of(binding: KubeObject) -> str:
    """Return the node that a Binding names; raises BadRequest where it names none."""
    node = dig(binding, "target.name", "")
    if not node:
        raise BadRequest(f"the Binding is invalid: target.name: {required('target.name').message}")
    return str(node)


def bound(pod: KubeObject, node: str, node_labels: KubeObject, now: str) -> KubeObject:
    """Return `pod` assigned to `node`, with the region and zone of its labels, as Kubernetes gives them since 1.35."""
    topology = {name: node_labels[name] for name in TOPOLOGY_LABELS if name in node_labels}
    conditions = [each for each in pod["status"].get("conditions", []) if each["type"] != "PodScheduled"]
    conditions.append({"type": "PodScheduled", "status": "True", "lastTransitionTime": now})
    return {
        **pod,
        "metadata": {**pod["metadata"], "labels": {**(pod["metadata"].get("labels") or {}), **topology}},
        "spec": {**pod["spec"], "nodeName": node},
        "status": {**pod["status"], "conditions": conditions},
    }
