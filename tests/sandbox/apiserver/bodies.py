"""Objects as a client posts them, and a region to post them to without a server around it."""

from __future__ import annotations

from ipaddress import IPv4Network
from random import Random
from typing import Any

from sandbox.apiserver.addresses import AddressPool
from sandbox.apiserver.catalogue import Catalogue, Kind
from sandbox.apiserver.objects import KubeObject
from sandbox.apiserver.registry import Registry, Write
from sandbox.apiserver.store import Store

CATALOGUE = Catalogue()
POD, NODE, SERVICE = (CATALOGUE.named(name) for name in ("Pod", "Node", "Service"))
DEPLOYMENT, CONFIG_MAP, EVENT = (CATALOGUE.named(name) for name in ("Deployment", "ConfigMap", "Event"))
AUTOSCALER = CATALOGUE.named("HorizontalPodAutoscaler")
NAMESPACE, LEASE = CATALOGUE.named("Namespace"), CATALOGUE.named("Lease")
NOW_NS = 1_800_000_000 * 1_000_000_000
SECOND_NS = 1_000_000_000


def pod(name: str = "web", **spec: Any) -> KubeObject:
    return {
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"containers": [{"name": "main", "image": "web:1"}], **spec},
    }


def deployment(name: str = "web", **spec: Any) -> KubeObject:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": "web:1"}]}}
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": template, **spec},
    }


def service(name: str = "web", **spec: Any) -> KubeObject:
    return {"metadata": {"name": name}, "spec": {"selector": {"app": name}, "ports": [{"port": 80}], **spec}}


def metric(name: str = "cpu", **target: Any) -> KubeObject:
    """A resource metric of an autoscaler, at 70 % utilisation where no target is given."""
    if not target:
        target = {"type": "Utilization", "averageUtilization": 70}
    return {"type": "Resource", "resource": {"name": name, "target": {"type": "AverageValue", **target}}}


def autoscaler(name: str = "web", **spec: Any) -> KubeObject:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    fields = {"scaleTargetRef": target, "minReplicas": 2, "maxReplicas": 5, "metrics": [metric()], **spec}
    return {"metadata": {"name": name}, "spec": fields}


def config_map(name: str, **data: str) -> KubeObject:
    return {"metadata": {"name": name}, "data": data}


class Region:
    """A registry whose time stands still until a test moves it."""

    def __init__(self, window: int = 512) -> None:
        self.now_ns = NOW_NS
        self.store = Store(first_version=1000, window=window)
        addresses = AddressPool(IPv4Network("127.91.48.0/29"))
        self.registry = Registry("us-east-1", CATALOGUE, self.store, addresses, lambda: self.now_ns, Random(1))

    def create(self, kind: Kind, body: KubeObject, namespace: str = "default") -> KubeObject:
        return self.registry.create(kind, namespace if kind.namespaced else "", body, Write())

    def scheduled_pod(self, name: str = "web", **spec: Any) -> KubeObject:
        self.create(POD, pod(name, **spec))
        binding = {"metadata": {"name": name}, "target": {"name": "node-1"}}
        self.registry.bind(POD, ("default", name), binding, Write())
        return self.registry.get(POD, ("default", name))
