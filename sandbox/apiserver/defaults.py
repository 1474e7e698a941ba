"""The values that the real server fills in, so that controllers and clients find what they find on a cluster."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from sandbox.apiserver import autoscalers, chaosmesh
from sandbox.apiserver.catalogue import Kind
from sandbox.apiserver.objects import KubeObject, containers, dig

_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_PROBE_DEFAULTS = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
_POD_SPEC_DEFAULTS = {
    "restartPolicy": "Always",
    "terminationGracePeriodSeconds": 30,
    "dnsPolicy": "ClusterFirst",
    "schedulerName": "default-scheduler",
}
_NODE_LOST = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
_NODE_LOST_TOLERATION_S = 300


def fill_in(kind: Kind, obj: KubeObject) -> None:
    """Fill in, in place, what `obj` leaves to the server, on every write."""
    if kind.kind in _FILLERS:
        _FILLERS[kind.kind](obj)


def fill_in_new(kind: Kind, obj: KubeObject) -> None:
    """Fill in, in place, what a new object has besides: its first status, and what admission adds to pods."""
    match kind.kind:
        case "Pod":
            _admit_pod(obj)
        case "Namespace":
            obj["spec"]["finalizers"] = ["kubernetes"]
            obj["status"] = {"phase": "Active"}
        case "Service":
            obj["status"] = {"loadBalancer": {}}
        case "Deployment":
            obj["status"] = {}
        case "ReplicaSet":
            obj["status"] = {"replicas": 0}
        case "HorizontalPodAutoscaler":
            obj["status"] = {"desiredReplicas": 0}


def _pod_spec(spec: KubeObject) -> None:
    _default(spec, {**_POD_SPEC_DEFAULTS, "securityContext": {}})
    if "serviceAccountName" in spec:
        spec["serviceAccount"] = spec["serviceAccountName"]
    for container in containers(spec):
        tag = container.get("image", "").rpartition("/")[2].partition(":")[2].partition("@")[0]
        _default(
            container,
            {
                "imagePullPolicy": "IfNotPresent" if tag not in ("", "latest") else "Always",
                "terminationMessagePath": "/dev/termination-log",
                "terminationMessagePolicy": "File",
                "resources": {},
            },
        )
        for port in container.get("ports", []):
            _default(port, {"protocol": "TCP"})
        for probe in (container[name] for name in _PROBES if name in container):
            _default(probe, _PROBE_DEFAULTS)
            _http_get(probe)
        for hook in container.get("lifecycle", {}).values():
            if isinstance(hook, dict):
                _http_get(hook)
        for variable in container.get("env", []):
            if reference := dig(variable, "valueFrom.fieldRef"):
                _default(reference, {"apiVersion": "v1"})
    for volume in spec.get("volumes", []):
        if len(volume) == 1:
            volume["emptyDir"] = {}
        for source in ("configMap", "secret"):
            if source in volume:
                _default(volume[source], {"defaultMode": 0o644})


def _http_get(handler: KubeObject) -> None:
    if "httpGet" in handler:
        _default(handler["httpGet"], {"path": "/", "scheme": "HTTP"})


def _pod(pod: KubeObject) -> None:
    spec = pod["spec"]
    _pod_spec(spec)
    _default(spec, {"enableServiceLinks": True})
    for container in containers(spec):
        resources = container["resources"]
        if "limits" in resources:
            resources["requests"] = {**resources["limits"], **resources.get("requests", {})}


def _admit_pod(pod: KubeObject) -> None:
    spec = pod["spec"]
    _default(spec, {"serviceAccountName": "default", "priority": 0, "preemptionPolicy": "PreemptLowerPriority"})
    spec["serviceAccount"] = spec["serviceAccountName"]
    tolerated = {each.get("key") for each in spec.setdefault("tolerations", [])}
    for key in _NODE_LOST:
        if key not in tolerated and None not in tolerated:
            wait = {"key": key, "operator": "Exists", "effect": "NoExecute"}
            spec["tolerations"].append({**wait, "tolerationSeconds": _NODE_LOST_TOLERATION_S})
    pod["status"] = {"phase": "Pending", "qosClass": _qos_class(spec)}


def _qos_class(spec: KubeObject) -> str:
    demands = [each.get("resources", {}) for each in containers(spec)]
    if not any(each.get("requests") or each.get("limits") for each in demands):
        return "BestEffort"
    limited = all({"cpu", "memory"} <= each.get("limits", {}).keys() for each in demands)
    return "Guaranteed" if limited and all(each["limits"] == each.get("requests") for each in demands) else "Burstable"


def _template(obj: KubeObject) -> None:
    spec = obj["spec"]
    _default(spec, {"replicas": 1})
    template = spec.setdefault("template", {})
    template.setdefault("metadata", {})
    _pod_spec(template.setdefault("spec", {}))


def _deployment(obj: KubeObject) -> None:
    _template(obj)
    spec = obj["spec"]
    _default(spec, {"revisionHistoryLimit": 10, "progressDeadlineSeconds": 600})
    strategy = spec.setdefault("strategy", {})
    _default(strategy, {"type": "RollingUpdate"})
    if strategy["type"] == "RollingUpdate":
        _default(strategy.setdefault("rollingUpdate", {}), {"maxSurge": "25%", "maxUnavailable": "25%"})


def _service(obj: KubeObject) -> None:
    spec = obj["spec"]
    _default(spec, {"type": "ClusterIP", "sessionAffinity": "None", "internalTrafficPolicy": "Cluster"})
    if spec["type"] == "LoadBalancer":
        _default(spec, {"externalTrafficPolicy": "Cluster"})
    for port in spec.get("ports", []):
        _default(port, {"protocol": "TCP"})
        if "port" in port and not port.get("targetPort"):
            port["targetPort"] = port["port"]


def _endpoint_slice(obj: KubeObject) -> None:
    for port in obj.get("ports") or []:
        _default(port, {"name": "", "protocol": "TCP"})


def _namespace(obj: KubeObject) -> None:
    if name := obj["metadata"].get("name"):
        obj["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = name


def _node(obj: KubeObject) -> None:
    status = obj["status"]
    if "capacity" in status:
        _default(status, {"allocatable": dict(status["capacity"])})


def _secret(obj: KubeObject) -> None:
    _default(obj, {"type": "Opaque"})
    for name, text in obj.pop("stringData", {}).items():
        obj.setdefault("data", {})[name] = base64.b64encode(text.encode()).decode()


def _default(obj: KubeObject, values: dict[str, Any]) -> None:
    for name, value in values.items():
        obj.setdefault(name, value)


_FILLERS: dict[str, Callable[[KubeObject], None]] = {
    "Pod": _pod,
    "Deployment": _deployment,
    "ReplicaSet": _template,
    "Service": _service,
    "EndpointSlice": _endpoint_slice,
    "Namespace": _namespace,
    "Node": _node,
    "Secret": _secret,
    "NetworkChaos": chaosmesh.fill_in,
    "PodChaos": chaosmesh.fill_in,
    "HorizontalPodAutoscaler": autoscalers.fill_in,
}
