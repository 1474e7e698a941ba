from __future__ import annotations

import itertools

import pytest

from sandbox.client import KubeObject
from sandbox.clock import NS_PER_S
from sandbox.controllers.replicaset import deletion_rank, difference, pod_from_template, replica_set_status
from tests.sandbox.builders import T0_NS, pod, replica_set


def test_missing_pods_are_created_and_surplus_pods_deleted() -> None:
    pods = [pod("a"), pod("b")]
    assert difference(replica_set("web-abc", 3), pods).create == 1
    assert difference(replica_set("web-abc", 2), pods).create == 0
    assert len(difference(replica_set("web-abc", 0), pods).delete) == 2


@pytest.mark.parametrize("gone", [pod("x", terminating=True), pod("x", phase="Failed"), pod("x", phase="Succeeded")])
def test_a_pod_that_ends_or_has_ended_is_replaced(gone: KubeObject) -> None:
    assert difference(replica_set("web-abc", 1), [gone]).create == 1


DELETION_ORDER = [
    pod("unscheduled", node="", phase="Pending", ready=False),
    pod("pending", phase="Pending", ready=False),
    pod("unready", ready=False),
    pod("cheap", annotations={"controller.kubernetes.io/pod-deletion-cost": "-5"}),
    pod("ready-lately", ready_s=100),
    pod("restarted", restarts=2),
    pod("young", created_s=100),
    pod("old"),
]


@pytest.mark.parametrize(("first", "second"), list(itertools.pairwise(DELETION_ORDER)))
def test_the_pod_that_is_missed_least_goes_first(first: KubeObject, second: KubeObject) -> None:
    assert deletion_rank(first) < deletion_rank(second)
    assert difference(replica_set("web-abc", 1), [second, first]).delete == [first]


def test_a_new_pod_is_the_template_with_an_owner_and_a_name_to_be_completed() -> None:
    made = pod_from_template(replica_set("web-abc", 1))
    assert made["metadata"]["generateName"] == "web-abc-"
    assert made["metadata"]["labels"] == {"app": "web"}
    assert made["metadata"]["ownerReferences"][0]["uid"] == "uid-web-abc"
    assert made["metadata"]["ownerReferences"][0]["controller"] is True


def test_the_status_counts_active_ready_and_available_pods() -> None:
    owner = replica_set("web-abc", 4, metadata={"generation": 7, "name": "web-abc"})
    owner["spec"]["minReadySeconds"] = 10
    pods = [pod("a", ready_s=0), pod("b", ready_s=5), pod("c", ready=False), pod("d", terminating=True)]
    status, again_s = replica_set_status(owner, pods, T0_NS + 12 * NS_PER_S)
    assert status == {
        "replicas": 3,
        "fullyLabeledReplicas": 3,
        "readyReplicas": 2,
        "availableReplicas": 1,
        "observedGeneration": 7,
    }
    assert again_s == 3.0, "b becomes available 10 s after it became ready"
