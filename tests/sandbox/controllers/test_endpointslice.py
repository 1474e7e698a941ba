from __future__ import annotations

import pytest

from sandbox.controllers.endpointslice import slice_labels, wanted_slices
from tests.sandbox.builders import container, pod, service


@pytest.mark.parametrize(
    ("what", "ready", "terminating", "published", "expected"),
    [
        # expected: ready, serving, terminating
        ("ready", True, False, False, (True, True, False)),
        ("unready", False, False, False, (False, False, False)),
        ("being deleted, still answering", True, True, False, (False, True, True)),
        ("being deleted, not answering", False, True, False, (False, False, True)),
        ("unready, but published all the same", False, False, True, (True, False, False)),
        ("being deleted, but published all the same", True, True, True, (True, True, True)),
    ],
)
def test_the_conditions_of_an_endpoint(
    what: str, ready: bool, terminating: bool, published: bool, expected: tuple[bool, bool, bool]
) -> None:
    owner = service(publishNotReadyAddresses=True) if published else service()
    (made,) = wanted_slices(owner, [pod(ready=ready, terminating=terminating)], {})
    conditions = made["endpoints"][0]["conditions"]
    assert (conditions["ready"], conditions["serving"], conditions["terminating"]) == expected, what


def test_an_endpoint_says_which_pod_it_is_and_where() -> None:
    (made,) = wanted_slices(service(), [pod()], {"node-1": "us-east-1a"})
    assert made["ports"] == [{"name": "", "port": 8080, "protocol": "TCP"}]
    (endpoint,) = made["endpoints"]
    assert endpoint["addresses"] == ["127.92.32.1"]
    assert endpoint["targetRef"] == {"kind": "Pod", "namespace": "tars", "name": "web-1", "uid": "uid-web-1"}
    assert (endpoint["nodeName"], endpoint["zone"]) == ("node-1", "us-east-1a")


def test_pods_that_ended_or_have_no_address_or_other_labels_are_no_endpoints() -> None:
    stranger = pod("stranger")
    stranger["metadata"]["labels"] = {"app": "other"}
    pods = [pod("ended", phase="Succeeded"), pod("bare", ip=""), stranger]
    assert wanted_slices(service(), pods, {}) == [{"ports": [], "endpoints": []}]


def test_a_named_port_is_looked_up_in_each_pod_and_pods_of_unlike_ports_get_slices_of_their_own() -> None:
    owner = service(ports=[{"name": "web", "port": 80, "targetPort": "http"}])
    old = pod("a", containers=[container(ports=[{"name": "http", "containerPort": 8080}])])
    new = pod("b", containers=[container(ports=[{"name": "http", "containerPort": 9090}])])
    nameless = pod("c")
    found = wanted_slices(owner, [old, new, nameless], {})
    assert [[port["port"] for port in each["ports"]] for each in found] == [[8080], [9090], []]


def test_the_slices_carry_the_service_s_labels_and_their_manager_s() -> None:
    owner = service(clusterIP="None")
    owner["metadata"]["labels"] = {"team": "sre"}
    assert slice_labels(owner) == {
        "team": "sre",
        "service.kubernetes.io/headless": "",
        "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    }
