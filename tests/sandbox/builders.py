"""Kubernetes objects for tests: only what a test cares about has to be given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sandbox.client import KubeObject
from sandbox.clock import NS_PER_S, timestamp

T0_NS = 1_800_000_000 * NS_PER_S


def at(seconds: float) -> str:
    """The timestamp that many seconds after T0_NS."""
    return timestamp(T0_NS + int(seconds * NS_PER_S))


def condition(kind: str, status: str, reason: str = "", **more: Any) -> KubeObject:
    return {"type": kind, "status": status, "reason": reason, "lastTransitionTime": at(0), **more}


def container(command: list[str] | None = None, **more: Any) -> KubeObject:
    return {"name": "app", "image": "example/app:1", "command": command or ["sleep", "600"], **more}


def exists_probe(path: Path) -> KubeObject:
    return {"exec": {"command": ["test", "-e", str(path)]}, "periodSeconds": 1, "failureThreshold": 1}


def on_sigterm(handler: str, is_set: Path) -> KubeObject:
    """A container whose shell runs `handler` on SIGTERM; it is ready once it does, which leaves the file `is_set`."""
    command = ["sh", "-c", f"trap '{handler}' TERM; touch {is_set}; while :; do sleep 0.1; done"]
    return container(command, readinessProbe=exists_probe(is_set))


def deployment(name: str = "web", replicas: int = 3, **spec: Any) -> KubeObject:
    labels = {"app": name}
    template = spec.pop("template", None) or {
        "metadata": {"labels": labels},
        "spec": {"containers": spec.pop("containers", None) or [container()], "terminationGracePeriodSeconds": 1},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "tars", "uid": f"uid-{name}", "generation": 1},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template, **spec},
    }


def replica_set(
    name: str, replicas: int, *, available: int | None = None, created_s: float = 0, revision: int = 0, **more: Any
) -> KubeObject:
    available = replicas if available is None else available
    annotations = {"deployment.kubernetes.io/revision": str(revision)} if revision else {}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": name,
            "namespace": "tars",
            "uid": f"uid-{name}",
            "creationTimestamp": at(created_s),
            "annotations": annotations,
        },
        "spec": {"replicas": replicas, "template": {"metadata": {"labels": {"app": "web"}}, "spec": {}}},
        "status": {"replicas": replicas, "readyReplicas": available, "availableReplicas": available},
        **more,
    }


def pod(
    name: str = "web-1",
    *,
    ready: bool = True,
    phase: str = "Running",
    node: str = "node-1",
    created_s: float = 0,
    ready_s: float = 0,
    terminating: bool = False,
    restarts: int = 0,
    ip: str = "127.92.32.1",
    containers: list[KubeObject] | None = None,
    annotations: dict[str, str] | None = None,
) -> KubeObject:
    made: KubeObject = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "tars",
            "uid": f"uid-{name}",
            "labels": {"app": "web"},
            "annotations": annotations or {},
            "creationTimestamp": at(created_s),
            "ownerReferences": [{"kind": "ReplicaSet", "name": "web-abc", "uid": "uid-web-abc", "controller": True}],
        },
        "spec": {"nodeName": node, "containers": containers or [container()]},
        "status": {
            "phase": phase,
            "podIP": ip,
            "conditions": [{"type": "Ready", "status": str(ready), "lastTransitionTime": at(ready_s)}],
            "containerStatuses": [{"name": "app", "restartCount": restarts}],
        },
    }
    if terminating:
        made["metadata"]["deletionTimestamp"] = at(30)
    return made


def autoscaler(name: str = "web", *, metrics: list[KubeObject] | None = None, **spec: Any) -> KubeObject:
    """As the API server stores it; on the CPU at 70 % where nothing else is given."""
    target = {"type": "Utilization", "averageUtilization": 70}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name, "namespace": "tars", "uid": f"uid-{name}"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": 2,
            "maxReplicas": 10,
            "metrics": metrics or [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
            **spec,
        },
        "status": {"desiredReplicas": 0},
    }


def service(name: str = "web", *, ports: list[KubeObject] | None = None, **spec: Any) -> KubeObject:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "tars", "uid": f"uid-{name}"},
        "spec": {"selector": {"app": "web"}, "ports": ports or [{"port": 80, "targetPort": 8080}], **spec},
    }
