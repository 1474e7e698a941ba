"""What the server knows of a HorizontalPodAutoscaler: its defaults, what it refuses, what it prints.

Facts from Kubernetes 1.34 pkg/apis/autoscaling (v2/defaults.go, validation/validation.go) and pkg/printers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sandbox.apiserver.objects import KubeObject, dig
from sandbox.apiserver.status import Cause, forbidden_change, invalid_value, required, unsupported_value
from sandbox.quantity import parse

_DEFAULT_UTILIZATION = 80
_LONGEST_WINDOW_S = 3600
_LONGEST_PERIOD_S = 1800
_SHOWN_AT_MOST = 2
_SCALE_UP = {
    "stabilizationWindowSeconds": 0,
    "selectPolicy": "Max",
    "policies": [
        {"type": "Pods", "value": 4, "periodSeconds": 15},
        {"type": "Percent", "value": 100, "periodSeconds": 15},
    ],
}
_SCALE_DOWN = {"selectPolicy": "Max", "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]}
_SOURCES = {
    "ContainerResource": "containerResource",
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
}
_ONE_SOURCE = "must populate the given metric source only"


def fill_in(autoscaler: KubeObject) -> None:
    """Fill in, in place, what is left to the server.

    How long a scale-down is held back stays open: the controller's own setting decides where nothing else is said.
    """
    spec = autoscaler["spec"]
    spec.setdefault("minReplicas", 1)
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": _DEFAULT_UTILIZATION}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    if (behavior := spec.get("behavior")) is not None:
        for direction, rules in (("scaleUp", _SCALE_UP), ("scaleDown", _SCALE_DOWN)):
            given = behavior.get(direction) or {}
            # Alpha in 1.34 and off by default, so the server drops it.
            given.pop("tolerance", None)
            behavior[direction] = {**rules, **given}


def faults(autoscaler: KubeObject) -> Iterator[Cause]:
    """Yield what is wrong with its spec."""
    spec = autoscaler["spec"]
    lowest, highest = spec["minReplicas"], spec.get("maxReplicas", 0)
    if lowest < 1:
        yield invalid_value("spec.minReplicas", lowest, "must be greater than or equal to 1")
    if highest < 1:
        yield invalid_value("spec.maxReplicas", highest, "must be greater than 0")
    if highest < lowest:
        yield invalid_value("spec.maxReplicas", highest, "must be greater than or equal to `minReplicas`")
    yield from _reference("spec.scaleTargetRef", spec.get("scaleTargetRef", {}))
    for index, metric in enumerate(spec["metrics"]):
        yield from _metric(f"spec.metrics[{index}]", metric)
    for direction, rules in spec.get("behavior", {}).items():
        yield from _rules(f"spec.behavior.{direction}", rules)


def _reference(path: str, reference: KubeObject) -> Iterator[Cause]:
    for name in ("kind", "name"):
        if not reference.get(name):
            yield required(f"{path}.{name}")
    if "/" not in reference.get("apiVersion", ""):
        yield invalid_value(f"{path}.apiVersion", reference.get("apiVersion", ""), "apiVersion must specify API group")


def _metric(path: str, metric: KubeObject) -> Iterator[Cause]:
    kind = metric.get("type", "")
    if kind not in _SOURCES:
        yield unsupported_value(f"{path}.type", kind, tuple(_SOURCES))
        return
    field = _SOURCES[kind]
    if field not in metric:
        yield required(f"{path}.{field}", "must populate information for the given metric source")
        return
    for other in _SOURCES.values():
        if other != field and other in metric:
            yield forbidden_change(f"{path}.{other}", _ONE_SOURCE)
    source = metric[field]
    yield from _target(f"{path}.{field}.target", source.get("target", {}))
    if kind in ("Resource", "ContainerResource"):
        yield from _resource(f"{path}.{field}", source, named_container=kind == "ContainerResource")
    elif not {"averageValue", "value" if kind != "Pods" else ""} & source.get("target", {}).keys():
        yield required(f"{path}.{field}.target.averageValue", "must set a target value")


def _resource(path: str, source: KubeObject, *, named_container: bool) -> Iterator[Cause]:
    if not source.get("name"):
        yield required(f"{path}.name", "must specify a resource name")
    if named_container and not source.get("container"):
        yield required(f"{path}.container", "must specify a container")
    given = {"averageUtilization", "averageValue"} & source.get("target", {}).keys()
    if not given:
        says = "must set either a target raw value or a target utilization"
        yield required(f"{path}.target.averageUtilization", says)
    if len(given) == 2:
        says = "may not set both a target raw value and a target utilization"
        yield forbidden_change(f"{path}.target.averageValue", says)


def _target(path: str, target: KubeObject) -> Iterator[Cause]:
    if target.get("type") not in ("Utilization", "Value", "AverageValue"):
        yield invalid_value(
            f"{path}.type", target.get("type", ""), "must be either Utilization, Value, or AverageValue"
        )
    for name in ("value", "averageValue"):
        if name in target and not _is_positive(target[name]):
            yield invalid_value(f"{path}.{name}", target[name], "must be positive")
    if target.get("averageUtilization", 1) < 1:
        yield invalid_value(f"{path}.averageUtilization", target["averageUtilization"], "must be greater than 0")


def _is_positive(quantity: Any) -> bool:
    try:
        return parse(quantity) > 0
    except ValueError:
        return False


def _rules(path: str, rules: KubeObject) -> Iterator[Cause]:
    window_s = rules.get("stabilizationWindowSeconds", 0)
    if window_s < 0:
        yield invalid_value(f"{path}.stabilizationWindowSeconds", window_s, "must be greater than or equal to zero")
    if window_s > _LONGEST_WINDOW_S:
        says = f"must be less than or equal to {_LONGEST_WINDOW_S}"
        yield invalid_value(f"{path}.stabilizationWindowSeconds", window_s, says)
    if rules["selectPolicy"] not in ("Disabled", "Max", "Min"):
        yield unsupported_value(f"{path}.selectPolicy", rules["selectPolicy"], ("Disabled", "Max", "Min"))
    if not rules["policies"]:
        yield required(f"{path}.policies", "must specify at least one Policy")
    for index, policy in enumerate(rules["policies"]):
        at = f"{path}.policies[{index}]"
        if policy.get("type") not in ("Percent", "Pods"):
            yield unsupported_value(f"{at}.type", policy.get("type", ""), ("Percent", "Pods"))
        for name in ("value", "periodSeconds"):
            if policy.get(name, 0) <= 0:
                yield invalid_value(f"{at}.{name}", policy.get(name, 0), "must be greater than zero")
        if policy.get("periodSeconds", 0) > _LONGEST_PERIOD_S:
            says = f"must be less than or equal to {_LONGEST_PERIOD_S}"
            yield invalid_value(f"{at}.periodSeconds", policy["periodSeconds"], says)


def reference(autoscaler: KubeObject) -> str:
    """Return what it scales, as `kubectl get hpa` shows it: `Deployment/web`."""
    target = autoscaler["spec"]["scaleTargetRef"]
    return f"{target['kind']}/{target['name']}"


def targets(autoscaler: KubeObject) -> str:
    """Return its metrics against their targets, as `kubectl get hpa` shows them: `cpu: 42%/70%`."""
    specs = autoscaler["spec"].get("metrics", [])
    current = dig(autoscaler, "status.currentMetrics", [])
    shown = [_shown(spec, current[index] if index < len(current) else {}) for index, spec in enumerate(specs)]
    more = len(shown) - _SHOWN_AT_MOST
    return ", ".join(shown[:_SHOWN_AT_MOST]) + (f" + {more} more..." if more > 0 else "") or "<none>"


def _shown(spec: KubeObject, status: KubeObject) -> str:
    field = _SOURCES[spec["type"]]
    target, current = spec[field]["target"], dig(status, f"{field}.current", {})
    name = f"{spec[field]['name']}: " if field in ("resource", "containerResource") else ""
    if "averageUtilization" in target:
        seen = f"{current['averageUtilization']}%" if "averageUtilization" in current else "<unknown>"
        return f"{name}{seen}/{target['averageUtilization']}%"
    kind = "averageValue" if "averageValue" in target else "value"
    average = " (avg)" if kind == "averageValue" and field in ("object", "external") else ""
    return f"{name}{current.get(kind, '<unknown>')}/{target[kind]}{average}"
