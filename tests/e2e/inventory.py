"""What is in every region of a sandbox, object by object, as its API tells: to be compared before and after a drill."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from kubernetes import config

from gameday.cluster import Cluster
from gameday.observe.reflector import KubeObject
from tests.e2e.drills import REGIONS
from tests.e2e.sandbox import Sandbox

NAMESPACE = "tars"
SETTLED_WITHIN_S = 15
CORE, APPS = f"/api/v1/namespaces/{NAMESPACE}", f"/apis/apps/v1/namespaces/{NAMESPACE}"
AUTOSCALING, DISCOVERY = (
    f"/apis/{group}/namespaces/{NAMESPACE}" for group in ("autoscaling/v2", "discovery.k8s.io/v1")
)
CHAOS = "/apis/chaos-mesh.org/v1alpha1"


def clusters_of(sandbox: Sandbox) -> tuple[Cluster, ...]:
    """Every region."""
    kubeconfig = sandbox.environment["KUBECONFIG"]
    clients = {region: config.new_client_from_config(config_file=kubeconfig, context=region) for region in REGIONS}
    return tuple(Cluster(region, client, NAMESPACE) for region, client in clients.items())


def inventory(sandbox: Sandbox) -> dict[str, Any]:
    """What there is, by region, kind and name: of what replaces itself under new names, how many are how."""
    return {
        f"{cluster.context} {name}": what
        for cluster in clusters_of(sandbox)
        for name, what in sorted(_objects(cluster))
    }


def _objects(cluster: Cluster) -> Iterator[tuple[str, Any]]:
    for item in _items(cluster, f"{APPS}/deployments"):
        status = item.get("status") or {}
        counts = {key: status.get(key) for key in ("replicas", "readyReplicas", "updatedReplicas")}
        yield f"deployment {item['metadata']['name']}", (item["spec"], counts)
    # not its status, which a new one lacks until it is first reckoned with: what it does shows in the deployment
    for item in _items(cluster, f"{AUTOSCALING}/horizontalpodautoscalers"):
        yield f"autoscaler {item['metadata']['name']}", item["spec"]
    for item in _items(cluster, f"{CORE}/services"):
        yield f"service {item['metadata']['name']}", item["spec"]
    pods: dict[str, list[tuple[str, bool]]] = defaultdict(list)
    for item in _items(cluster, f"{CORE}/pods"):
        leaving = "deletionTimestamp" in item["metadata"]
        ready = any(c["type"] == "Ready" and c["status"] == "True" for c in item["status"].get("conditions", []))
        pods[item["metadata"]["labels"]["app"]].append(("Terminating" if leaving else item["status"]["phase"], ready))
    for app, states in pods.items():
        yield f"pods of {app}", sorted(states)
    ready_at: dict[str, int] = defaultdict(int)
    for item in _items(cluster, f"{DISCOVERY}/endpointslices"):
        service = item["metadata"]["labels"]["kubernetes.io/service-name"]
        ready_at[service] += sum(bool(e["conditions"].get("ready")) for e in item.get("endpoints") or [])
    for service, count in ready_at.items():
        yield f"ready endpoints of {service}", count
    for kind in (resource["name"] for resource in _found(cluster, CHAOS).get("resources", [])):
        if "/" not in kind:
            for item in _items(cluster, f"{CHAOS}/namespaces/{NAMESPACE}/{kind}"):
                yield f"{kind} {item['metadata']['name']}", item["spec"]


def settled(where: Sandbox, before: dict[str, Any]) -> dict[str, Any]:
    """The inventory, once it is as before, or it has had its time: a pod that drains is there for a moment longer."""
    until_s = time.monotonic() + SETTLED_WITHIN_S
    while (now := inventory(where)) != before and time.monotonic() < until_s:
        time.sleep(0.5)
    return now


def elections(sandbox: Sandbox) -> dict[tuple[str, int], int]:
    """By the logs of the agents that there are now, through the API: when (UTC ns) which pod (its UID) said that it
    leads which term."""
    led: dict[tuple[str, int], int] = {}
    for cluster in clusters_of(sandbox):
        for pod in _items(cluster, f"{CORE}/pods"):
            if pod["metadata"]["labels"]["app"] == "orchestration-agent":
                status, log = cluster.read(f"{CORE}/pods/{pod['metadata']['name']}/log", timeout_s=10)
                assert status == 200, log
                for line in (line.split() for line in log.decode().splitlines()):
                    if line[:1] == ["raft"] and line[2] == "leader":
                        led[pod["metadata"]["uid"], int(line[-1])] = int(line[1])
    return led


def _items(cluster: Cluster, path: str) -> list[KubeObject]:
    items: list[KubeObject] = _found(cluster, path).get("items", [])
    return items


def _found(cluster: Cluster, path: str) -> dict[str, Any]:
    """What is there; nothing where the cluster doesn't know the kind."""
    status, body = cluster.read(path, timeout_s=10)
    assert status in (200, 404), body
    found: dict[str, Any] = json.loads(body) if status == 200 else {}
    return found
