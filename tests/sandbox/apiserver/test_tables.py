from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.apiserver import tables
from sandbox.apiserver.catalogue import Kind
from sandbox.apiserver.objects import KubeObject
from sandbox.clock import timestamp
from tests.sandbox.apiserver.bodies import CATALOGUE, NOW_NS, SECOND_NS, autoscaler, deployment, metric, pod, service

GOLDEN = Path(__file__).parent / "golden"


def ago(seconds: int) -> str:
    return timestamp(NOW_NS - seconds * SECOND_NS)


def stored(body: KubeObject, seconds: int = 90, **more: object) -> KubeObject:
    metadata = {"namespace": "tars", "creationTimestamp": ago(seconds), **body["metadata"]}
    return {**body, "metadata": metadata, **more}


def named(name: str, **more: object) -> KubeObject:
    return stored({"metadata": {"name": name}}, **more)


RUNNING = {"ready": True, "restartCount": 0, "name": "main", "state": {"running": {}}}
CRASHED = {
    "name": "main", "ready": False, "restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
    "lastState": {"terminated": {"exitCode": 1, "finishedAt": ago(12)}},
}  # fmt: skip
LOAD_BALANCED = {"type": "LoadBalancer", "clusterIP": "127.91.48.2", "ports": [{"port": 80, "protocol": "TCP"}]}
ADDRESS = {"loadBalancer": {"ingress": [{"ip": "127.91.0.1"}]}}
POD_ON_NODE = {"nodeName": "us-east-1-node-1", "readinessGates": [{"conditionType": "x.io/lit"}]}
SELECTED = {"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "tier", "operator": "Exists"}]}
OBJECTS: dict[str, list[KubeObject]] = {
    "Pod": [
        stored(pod("ready", **POD_ON_NODE), status={"phase": "Running", "podIP": "127.91.32.1",
               "containerStatuses": [RUNNING], "conditions": [{"type": "x.io/lit", "status": "True"}]}),
        stored(pod("crashing"), status={"phase": "Running", "containerStatuses": [CRASHED]}),
        stored(pod("new"), 3, status={"phase": "Pending"}),
    ],
    "Deployment": [
        stored(deployment(selector=SELECTED), status={"readyReplicas": 1, "updatedReplicas": 2}),
        stored(deployment("api", replicas=0), 700000, status={}),
    ],
    "ReplicaSet": [stored(deployment("web-7d9f"), status={"replicas": 2, "readyReplicas": 1})],
    "Service": [
        stored(service("web", type="ClusterIP", clusterIP="127.91.48.1", ports=[{"port": 80, "protocol": "TCP"}])),
        stored(service("entry", **LOAD_BALANCED), status=ADDRESS),
        stored(service("waiting", **LOAD_BALANCED, externalIPs=["127.0.0.9"]), status={}),
        stored(service("none", type="LoadBalancer", clusterIP="None", ports=[], selector={})),
    ],
    "Node": [
        named("us-east-1-node-1", status={
            "conditions": [{"type": "Ready", "status": "True"}],
            "addresses": [{"type": "InternalIP", "address": "127.91.1.2"}],
            "nodeInfo": {"kubeletVersion": "v1.34.4", "osImage": "Debian", "kernelVersion": "6.1"},
        }),
        stored({"metadata": {"name": "cordoned", "labels": {"node-role.kubernetes.io/worker": ""}}},
               spec={"unschedulable": True}, status={"conditions": [{"type": "Ready", "status": "Unknown"}]}),
        named("silent", status={}),
    ],
    "Event": [
        named("web.1", involvedObject={"kind": "Pod", "name": "web", "fieldPath": "spec.containers{main}"},
              reason="Started", type="Normal", message="Started container\n", count=2, firstTimestamp=ago(300),
              lastTimestamp=ago(5), source={"component": "kubelet", "host": "us-east-1-node-1"}),
        named("web.2", involvedObject={"kind": "Deployment", "name": "web"}, reason="Scaled", type="Warning",
              message="m", eventTime=ago(60), reportingComponent="scaler",
              series={"count": 4, "lastObservedTime": ago(10)}),
    ],
    "EndpointSlice": [
        named("web-x", addressType="IPv4", ports=[{"port": 80}, {"name": "any"}],
              endpoints=[{"addresses": [f"127.91.32.{n}"]} for n in range(1, 6)]),
        named("web-y", addressType="IPv4", ports=None, endpoints=None),
    ],
    "Namespace": [named("tars", status={"phase": "Active"})],
    "ConfigMap": [named("settings", data={"a": "1"}, binaryData={"b": "AA=="})],
    "Secret": [named("token", type="Opaque", data={"a": "MQ=="})],
    "ServiceAccount": [named("default")],
    "CustomResourceDefinition": [named("networkchaos.chaos-mesh.org")],
    "NetworkChaos": [named("slow", spec={"action": "delay", "duration": "5m"}), named("ever", spec={"action": "loss"})],
    "PodChaos": [named("kill", spec={"action": "pod-kill"})],
    "HorizontalPodAutoscaler": [
        stored(autoscaler(), status={"currentReplicas": 3, "currentMetrics": [
            {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 142}}}]}),
        stored(autoscaler("new", metrics=[metric(), metric("memory", averageValue="1Gi"), metric("gpu")]), 5,
               status={}),
    ],
    "NodeMetrics": [{**named("us-east-1-node-1"), "usage": {"cpu": "1993274013n", "memory": "5335456Ki"},
                     "window": "15.02s"}],
    "PodMetrics": [
        {**named("web-1"), "window": "15s", "containers": [
            {"name": "main", "usage": {"cpu": "2500u", "memory": "20Mi"}},
            {"name": "side", "usage": {"cpu": "500001n", "memory": "1Ki"}}]},
    ],
    "Lease": [named("leader", spec={"holderIdentity": "web-0"}), named("free", spec={})],
}  # fmt: skip


