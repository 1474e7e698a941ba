"""Which objects and which changes the server refuses, in the words of the real one.

It checks what a drill's author gets wrong, not everything that Kubernetes checks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from sandbox.apiserver import autoscalers, chaosmesh, crds, schema, selectors
from sandbox.apiserver.catalogue import Kind
from sandbox.apiserver.objects import KubeObject, dig
from sandbox.apiserver.status import Cause, Invalid, forbidden_change, invalid_value, required, unsupported_value

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_QUALIFIED = r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"
_SERVICE_TYPES = ("ClusterIP", "LoadBalancer")
_SERVICE_NAME = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_HANDLERS = ("exec", "grpc", "httpGet", "tcpSocket")


def validate(kind: Kind, obj: KubeObject, old: KubeObject | None) -> None:
    """Raise Invalid where `obj` may not take the place of `old`, and Forbidden where a webhook refuses it."""
    causes = [*_metadata(kind, obj["metadata"])]
    if kind.custom:
        causes += crds.faults(obj, schema.resolve({"$ref": kind.schema}))
    if kind.kind in _RULES:
        causes += _RULES[kind.kind](obj)
    if old is not None and kind.kind in _CHANGES:
        causes += _CHANGES[kind.kind](obj, old)
    if causes:
        raise Invalid(kind, obj["metadata"].get("name", ""), causes)
    if kind.group == chaosmesh.GROUP:
        chaosmesh.admit(kind, obj, old)


def _metadata(kind: Kind, metadata: KubeObject) -> Iterator[Cause]:
    name = metadata.get("name", "")
    if not name:
        yield required("metadata.name", "name or generateName is required")
    elif kind.kind == "Service":
        if len(name) > 63 or not re.fullmatch(_SERVICE_NAME, name):
            yield invalid_value("metadata.name", name, "a DNS-1035 label must start with a letter, at most 63 in all")
    elif len(name) > (63 if kind.kind == "Namespace" else 253) or not re.fullmatch(_SUBDOMAIN, name):
        yield invalid_value(
            "metadata.name",
            name,
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
            "and must start and end with an alphanumeric character",
        )
    yield from _labels("metadata.labels", metadata.get("labels", {}))


def _labels(path: str, labels: Mapping[str, str]) -> Iterator[Cause]:
    for key, value in labels.items():
        prefix, slash, name = key.rpartition("/")
        if (slash and not re.fullmatch(_SUBDOMAIN, prefix)) or len(name) > 63 or not re.fullmatch(_QUALIFIED, name):
            yield invalid_value(path, key, "a label's name must be alphanumeric with '-', '_' or '.' between")
        if value and (len(value) > 63 or not re.fullmatch(_QUALIFIED, value)):
            yield invalid_value(path, value, "a label must be at most 63 alphanumerics with '-', '_' or '.' between")


def _pod_spec(path: str, spec: KubeObject) -> Iterator[Cause]:
    if not spec.get("containers"):
        yield required(f"{path}.containers")
    seen: set[str] = set()
    for field in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(field, [])):
            yield from _container(f"{path}.{field}[{index}]", container, seen)
    if spec["restartPolicy"] not in ("Always", "OnFailure", "Never"):
        yield unsupported_value(f"{path}.restartPolicy", spec["restartPolicy"], ("Always", "OnFailure", "Never"))
    if spec["terminationGracePeriodSeconds"] < 0:
        yield _negative(f"{path}.terminationGracePeriodSeconds", spec["terminationGracePeriodSeconds"])


def _container(path: str, container: KubeObject, seen: set[str]) -> Iterator[Cause]:
    name = container.get("name", "")
    if not name:
        yield required(f"{path}.name")
    elif name in seen:
        yield Cause(f"{path}.name", "FieldValueDuplicate", f'Duplicate value: "{name}"')
    elif not re.fullmatch(_LABEL, name):
        yield invalid_value(f"{path}.name", name, "a lowercase RFC 1123 label is needed")
    seen.add(name)
    if not container.get("image"):
        yield required(f"{path}.image")
    for index, port in enumerate(container.get("ports", [])):
        yield from _port(f"{path}.ports[{index}].containerPort", port.get("containerPort"))
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        if probe in container and not any(handler in container[probe] for handler in _HANDLERS):
            yield required(f"{path}.{probe}", "must specify a handler type")


def _port(path: str, port: int | None) -> Iterator[Cause]:
    if not port:
        yield required(path)
    elif not 0 < port < 65536:
        yield invalid_value(path, port, "must be between 1 and 65535, inclusive")


def _workload(obj: KubeObject) -> Iterator[Cause]:
    spec = obj["spec"]
    if spec["replicas"] < 0:
        yield _negative("spec.replicas", spec["replicas"])
    selector = spec.get("selector")
    labels = dig(spec, "template.metadata.labels", {})
    if selector is None:
        yield required("spec.selector")
    elif not selector.get("matchLabels") and not selector.get("matchExpressions"):
        yield invalid_value("spec.selector", selector, "empty selector is invalid for deployment")
    elif not selectors.matches(selectors.from_selector(selector), labels):
        yield invalid_value("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
    yield from _labels("spec.template.metadata.labels", labels)
    template = spec["template"]["spec"]
    yield from _pod_spec("spec.template.spec", template)
    if template["restartPolicy"] in ("OnFailure", "Never"):
        yield unsupported_value("spec.template.spec.restartPolicy", template["restartPolicy"], ("Always",))


def _deployment(obj: KubeObject) -> Iterator[Cause]:
    yield from _workload(obj)
    strategy = obj["spec"]["strategy"]
    rolling = strategy.get("rollingUpdate")
    if strategy["type"] not in ("Recreate", "RollingUpdate"):
        yield unsupported_value("spec.strategy", strategy["type"], ("Recreate", "RollingUpdate"))
    elif strategy["type"] == "Recreate" and rolling is not None:
        yield forbidden_change("spec.strategy.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'")
    elif rolling and all(rolling[each] in (0, "0%") for each in ("maxSurge", "maxUnavailable")):
        yield invalid_value(
            "spec.strategy.rollingUpdate.maxUnavailable", rolling["maxUnavailable"], "may not be 0 when `maxSurge` is 0"
        )


def _service(obj: KubeObject) -> Iterator[Cause]:
    spec = obj["spec"]
    if spec["type"] not in _SERVICE_TYPES:
        yield unsupported_value("spec.type", spec["type"], _SERVICE_TYPES)
    if not spec.get("ports") and spec.get("clusterIP") != "None":
        yield required("spec.ports")
    for index, port in enumerate(spec.get("ports", [])):
        yield from _port(f"spec.ports[{index}].port", port.get("port"))
        if len(spec["ports"]) > 1 and not port.get("name"):
            yield required(f"spec.ports[{index}].name")


def _immutable(path: str) -> Callable[[KubeObject, KubeObject], Iterator[Cause]]:
    def changes(obj: KubeObject, old: KubeObject) -> Iterator[Cause]:
        if dig(obj, path) != dig(old, path):
            yield invalid_value(path, dig(obj, path), "field is immutable")

    return changes


def _pod_changes(obj: KubeObject, old: KubeObject) -> Iterator[Cause]:
    def fixed(pod: KubeObject) -> KubeObject:
        free = ("activeDeadlineSeconds", "terminationGracePeriodSeconds", "tolerations")
        spec = {name: value for name, value in pod["spec"].items() if name not in free}
        for field in ("initContainers", "containers"):
            spec[field] = [{**each, "image": None, "imagePullPolicy": None} for each in spec.get(field, [])]
        return spec

    if fixed(obj) != fixed(old):
        yield forbidden_change(
            "spec",
            "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
            "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
            "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
        )


def _service_changes(obj: KubeObject, old: KubeObject) -> Iterator[Cause]:
    before, after = old["spec"].get("clusterIP"), obj["spec"].get("clusterIP")
    if before != after:
        yield invalid_value("spec.clusterIPs[0]", [after], "may not change once set")


def _negative(path: str, value: int) -> Cause:
    return invalid_value(path, value, "must be greater than or equal to 0")


_RULES: dict[str, Callable[[KubeObject], Iterator[Cause]]] = {
    "Pod": lambda pod: _pod_spec("spec", pod["spec"]),
    "Deployment": _deployment,
    "ReplicaSet": _workload,
    "Service": _service,
    "HorizontalPodAutoscaler": autoscalers.faults,
}
_CHANGES: dict[str, Callable[[KubeObject, KubeObject], Iterator[Cause]]] = {
    "Pod": _pod_changes,
    "Deployment": _immutable("spec.selector"),
    "ReplicaSet": _immutable("spec.selector"),
    "Service": _service_changes,
    "EndpointSlice": _immutable("addressType"),
}
