from __future__ import annotations

import pytest

from sandbox.client import KubeObject
from sandbox.controllers.scheduler import choose_node
from tests.sandbox.builders import condition, pod


def node(name: str, *, ready: bool = True, unschedulable: bool = False, **labels: str) -> KubeObject:
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {"unschedulable": True} if unschedulable else {},
        "status": {"conditions": [condition("Ready", str(ready))]},
    }


def test_a_pod_goes_to_the_node_with_the_fewest_pods() -> None:
    pods = [pod("a", node="one"), pod("b", node="two"), pod("c", node="two", terminating=True), pod("d", node="one")]
    assert choose_node(pod(node=""), [node("one"), node("two")], pods) == ("two", "")


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([], "no nodes available to schedule pods"),
        ([node("one")], "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."),
        (
            [node("one", unschedulable=True), node("two", disk="hdd")],
            "0/2 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, "
            "1 node(s) were unschedulable.",
        ),
        (
            [node("one", ready=False, disk="ssd")],
            "0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }.",
        ),
    ],
)
def test_a_pod_that_fits_nowhere_is_told_why(nodes: list[KubeObject], message: str) -> None:
    picky = pod(node="")
    picky["spec"]["nodeSelector"] = {"disk": "ssd"}
    assert choose_node(picky, nodes, []) == (None, message)


def test_a_node_selector_is_honoured() -> None:
    picky = pod(node="")
    picky["spec"]["nodeSelector"] = {"disk": "ssd"}
    assert choose_node(picky, [node("one"), node("two", disk="ssd")], []) == ("two", "")
