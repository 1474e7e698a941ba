"""The EndpointSlice controller: which addresses stand behind a Service, and which of them may get traffic.

Facts from Kubernetes 1.34 k8s.io/endpointslice. Left out: the split of more than 100 endpoints over several slices.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any

from sandbox.client import ENDPOINT_SLICES, NODES, PODS, SERVICES, EventType, Key, KubeObject, NotFound, key_of
from sandbox.controllers.cluster import Cluster
from sandbox.objects import controller_reference, is_ready, is_terminating, matches

SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
HEADLESS = "service.kubernetes.io/headless"
MANAGER = "endpointslice-controller.k8s.io"
ZONE = "topology.kubernetes.io/zone"


def target_port(pod: KubeObject, service_port: KubeObject) -> int | None:
    """The pod's port number behind a Service port; None where a named port isn't among the pod's."""
    target = service_port.get("targetPort", service_port["port"])
    if isinstance(target, int):
        return target or int(service_port["port"])
    for container in pod["spec"]["containers"]:
        for port in container.get("ports") or []:
            protocol = port.get("protocol", "TCP")
            if port.get("name") == target and protocol == service_port.get("protocol", "TCP"):
                return int(port["containerPort"])
    return None


def endpoint_ports(service: KubeObject, pod: KubeObject) -> list[KubeObject]:
    """The slice ports that the pod offers for the Service."""
    ports = []
    for service_port in service["spec"].get("ports") or []:
        number = target_port(pod, service_port)
        if number is not None:
            port = {
                "name": service_port.get("name", ""),
                "port": number,
                "protocol": service_port.get("protocol", "TCP"),
            }
            if "appProtocol" in service_port:
                port["appProtocol"] = service_port["appProtocol"]
            ports.append(port)
    return ports


def endpoint(service: KubeObject, pod: KubeObject, zone: str | None) -> KubeObject:
    """One endpoint: `ready` leaves at once with readiness or deletion, `serving` with readiness only."""
    serving, terminating = is_ready(pod), is_terminating(pod)
    published = bool(service["spec"].get("publishNotReadyAddresses"))
    made: KubeObject = {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {
            "ready": published or (serving and not terminating),
            "serving": serving,
            "terminating": terminating,
        },
        "targetRef": {
            "kind": "Pod",
            "namespace": pod["metadata"]["namespace"],
            "name": pod["metadata"]["name"],
            "uid": pod["metadata"]["uid"],
        },
        "nodeName": pod["spec"]["nodeName"],
    }
    if zone:
        made["zone"] = zone
    return made


def wanted_slices(service: KubeObject, pods: Iterable[KubeObject], zones: dict[str, str]) -> list[KubeObject]:
    """The slices (ports and endpoints) of a Service: one for each distinct set of ports, an empty one for no pods."""
    selector = {"matchLabels": service["spec"]["selector"]}
    groups: dict[str, KubeObject] = {}
    for pod in sorted(pods, key=lambda pod: str(pod["metadata"]["name"])):
        status = pod.get("status", {})
        ended = status.get("phase") in ("Succeeded", "Failed")
        if ended or not status.get("podIP") or not matches(selector, pod["metadata"].get("labels") or {}):
            continue
        ports = endpoint_ports(service, pod)
        group = groups.setdefault(repr(ports), {"ports": ports, "endpoints": []})
        group["endpoints"].append(endpoint(service, pod, zones.get(pod["spec"]["nodeName"])))
    return list(groups.values()) or [{"ports": [], "endpoints": []}]


def slice_labels(service: KubeObject) -> dict[str, str]:
    """The labels of a Service's slices: the Service's own, and those by which its slices are found."""
    labels = {**(service["metadata"].get("labels") or {})}
    if service["spec"].get("clusterIP") == "None":
        labels[HEADLESS] = ""
    return {**labels, SERVICE_NAME: service["metadata"]["name"], MANAGED_BY: MANAGER}


class EndpointSliceController:
    """Reconciles a Service when it, its pods or their node change."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._queue = cluster.queue("endpointslice", self.reconcile)
        cluster.informers[SERVICES].add_handler(lambda _kind, obj, _old: self._queue.add(key_of(obj)))
        cluster.informers[PODS].add_handler(self._pod_changed)
        cluster.informers[ENDPOINT_SLICES].add_handler(self._slice_changed)

    def _pod_changed(self, _kind: EventType, pod: KubeObject, old: KubeObject | None) -> None:
        labels = [version["metadata"].get("labels") or {} for version in (pod, old) if version]
        for service in self._cluster.all(SERVICES, pod["metadata"]["namespace"]):
            selector = service["spec"].get("selector")
            if selector and any(matches({"matchLabels": selector}, each) for each in labels):
                self._queue.add(key_of(service))

    def _slice_changed(self, _kind: EventType, found: KubeObject, _old: KubeObject | None) -> None:
        labels = found["metadata"].get("labels") or {}
        if labels.get(MANAGED_BY) == MANAGER and SERVICE_NAME in labels:
            self._queue.add((found["metadata"]["namespace"], labels[SERVICE_NAME]))

    async def reconcile(self, key: Key) -> float | None:
        """Create, update and delete the Service's slices."""
        cluster = self._cluster
        service = cluster.get(SERVICES, key)
        # A Service that is gone leaves its slices to the garbage collector; one without selector to its owner.
        if service is None or is_terminating(service) or not service["spec"].get("selector"):
            return None
        namespace, name = key
        zones = {
            node["metadata"]["name"]: (node["metadata"].get("labels") or {}).get(ZONE, "")
            for node in cluster.all(NODES)
        }
        labels = slice_labels(service)
        existing = [
            found
            for found in cluster.all(ENDPOINT_SLICES, namespace)
            if (found["metadata"].get("labels") or {}).items() >= {SERVICE_NAME: name, MANAGED_BY: MANAGER}.items()
        ]
        for wanted in wanted_slices(service, cluster.all(PODS, namespace), zones):
            known = next((found for found in existing if found.get("ports") == wanted["ports"]), None)
            known = known or next(iter(existing), None)
            if known is not None:
                existing.remove(known)
            await self._write(service, labels, known, wanted)
        for left_over in existing:
            await self._delete(left_over)
        return None

    async def _write(
        self, service: KubeObject, labels: dict[str, str], known: KubeObject | None, wanted: dict[str, Any]
    ) -> None:
        cluster = self._cluster
        if known is None:
            meta = {
                "generateName": f"{service['metadata']['name']}-",
                "namespace": service["metadata"]["namespace"],
                "labels": labels,
                "ownerReferences": [controller_reference(service, SERVICES)],
            }
            body = {"metadata": meta, "addressType": "IPv4", **wanted}
            cluster.learn(ENDPOINT_SLICES, await cluster.client.create(ENDPOINT_SLICES, body))
            return
        same = {"ports": known.get("ports") or [], "endpoints": known.get("endpoints") or []} == wanted
        if not same or known["metadata"].get("labels") != labels:
            body = {**known, "metadata": {**known["metadata"], "labels": labels}, **wanted}
            cluster.learn(ENDPOINT_SLICES, await cluster.client.update(ENDPOINT_SLICES, body))

    async def _delete(self, left_over: KubeObject) -> None:
        namespace, name = key_of(left_over)
        with contextlib.suppress(NotFound):
            await self._cluster.client.delete(ENDPOINT_SLICES, name, namespace)
