"""Raw Kubernetes objects: plain JSON, and the few ways in which every part of the server looks into them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

KubeObject = dict[str, Any]


def dig(value: Any, path: str, default: Any = None) -> Any:
    """Return what lies under a dotted `path` of nested objects, `default` where any step is missing."""
    for step in path.split("."):
        if not isinstance(value, dict) or step not in value:
            return default
        value = value[step]
    return default if value is None else value


def containers(pod_spec: KubeObject) -> Iterator[KubeObject]:
    """Yield the init containers and then the containers of a pod spec."""
    yield from pod_spec.get("initContainers", [])
    yield from pod_spec.get("containers", [])
