"""Unmodified kubectl on a whole sandbox, as a person uses it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.sandbox import REPOSITORY, Sandbox

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

KUBECTL = Path(sys.executable).parent / "kubectl"
Kubectl = Callable[..., str]


@pytest.fixture
def kubectl(hardened: Sandbox) -> Kubectl:
    """Run kubectl against us-east-1 and return what it printed; fails the test where it failed."""

    def run(*arguments: str, text: str | None = None) -> str:
        done = subprocess.run(
            [KUBECTL, "--context", "us-east-1", *arguments],
            env=hardened.environment,
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.mark.parametrize("context", ["us-east-1", "us-west-2", "eu-central-1"])
def test_every_region_is_whole(hardened: Sandbox, context: str) -> None:
    done = subprocess.run(
        [KUBECTL, "--context", context, "get", "deployments"],
        env=hardened.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.findall(r"^(\S+) +(\d/\d)", done.stdout, re.MULTILINE) == [
        ("dashboard-api", "2/2"),
        ("eval-engine", "2/2"),
        ("orchestration-agent", "3/3"),
    ]


def test_get_wide_shows_address_and_node(kubectl: Kubectl) -> None:
    header, *rows = kubectl("get", "pods", "-o", "wide").splitlines()
    assert header.split()[:7] == ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE"]
    assert len(rows) == 7
    assert all("us-east-1-node-1" in row and "1/1" in row and "Running" in row for row in rows)


def test_describe_joins_what_belongs_together(kubectl: Kubectl) -> None:
    deployment = kubectl("describe", "deployment", "orchestration-agent")
    assert "3 desired | 3 updated | 3 total | 3 available | 0 unavailable" in deployment
    assert "MinimumReplicasAvailable" in deployment
    pod = kubectl("get", "pods", "-l", "app=eval-engine", "-o", "jsonpath={.items[0].metadata.name}")
    described = kubectl("describe", "pod", pod)
    assert "Controlled By:  ReplicaSet/eval-engine-" in described
    assert re.search(r"Normal +Started", described)
    assert "Endpoints:" in kubectl("describe", "service", "eval-engine")


def test_scale_and_rollout_status(kubectl: Kubectl) -> None:
    try:
        assert "scaled" in kubectl("scale", "deployment/dashboard-api", "--replicas=3")
        assert "successfully rolled out" in kubectl("rollout", "status", "deployment/dashboard-api", "--timeout=30s")
        assert kubectl("get", "deployment", "dashboard-api", "-o", "jsonpath={.status.readyReplicas}") == "3"
    finally:
        kubectl("scale", "deployment/dashboard-api", "--replicas=2")
        kubectl("wait", "deployment/dashboard-api", "--for=jsonpath={.status.replicas}=2", "--timeout=30s")


def test_delete_and_wait(kubectl: Kubectl) -> None:
    pod = kubectl("get", "pods", "-l", "app=dashboard-api", "-o", "jsonpath={.items[0].metadata.name}")
    assert f'pod "{pod}" deleted' in kubectl("delete", "pod", pod)
    assert pod not in kubectl("get", "pods", "-o", "name")
    kubectl("wait", "pod", "-l", "app=dashboard-api", "--for=condition=ready", "--timeout=30s")
    assert "2/2" in kubectl("get", "deployment", "dashboard-api")


def test_logs_of_a_pod_and_of_a_deployment(kubectl: Kubectl) -> None:
    assert "orchestration-agent" in kubectl("logs", "deployment/orchestration-agent", "--tail=20")


def test_applying_the_manifests_changes_no_pod_and_applying_them_again_changes_nothing(kubectl: Kubectl) -> None:
    manifests = str(REPOSITORY / "sandbox" / "manifests" / "hardened")
    before = kubectl("get", "pods", "-o", "name")
    kubectl("apply", "-k", manifests)  # kubectl writes its annotation anew, and that is all
    applied = kubectl("apply", "-k", manifests).splitlines()
    assert len(applied) == 9
    assert all(line.endswith(" unchanged") for line in applied), applied
    assert kubectl("get", "pods", "-o", "name") == before


def test_an_autoscaler_is_shown_with_what_it_knows(kubectl: Kubectl) -> None:
    # It knows its metric once its pods have been measured over a whole window after they became ready.
    kubectl("wait", "hpa/eval-engine", "--for=condition=ScalingActive", "--timeout=90s")
    header, row = kubectl("get", "hpa").splitlines()
    assert header.split() == ["NAME", "REFERENCE", "TARGETS", "MINPODS", "MAXPODS", "REPLICAS", "AGE"]
    assert re.match(r"eval-engine +Deployment/eval-engine +cpu: \d+%/70% +2 +5 +2 ", row)
    described = kubectl("describe", "hpa", "eval-engine")
    assert "resource cpu on pods  (as a percentage of request):" in described
    assert re.search(r"ScalingActive +True +ValidMetricFound", described)


def test_top_shows_what_pods_and_nodes_use(kubectl: Kubectl) -> None:
    kubectl("wait", "hpa/eval-engine", "--for=condition=ScalingActive", "--timeout=90s")
    deadline_s = time.monotonic() + 60
    while len(rows := kubectl("top", "pods", "--no-headers").splitlines()) != 7:
        # A pod that an earlier test had replaced has yet to be measured over a window.
        assert time.monotonic() < deadline_s, rows
        time.sleep(1)
    assert all(re.search(r" \d+m +\d+Mi *$", row) for row in rows), rows
    assert re.match(r"us-east-1-node-1 +\d+m +\d+% +\d+Mi +\d+% *$", kubectl("top", "nodes", "--no-headers"))
    assert "service" in kubectl("top", "pods", "-l", "app=eval-engine", "--containers")


def test_autoscale_makes_an_autoscaler(kubectl: Kubectl) -> None:
    wanted = ("autoscale", "deployment", "dashboard-api", "--cpu=80%", "--min=2", "--max=4")
    try:
        kubectl("apply", "-f", "-", text=kubectl(*wanted, "--dry-run=client", "-o", "yaml"))
        assert "Deployment/dashboard-api" in kubectl("get", "hpa", "dashboard-api")
    finally:
        kubectl("delete", "hpa", "dashboard-api", "--ignore-not-found")


def test_a_rolling_restart_replaces_every_pod(kubectl: Kubectl) -> None:
    before = json.loads(kubectl("get", "pods", "-l", "app=dashboard-api", "-o", "json"))["items"]
    kubectl("rollout", "restart", "deployment/dashboard-api")
    kubectl("rollout", "status", "deployment/dashboard-api", "--timeout=60s")
    after = json.loads(kubectl("get", "pods", "-l", "app=dashboard-api", "-o", "json"))["items"]
    assert {p["metadata"]["uid"] for p in before}.isdisjoint(
        p["metadata"]["uid"] for p in after if "deletionTimestamp" not in p["metadata"]
    )
