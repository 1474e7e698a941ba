"""Unmodified kubectl against a running server; no controllers, so a test plays their part where it is needed."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.apiserver.bodies import deployment, pod, service
from tests.sandbox.apiserver.cluster import Cluster, kubectls

MANIFESTS = {
    "apiVersion": "v1",
    "kind": "List",
    "items": [
        {"apiVersion": "apps/v1", "kind": "Deployment", **deployment()},
        {"apiVersion": "v1", "kind": "Service", **service()},
        {"apiVersion": "v1", "kind": "Pod", **pod("lone")},
    ],
}
COLLECTIONS = (
    "/apis/apps/v1/namespaces/default/deployments",
    "/api/v1/namespaces/default/services",
    "/api/v1/namespaces/default/pods",
    "/apis/apps/v1/namespaces/default/replicasets",
    "/api/v1/namespaces/default/events",
)
REVISION = "deployment.kubernetes.io/revision"


@pytest.fixture(params=kubectls(), ids=lambda path: path.rsplit("/", 3)[-3])
def kubectl(request: pytest.FixtureRequest) -> str:
    path: str = request.param
    return path


@pytest.fixture
def present(cluster: Cluster) -> Iterator[None]:
    """A deployment and a service `web` and a pod `lone`."""
    for collection, item in zip(COLLECTIONS, MANIFESTS["items"], strict=False):
        cluster.request("POST", collection, item)
    yield
    for collection in COLLECTIONS:
        cluster.request("DELETE", collection, {"gracePeriodSeconds": 0})


def field(cluster: Cluster, kubectl: str, resource: str, path: str) -> str:
    return cluster.kubectl(kubectl, "get", resource, "-o", f"jsonpath={{{path}}}")


def rolled_out(cluster: Cluster, kubectl: str, **more: Any) -> None:
    """Report the deployment as its controller does once all is up."""
    counts = {"replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2}
    available = [{"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"}]
    generation = int(field(cluster, kubectl, "deployment/web", ".metadata.generation"))
    status = {**counts, "conditions": available, "observedGeneration": generation, **more}
    patch = json.dumps({"status": status})
    cluster.kubectl(kubectl, "patch", "deployment/web", "--subresource=status", "--type=merge", "-p", patch)


def replica_set(cluster: Cluster, kubectl: str, revision: int, image: str) -> dict[str, Any]:
    """A replica set of the deployment `web`, as its controller makes it."""
    uid = field(cluster, kubectl, "deployment/web", ".metadata.uid")
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": uid, "controller": True}
    template = deployment()["spec"]["template"]
    template["spec"]["containers"][0]["image"] = image
    metadata = {"name": f"web-{revision}", "labels": {"app": "web"}, "annotations": {REVISION: str(revision)}}
    spec = {"replicas": 0, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {**metadata, "ownerReferences": [owner]},
        "spec": spec,
    }


@pytest.fixture
def absent(cluster: Cluster) -> Iterator[None]:
    """Nothing of `present`, before and after."""
    yield
    for collection in COLLECTIONS:
        cluster.request("DELETE", collection, {"gracePeriodSeconds": 0})


@pytest.mark.usefixtures("absent")
def test_apply_creates_then_configures_then_leaves_alone(cluster: Cluster, kubectl: str) -> None:
    output = cluster.kubectl(kubectl, "apply", "-f", "-", given=MANIFESTS)
    assert output.splitlines() == ["deployment.apps/web created", "service/web created", "pod/lone created"]
    manifests = json.loads(json.dumps(MANIFESTS))
    manifests["items"][0]["spec"]["replicas"] = 3
    manifests["items"][0]["spec"]["template"]["spec"]["containers"] = [
        {"name": "side", "image": "side:1"},
        {"name": "main", "image": "web:2"},
    ]
    output = cluster.kubectl(kubectl, "apply", "-f", "-", given=manifests)
    assert output.splitlines() == ["deployment.apps/web configured", "service/web unchanged", "pod/lone unchanged"]
    names = field(cluster, kubectl, "deployment/web", ".spec.template.spec.containers[*].name")
    assert names == "side main"
    output = cluster.kubectl(kubectl, "apply", "-f", "-", given=manifests)
    assert all(line.endswith("unchanged") for line in output.splitlines())


def test_apply_names_an_unknown_field(cluster: Cluster, kubectl: str) -> None:
    manifest = {"apiVersion": "apps/v1", "kind": "Deployment", **deployment("typo", replicsa=3)}
    done = cluster.run(kubectl, "apply", "-f", "-", given=manifest)
    assert done.returncode == 1
    assert 'unknown field "spec.replicsa"' in done.stderr


@pytest.mark.usefixtures("present")
def test_get_prints_what_a_real_cluster_prints(cluster: Cluster, kubectl: str) -> None:
    wide = cluster.kubectl(kubectl, "get", "pods", "-o", "wide").splitlines()
    assert re.split(r" {2,}", wide[0]) == [
        *("NAME", "READY", "STATUS", "RESTARTS", "AGE"),
        *("IP", "NODE", "NOMINATED NODE", "READINESS GATES"),
    ]
    assert wide[1].split()[:4] == ["lone", "0/1", "Pending", "0"]
    everything = cluster.kubectl(kubectl, "get", "all", "-A", "-o", "name").splitlines()
    assert everything == ["pod/lone", "service/web", "deployment.apps/web"]
    assert json.loads(cluster.kubectl(kubectl, "get", "deploy", "web", "-o", "json"))["kind"] == "Deployment"
    assert "kind: Service" in cluster.kubectl(kubectl, "get", "svc/web", "-o", "yaml")
    selected = cluster.kubectl(
        kubectl, "get", "po", "-l", "app in (lone)", "--field-selector", "status.phase=Pending", "-o", "name"
    )
    assert selected == "pod/lone\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("get", "pod", "nope"), 'Error from server (NotFound): pods "nope" not found\n'),
        (("get", "deploy", "nope"), 'Error from server (NotFound): deployments.apps "nope" not found\n'),
        (("get", "widgets"), 'error: the server doesn\'t have a resource type "widgets"\n'),
        (("delete", "ns", "default"), "Error from server (Forbidden): "),
        (("get", "pods", "--field-selector", "a=b"), "field label not supported: a\n"),
    ],
)
def test_an_error_reads_as_on_a_real_cluster(
    cluster: Cluster, kubectl: str, arguments: tuple[str, ...], says: str
) -> None:
    done = cluster.run(kubectl, *arguments)
    assert done.returncode == 1
    assert says in done.stderr


@pytest.mark.usefixtures("present")
def test_creating_the_same_twice_is_refused(cluster: Cluster, kubectl: str) -> None:
    done = cluster.run(kubectl, "create", "-f", "-", given=MANIFESTS["items"][2])
    assert done.stderr.startswith('Error from server (AlreadyExists): error when creating "STDIN": pods "lone" already')


@pytest.mark.usefixtures("present")
def test_all_kinds_of_patch_apply(cluster: Cluster, kubectl: str) -> None:
    for patch_type, patch in (
        ("strategic", {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "web:9"}]}}}}),
        ("merge", {"spec": {"revisionHistoryLimit": 3}}),
        ("json", [{"op": "replace", "path": "/spec/replicas", "value": 5}]),
    ):
        cluster.kubectl(kubectl, "patch", "deployment/web", f"--type={patch_type}", "-p", json.dumps(patch))
    spec = json.loads(cluster.kubectl(kubectl, "get", "deployment/web", "-o", "json"))["spec"]
    assert (spec["template"]["spec"]["containers"][0]["image"], spec["revisionHistoryLimit"]) == ("web:9", 3)
    assert spec["replicas"] == 5


@pytest.mark.usefixtures("present")
def test_scale_annotate_and_label(cluster: Cluster, kubectl: str) -> None:
    assert cluster.kubectl(kubectl, "scale", "deployment/web", "--replicas=0") == "deployment.apps/web scaled\n"
    cluster.kubectl(kubectl, "scale", "deployment/web", "--current-replicas=0", "--replicas=4")
    assert field(cluster, kubectl, "deployment/web", ".spec.replicas") == "4"
    cluster.kubectl(kubectl, "annotate", "pod/lone", "why=test")
    cluster.kubectl(kubectl, "label", "pod/lone", "app=other", "--overwrite")
    assert field(cluster, kubectl, "pod/lone", ".metadata.annotations.why") == "test"
    assert cluster.kubectl(kubectl, "get", "pods", "-l", "app=other", "-o", "name") == "pod/lone\n"


@pytest.mark.usefixtures("present")
def test_replace_from_an_old_version_is_a_conflict(cluster: Cluster, kubectl: str) -> None:
    old = json.loads(cluster.kubectl(kubectl, "get", "deployment/web", "-o", "json"))
    cluster.kubectl(kubectl, "scale", "deployment/web", "--replicas=4")
    done = cluster.run(kubectl, "replace", "-f", "-", given=old)
    assert "Error from server (Conflict)" in done.stderr
    assert "the object has been modified; please apply your changes to the latest version" in done.stderr


@pytest.mark.usefixtures("present")
def test_describe_and_events_show_what_happened(cluster: Cluster, kubectl: str) -> None:
    for version, kind, name in (("apps/v1", "Deployment", "web"), ("v1", "Service", "web"), ("v1", "Pod", "lone")):
        uid = field(cluster, kubectl, f"{kind}/{name}", ".metadata.uid")
        subject = {"apiVersion": version, "kind": kind, "name": name, "namespace": "default", "uid": uid}
        seen = {"firstTimestamp": "2027-01-15T08:00:00Z", "lastTimestamp": "2027-01-15T08:00:00Z", "count": 1}
        event = {"metadata": {"name": f"{kind.lower()}.1"}, "involvedObject": subject, "type": "Normal", **seen}
        cluster.request("POST", COLLECTIONS[-1], {**event, "reason": "Noticed", "message": "seen by the test"})
        assert "seen by the test" in cluster.kubectl(kubectl, "describe", kind, name)
        assert "seen by the test" in cluster.kubectl(kubectl, "events", "--for", f"{kind}/{name}")


def test_describe_node_reads_all_it_wants(cluster: Cluster, kubectl: str) -> None:
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"}, "status": {"capacity": {"cpu": "2"}}}
    cluster.request("POST", "/api/v1/nodes", node)
    assert "cpu:  2" in cluster.kubectl(kubectl, "describe", "node", "node-1")
    cluster.request("DELETE", "/api/v1/nodes/node-1")


@pytest.mark.usefixtures("present")
def test_rollout_follows_the_deployment(cluster: Cluster, kubectl: str) -> None:
    rolled_out(cluster, kubectl)
    assert "successfully rolled out" in cluster.kubectl(kubectl, "rollout", "status", "deployment/web")
    cluster.kubectl(kubectl, "wait", "--for=condition=Available", "deployment/web", "--timeout=5s")
    for revision, image in ((1, "web:1"), (2, "web:2")):
        cluster.request("POST", COLLECTIONS[3], replica_set(cluster, kubectl, revision, image))
    cluster.kubectl(kubectl, "annotate", "deployment/web", f"{REVISION}=2")
    cluster.kubectl(kubectl, "set", "image", "deployment/web", "main=web:2")
    history = cluster.kubectl(kubectl, "rollout", "history", "deployment/web").splitlines()
    assert [line.split()[0] for line in history[2:] if line] == ["1", "2"]
    cluster.kubectl(kubectl, "rollout", "undo", "deployment/web")
    image = field(cluster, kubectl, "deployment/web", ".spec.template.spec.containers[0].image")
    assert image == "web:1"
    assert "restarted" in cluster.kubectl(kubectl, "rollout", "restart", "deployment/web")


@pytest.mark.usefixtures("present")
def test_delete_waits_until_the_pod_is_gone(cluster: Cluster, kubectl: str) -> None:
    assert cluster.kubectl(kubectl, "delete", "pod", "lone", "--timeout=10s").startswith('pod "lone" deleted')
    assert cluster.run(kubectl, "get", "pod", "lone").returncode == 1


@pytest.mark.usefixtures("present")
def test_a_scheduled_pod_terminates_until_it_is_deleted_by_force(cluster: Cluster, kubectl: str) -> None:
    binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "lone"}, "target": {"name": "node-1"}}
    cluster.request("POST", f"{COLLECTIONS[2]}/lone/binding", binding)
    cluster.kubectl(kubectl, "delete", "pod", "lone", "--wait=false")
    assert "Terminating" in cluster.kubectl(kubectl, "get", "pod", "lone")
    cluster.kubectl(kubectl, "delete", "pod", "lone", "--now", "--wait=false")
    assert field(cluster, kubectl, "pod/lone", ".metadata.deletionGracePeriodSeconds") == "1"
    cluster.kubectl(kubectl, "delete", "pod", "lone", "--grace-period=0", "--force")
    assert cluster.run(kubectl, "get", "pod", "lone").returncode == 1


@pytest.mark.usefixtures("present")
def test_get_watches(cluster: Cluster, kubectl: str) -> None:
    arguments = [kubectl, "get", "pods", "--watch", "--output-watch-events"]
    with subprocess.Popen(arguments, env=cluster.environment(), stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        try:
            lines = [watching.stdout.readline().split() for _ in range(2)]
            cluster.kubectl(kubectl, "delete", "pod", "lone")
            # A pod that goes at once is marked before, as on a real cluster.
            lines += [watching.stdout.readline().split() for _ in range(2)]
        finally:
            watching.kill()
    assert [line[:2] for line in lines] == [
        ["EVENT", "NAME"],
        ["ADDED", "lone"],
        ["MODIFIED", "lone"],
        ["DELETED", "lone"],
    ]


def test_discovery_lists_what_is_served(cluster: Cluster, kubectl: str) -> None:
    names = cluster.kubectl(kubectl, "api-resources", "-o", "name").split()
    assert {"pods", "deployments.apps", "leases.coordination.k8s.io", "events"} <= set(names)
    assert "Server Version: v1.34.4+sandbox" in cluster.kubectl(kubectl, "version")
    assert "strategy" in cluster.kubectl(kubectl, "explain", "deployment.spec")


@pytest.mark.usefixtures("present")
def test_what_is_not_served_says_so(cluster: Cluster, kubectl: str) -> None:
    """`create configmap` sends protobuf, `--server-side` sends an apply patch, `exec` upgrades the connection."""
    for arguments, says in (
        (("create", "configmap", "x", "--from-literal=a=b"), "--dry-run=client -o yaml"),
        (("apply", "--server-side", "-f", "-"), "Server-side apply not available on the server"),
        (("exec", "lone", "--", "ls"), "the sandbox does not serve exec"),
    ):
        done = cluster.run(kubectl, *arguments, given=MANIFESTS)
        assert done.returncode == 1
        assert says in done.stderr
