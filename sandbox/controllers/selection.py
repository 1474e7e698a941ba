"""Which pods a Chaos Mesh experiment is for. Pure, chance apart.

Facts from Chaos Mesh pkg/selector (pod/selector.go, generic/mode.go).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from random import Random

from sandbox.client import KubeObject
from sandbox.objects import matches


class NothingSelected(Exception):
    """No pod is there to be chosen."""


def selected(spec: KubeObject, pods: Iterable[KubeObject], nodes: Iterable[KubeObject]) -> list[KubeObject]:
    """The pods that a `selector` fits, in the order of their names. Pods that it names make the rest of it void."""
    found = sorted(pods, key=lambda pod: (pod["metadata"]["namespace"], pod["metadata"]["name"]))
    if named := spec.get("pods"):
        return [pod for pod in found if pod["metadata"]["name"] in named.get(pod["metadata"]["namespace"], [])]
    allowed = _nodes(spec, nodes)
    return [pod for pod in found if _fits(spec, pod) and (allowed is None or pod["spec"].get("nodeName") in allowed)]


def chosen(mode: str, value: str, pods: list[KubeObject], random: Random) -> list[KubeObject]:
    """Those of the pods that `mode` and `value` pick; raises NothingSelected where there are none to pick from."""
    if not pods:
        raise NothingSelected("no pod is selected")
    count = len(pods)
    if mode == "one":
        number = 1
    elif mode == "all":
        number = count
    elif mode == "fixed":
        number = min(int(value), count)
    else:
        percentage = int(value) if mode == "fixed-percent" else random.randint(0, int(value))
        number = math.ceil(count * percentage / 100)
    return random.sample(pods, number) if number < count else list(pods)


def _nodes(spec: KubeObject, nodes: Iterable[KubeObject]) -> set[str] | None:
    """The nodes that the selector confines pods to; None where it confines them to none."""
    wanted, labels = spec.get("nodes"), spec.get("nodeSelectors")
    if not wanted and not labels:
        return None
    fit = {node["metadata"]["name"] for node in nodes if labels and _has(node["metadata"].get("labels") or {}, labels)}
    return fit | set(wanted or ())


def _fits(spec: KubeObject, pod: KubeObject) -> bool:
    meta = pod["metadata"]
    labels = {"matchLabels": spec.get("labelSelectors"), "matchExpressions": spec.get("expressionSelectors")}
    phases = spec.get("podPhaseSelectors")
    return (
        meta["namespace"] in spec["namespaces"]
        and matches(labels, meta.get("labels") or {})
        and _has(meta.get("annotations") or {}, spec.get("annotationSelectors") or {})
        and all(_field(pod, path) == value for path, value in (spec.get("fieldSelectors") or {}).items())
        and (not phases or pod.get("status", {}).get("phase", "Unknown") in phases)
    )


def _has(there: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return all(there.get(name) == value for name, value in wanted.items())


def _field(obj: KubeObject, path: str) -> str:
    value: object = obj
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return "" if value is None else str(value)
