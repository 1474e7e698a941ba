from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.apiserver.bodies import DEPLOYMENT, NAMESPACE, POD, SERVICE, Region, deployment, pod, service


def test_a_deployment_gets_the_strategy_and_limits_of_a_real_one() -> None:
    spec = Region().create(DEPLOYMENT, deployment())["spec"]
    assert spec["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"},
    }
    assert (spec["revisionHistoryLimit"], spec["progressDeadlineSeconds"]) == (10, 600)
    assert spec["template"]["spec"]["restartPolicy"] == "Always"
    assert "enableServiceLinks" not in spec["template"]["spec"]


def test_a_recreating_deployment_gets_no_rolling_update() -> None:
    assert Region().create(DEPLOYMENT, deployment(strategy={"type": "Recreate"}))["spec"]["strategy"] == {
        "type": "Recreate"
    }


def test_a_pod_gets_what_the_server_and_admission_fill_in() -> None:
    created = Region().create(POD, pod())
    assert created["status"] == {"phase": "Pending", "qosClass": "BestEffort"}
    spec = created["spec"]
    assert spec["terminationGracePeriodSeconds"] == 30
    assert spec["serviceAccountName"] == spec["serviceAccount"] == "default"
    assert {each["key"]: each["tolerationSeconds"] for each in spec["tolerations"]} == {
        "node.kubernetes.io/not-ready": 300,
        "node.kubernetes.io/unreachable": 300,
    }
    assert spec["containers"][0] == {
        "name": "main",
        "image": "web:1",
        "imagePullPolicy": "IfNotPresent",
        "resources": {},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    }


def test_a_probe_gets_its_thresholds_and_periods() -> None:
    probe = {"httpGet": {"port": 80}}
    created = Region().create(POD, pod(containers=[{"name": "main", "image": "i", "readinessProbe": probe}]))
    assert created["spec"]["containers"][0]["readinessProbe"] == {
        "httpGet": {"port": 80, "path": "/", "scheme": "HTTP"},
        "timeoutSeconds": 1,
        "periodSeconds": 10,
        "successThreshold": 1,
        "failureThreshold": 3,
    }


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("web", "Always"),
        ("web:latest", "Always"),
        ("web:1", "IfNotPresent"),
        ("host:5000/web", "Always"),
        ("host:5000/web:2", "IfNotPresent"),
    ],
)
def test_an_untagged_or_latest_image_is_always_pulled(image: str, policy: str) -> None:
    created = Region().create(POD, pod(containers=[{"name": "main", "image": image}]))
    assert created["spec"]["containers"][0]["imagePullPolicy"] == policy


@pytest.mark.parametrize(
    ("resources", "qos_class"),
    [
        ({}, "BestEffort"),
        ({"requests": {"cpu": "1"}}, "Burstable"),
        ({"limits": {"cpu": "1"}}, "Burstable"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}}, "Guaranteed"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}, "Burstable"),
    ],
)
def test_the_quality_of_service_follows_from_requests_and_limits(resources: dict[str, Any], qos_class: str) -> None:
    created = Region().create(POD, pod(containers=[{"name": "main", "image": "i", "resources": resources}]))
    assert created["status"]["qosClass"] == qos_class


def test_a_service_gets_an_address_of_its_region_and_its_target_port() -> None:
    region = Region()
    first, second = (region.create(SERVICE, service(name))["spec"] for name in ("a", "b"))
    assert (first["clusterIP"], second["clusterIP"]) == ("127.91.48.1", "127.91.48.2")
    assert first["clusterIPs"] == ["127.91.48.1"]
    assert first["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 80}]
    assert (first["type"], first["sessionAffinity"]) == ("ClusterIP", "None")


def test_a_headless_service_gets_no_address() -> None:
    assert Region().create(SERVICE, service(clusterIP="None"))["spec"]["clusterIPs"] == ["None"]


def test_a_namespace_is_active_and_held_by_its_finalizer() -> None:
    created = Region().create(NAMESPACE, {"metadata": {"name": "tars"}})
    assert created["metadata"]["labels"] == {"kubernetes.io/metadata.name": "tars"}
    assert created["spec"] == {"finalizers": ["kubernetes"]}
    assert created["status"] == {"phase": "Active"}
