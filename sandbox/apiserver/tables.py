"""Server-side printing: the `meta.k8s.io/v1` Table of each kind, as `kubectl get` shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sandbox.apiserver import autoscalers, selectors
from sandbox.apiserver.catalogue import Kind
from sandbox.apiserver.objects import KubeObject, dig
from sandbox.apiserver.podcells import pod_cells
from sandbox.clock import NS_PER_S, parse_timestamp
from sandbox.quantity import binary, decimal, parse

Cells = list[str | int]
_SHOWN_AT_MOST = 3


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a kind (a leading `+` marks those that only `-o wide` shows) and the cells of one object."""

    columns: tuple[str, ...]
    cells: Callable[[KubeObject, int], Cells]


def table(kind: Kind, objects: Iterable[KubeObject], now_ns: int, include: str, metadata: KubeObject) -> KubeObject:
    """Return the Table of `objects`; `include` (`None`, `Metadata`, `Object`) says how much of each goes along."""
    layout = _LAYOUTS.get(kind.kind, _PLAIN)
    rows = [{"cells": layout.cells(obj, now_ns), "object": _included(obj, include)} for obj in objects]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": [_column(kind, name) for name in layout.columns],
        "rows": rows,
    }


def partial(obj: KubeObject) -> KubeObject:
    """Return the PartialObjectMetadata of an object."""
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}