def printed(table: KubeObject, wide: bool) -> str:
    """The table as `kubectl get` lays it out, with `-o wide` or without."""
    shown = [at for at, column in enumerate(table["columnDefinitions"]) if wide or not column["priority"]]
    lines = [[table["columnDefinitions"][at]["name"].upper() for at in shown]]
    lines += [[str(row["cells"][at]) for at in shown] for row in table["rows"]]
    widths = [max(len(line[at]) for line in lines) for at in range(len(shown))]
    padded = ["   ".join(map(str.ljust, line, widths)) for line in lines]
    return "".join(f"{line.rstrip()}\n" for line in padded)


@pytest.mark.parametrize("kind", CATALOGUE.kinds, ids=lambda kind: kind.kind)
def test_a_kind_is_printed_as_kubectl_users_know_it(kind: Kind) -> None:
    """Golden: the narrow table, then the wide one."""
    table = tables.table(kind, OBJECTS[kind.kind], NOW_NS, "Metadata", {})
    assert all(len(row["cells"]) == len(table["columnDefinitions"]) for row in table["rows"])
    output = f"{printed(table, wide=False)}\n{printed(table, wide=True)}"
    assert output == (GOLDEN / f"{kind.kind.lower()}.txt").read_text(encoding="utf-8")


def test_a_kind_without_a_layout_shows_name_and_age() -> None:
    custom = Kind("x.io", "v1", "Widget", "widgets")
    table = tables.table(custom, [named("delay")], NOW_NS, "None", {})
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Age"]
    assert table["rows"] == [{"cells": ["delay", "90s"], "object": None}]


def test_a_row_carries_as_much_of_its_object_as_was_asked_for() -> None:
    secret = OBJECTS["Secret"][0]
    rows = {
        include: tables.table(CATALOGUE.named("Secret"), [secret], NOW_NS, include, {})["rows"][0]["object"]
        for include in ("None", "Metadata", "Object")
    }
    assert rows["None"] is None
    assert rows["Metadata"]["kind"] == "PartialObjectMetadata"
    assert "data" not in rows["Metadata"]
    assert rows["Object"] is secret


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "<invalid>"),
        (-1, "0s"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (125, "2m5s"),
        (599, "9m59s"),
        (600, "10m"),
        (3 * 3600 - 1, "179m"),
        (3 * 3600, "3h"),
        (3 * 3600 + 600, "3h10m"),
        (8 * 3600 + 600, "8h"),
        (48 * 3600, "2d"),
        (51 * 3600, "2d3h"),
        (8 * 86400 + 3600, "8d"),
        (729 * 86400, "729d"),
        (730 * 86400, "2y"),
        (740 * 86400, "2y10d"),
        (8 * 365 * 86400 + 86400, "8y"),
    ],
)
def test_an_age_is_shown_in_at_most_two_units(seconds: int, shown: str) -> None:
    assert tables.human_duration(seconds) == shown