def human_duration(seconds: int) -> str:
    """Format an age in at most two units, the rules being those of `kubectl`: `119s`, `2m`, `5m3s`, `3h10m`, `2d3h`."""
    if seconds < 0:
        return "<invalid>" if seconds < -1 else "0s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return _two_units(minutes, "m", seconds % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two_units(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return _two_units(days, "d", hours % 24, "h")
    if days < 365 * 2:
        return f"{days}d"
    return _two_units(days // 365, "y", days % 365 if days < 365 * 8 else 0, "d")


def age(timestamp: str | None, now_ns: int) -> str:
    """Return how long ago a timestamp was."""
    if not timestamp:
        return "<unknown>"
    return human_duration((now_ns - parse_timestamp(timestamp)) // NS_PER_S)


def _two_units(first: int, unit: str, second: int, smaller: str) -> str:
    return f"{first}{unit}{second}{smaller}" if second else f"{first}{unit}"


def _included(obj: KubeObject, include: str) -> KubeObject | None:
    if include == "Object":
        return obj
    return None if include == "None" else partial(obj)


def _column(kind: Kind, name: str) -> KubeObject:
    wide = name.startswith("+")
    plain = name.removeprefix("+")
    form = "name" if plain == "Name" else ""
    kind_of = "integer" if (kind.kind, plain) in _INTEGER_COLUMNS else "string"
    return {"name": plain, "type": kind_of, "format": form, "description": "", "priority": int(wide)}


def _created(obj: KubeObject, now_ns: int) -> str:
    return age(obj["metadata"].get("creationTimestamp"), now_ns)


def _name(obj: KubeObject) -> str:
    name: str = obj["metadata"]["name"]
    return name


def _images(obj: KubeObject) -> tuple[str, str]:
    found = obj["spec"]["template"]["spec"]["containers"]
    return ",".join(each["name"] for each in found), ",".join(each["image"] for each in found)


def _selector(obj: KubeObject) -> str:
    return ",".join(str(each) for each in selectors.from_selector(obj["spec"].get("selector", {}))) or "<none>"


def _pod(obj: KubeObject, now_ns: int) -> Cells:
    shown = pod_cells(obj)
    restarts = str(shown.restarts)
    if shown.restarts and shown.last_restart:
        restarts += f" ({age(shown.last_restart, now_ns)} ago)"
    spec, status = obj["spec"], obj["status"]
    return [
        _name(obj), f"{shown.ready}/{shown.total}", shown.reason, restarts, _created(obj, now_ns),
        status.get("podIP") or "<none>", spec.get("nodeName") or "<none>",
        status.get("nominatedNodeName") or "<none>", _readiness_gates(spec, status),
    ]  # fmt: skip


def _readiness_gates(spec: KubeObject, status: KubeObject) -> str:
    gates = [each["conditionType"] for each in spec.get("readinessGates", [])]
    met = {each["type"] for each in status.get("conditions", []) if each["status"] == "True"}
    return f"{sum(gate in met for gate in gates)}/{len(gates)}" if gates else "<none>"


def _deployment(obj: KubeObject, now_ns: int) -> Cells:
    status = obj.get("status", {})
    ready = f"{status.get('readyReplicas', 0)}/{obj['spec']['replicas']}"
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    return [_name(obj), ready, updated, available, _created(obj, now_ns), *_images(obj), _selector(obj)]


def _replica_set(obj: KubeObject, now_ns: int) -> Cells:
    status = obj.get("status", {})
    counts = (obj["spec"]["replicas"], status.get("replicas", 0), status.get("readyReplicas", 0))
    return [_name(obj), *counts, _created(obj, now_ns), *_images(obj), _selector(obj)]


def _service(obj: KubeObject, now_ns: int) -> Cells:
    spec = obj["spec"]
    ports = ",".join(f"{port['port']}/{port['protocol']}" for port in spec.get("ports", [])) or "<none>"
    selector = ",".join(f"{key}={value}" for key, value in sorted(spec.get("selector", {}).items())) or "<none>"
    address = spec.get("clusterIP", "<none>")
    return [_name(obj), spec["type"], address, _external_address(obj), ports, _created(obj, now_ns), selector]


def _external_address(service: KubeObject) -> str:
    given = list(service["spec"].get("externalIPs", []))
    if service["spec"]["type"] != "LoadBalancer":
        return ",".join(given) or "<none>"
    ingress = dig(service, "status.loadBalancer.ingress", [])
    return ",".join([each.get("ip") or each.get("hostname", "") for each in ingress] + given) or "<pending>"


def _node(obj: KubeObject, now_ns: int) -> Cells:
    status, prefix = obj.get("status", {}), "node-role.kubernetes.io/"
    ready = next((each["status"] for each in status.get("conditions", []) if each["type"] == "Ready"), None)
    state = "Unknown" if ready is None else "Ready" if ready == "True" else "NotReady"
    if obj.get("spec", {}).get("unschedulable"):
        state += ",SchedulingDisabled"
    labels = obj["metadata"].get("labels", {})
    roles = ",".join(sorted(label.removeprefix(prefix) for label in labels if label.startswith(prefix))) or "<none>"
    info, found = status.get("nodeInfo", {}), {each["type"]: each["address"] for each in status.get("addresses", [])}
    system = [info.get(each) or "<unknown>" for each in ("osImage", "kernelVersion", "containerRuntimeVersion")]
    return [
        _name(obj), state, roles, _created(obj, now_ns), info.get("kubeletVersion", ""),
        found.get("InternalIP", "<none>"), found.get("ExternalIP", "<none>"), *system,
    ]  # fmt: skip


def _event(obj: KubeObject, now_ns: int) -> Cells:
    first = age(obj.get("firstTimestamp") or obj.get("eventTime"), now_ns)
    last = age(obj["lastTimestamp"], now_ns) if obj.get("lastTimestamp") else first
    count = obj.get("count") or 1
    if series := obj.get("series"):
        last, count = age(series.get("lastObservedTime"), now_ns), series.get("count", 1)
    involved, source = obj["involvedObject"], obj.get("source", {})
    subject = "/".join(filter(None, (involved.get("kind", "").lower(), involved.get("name"))))
    seen_by = (
        source.get("component") or obj.get("reportingComponent"),
        source.get("host") or obj.get("reportingInstance"),
    )
    return [
        last, obj.get("type", ""), obj.get("reason", ""), subject, involved.get("fieldPath", ""),
        ", ".join(filter(None, seen_by)), obj.get("message", "").strip(), first, count, _name(obj),
    ]  # fmt: skip


def _endpoint_slice(obj: KubeObject, now_ns: int) -> Cells:
    ports = [str(port.get("port") or port.get("name") or "*") for port in obj.get("ports") or []]
    addresses = [address for endpoint in obj.get("endpoints") or [] for address in endpoint["addresses"]]
    return [_name(obj), obj["addressType"], _with_more(ports), _with_more(addresses), _created(obj, now_ns)]


def _with_more(values: list[str]) -> str:
    if not values:
        return "<unset>"
    more = len(values) - _SHOWN_AT_MOST
    return ",".join(values[:_SHOWN_AT_MOST]) + (f" + {more} more..." if more > 0 else "")


def _secret(obj: KubeObject, now_ns: int) -> Cells:
    return [_name(obj), obj["type"], len(obj.get("data", {})), _created(obj, now_ns)]


def _autoscaler(obj: KubeObject, now_ns: int) -> Cells:
    spec, replicas = obj["spec"], dig(obj, "status.currentReplicas", 0)
    shown = (autoscalers.reference(obj), autoscalers.targets(obj), str(spec["minReplicas"]))
    return [_name(obj), *shown, spec["maxReplicas"], replicas, _created(obj, now_ns)]


def _pod_usage(obj: KubeObject, _: int) -> Cells:
    used = [each["usage"] for each in obj["containers"]]
    cpu = sum(parse(each["cpu"]) for each in used)
    return [_name(obj), decimal(int(cpu * 10**9), -9), binary(int(sum(parse(each["memory"]) for each in used))),
            obj["window"]]  # fmt: skip


_INTEGER_COLUMNS = {("ReplicaSet", name) for name in ("Desired", "Current", "Ready")}
_WORKLOAD_WIDE = ("+Containers", "+Images", "+Selector")
_PLAIN = Layout(("Name", "Age"), lambda obj, now_ns: [_name(obj), _created(obj, now_ns)])
_LAYOUTS: Mapping[str, Layout] = {
    "Pod": Layout(
        ("Name", "Ready", "Status", "Restarts", "Age", "+IP", "+Node", "+Nominated Node", "+Readiness Gates"), _pod
    ),
    "Deployment": Layout(("Name", "Ready", "Up-to-date", "Available", "Age", *_WORKLOAD_WIDE), _deployment),
    "ReplicaSet": Layout(("Name", "Desired", "Current", "Ready", "Age", *_WORKLOAD_WIDE), _replica_set),
    "Service": Layout(("Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age", "+Selector"), _service),
    "Node": Layout(
        ("Name", "Status", "Roles", "Age", "Version", "+Internal-IP", "+External-IP", "+OS-Image", "+Kernel-Version",
         "+Container-Runtime"), _node,
    ),
    "Event": Layout(
        ("Last Seen", "Type", "Reason", "Object", "+Subobject", "+Source", "Message", "+First Seen", "+Count", "+Name"),
        _event,
    ),
    "EndpointSlice": Layout(("Name", "AddressType", "Ports", "Endpoints", "Age"), _endpoint_slice),
    "Namespace": Layout(
        ("Name", "Status", "Age"), lambda obj, now_ns: [_name(obj), obj["status"]["phase"], _created(obj, now_ns)]
    ),
    "ConfigMap": Layout(
        ("Name", "Data", "Age"),
        lambda obj, now_ns: [
            _name(obj), len(obj.get("data", {})) + len(obj.get("binaryData", {})), _created(obj, now_ns)
        ],
    ),
    "Secret": Layout(("Name", "Type", "Data", "Age"), _secret),
    "ServiceAccount": Layout(
        ("Name", "Secrets", "Age"), lambda obj, now_ns: [_name(obj), len(obj.get("secrets", [])), _created(obj, now_ns)]
    ),
    "CustomResourceDefinition": Layout(
        ("Name", "Created At"), lambda obj, _: [_name(obj), obj["metadata"]["creationTimestamp"]]
    ),
    "NetworkChaos": Layout(
        ("Name", "action", "duration"),
        lambda obj, _: [_name(obj), obj["spec"]["action"], obj["spec"].get("duration", "")],
    ),
    "HorizontalPodAutoscaler": Layout(
        ("Name", "Reference", "Targets", "MinPods", "MaxPods", "Replicas", "Age"), _autoscaler
    ),
    "NodeMetrics": Layout(
        ("Name", "cpu", "memory", "Window"),
        lambda obj, _: [_name(obj), obj["usage"]["cpu"], obj["usage"]["memory"], obj["window"]],
    ),
    "PodMetrics": Layout(("Name", "cpu", "memory", "Window"), _pod_usage),
    "Lease": Layout(
        ("Name", "Holder", "Age"),
        lambda obj, now_ns: [_name(obj), dig(obj, "spec.holderIdentity", ""), _created(obj, now_ns)],
    ),
}  # fmt: skip
