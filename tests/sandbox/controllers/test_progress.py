from __future__ import annotations

import pytest

from sandbox.client import KubeObject
from sandbox.clock import NS_PER_S
from sandbox.controllers.progress import deployment_status, progress_check_s
from tests.sandbox.builders import T0_NS, at, condition, deployment, replica_set


def progressing(reason: str, status: str = "True") -> KubeObject:
    return condition("Progressing", status, reason, lastUpdateTime=at(0), message="")


def reasons(status: KubeObject) -> dict[str, tuple[str, str]]:
    return {each["type"]: (each["status"], each["reason"]) for each in status["conditions"]}


def test_the_counts_come_from_all_replica_sets_and_zeroes_are_left_out() -> None:
    new, old = replica_set("new", 2, available=1), replica_set("old", 2)
    status = deployment_status(deployment(replicas=3), new, [old], T0_NS)
    assert {key: value for key, value in status.items() if key != "conditions"} == {
        "observedGeneration": 1,
        "replicas": 4,
        "updatedReplicas": 2,
        "readyReplicas": 3,
        "availableReplicas": 3,
        "unavailableReplicas": 1,
    }
    assert "replicas" not in deployment_status(deployment(replicas=0), None, [], T0_NS)


@pytest.mark.parametrize(
    ("available", "expected"),
    [
        (3, ("True", "MinimumReplicasAvailable")),
        (2, ("False", "MinimumReplicasUnavailable")),  # 25 % of 3 is no whole pod, so none may be missing
    ],
)
def test_a_deployment_is_available_while_no_more_pods_are_missing_than_may_be(
    available: int, expected: tuple[str, str]
) -> None:
    status = deployment_status(deployment(replicas=3), replica_set("new", 3, available=available), [], T0_NS)
    assert reasons(status)["Available"] == expected


@pytest.mark.parametrize(
    ("what", "before", "new", "old", "after_s", "expected"),
    [
        ("first seen", None, (3, 0), (0, 0), 0, ("True", "FoundNewReplicaSet")),
        ("pods became ready", "NewReplicaSetCreated", (3, 1), (0, 0), 5, ("True", "ReplicaSetUpdated")),
        ("complete", "ReplicaSetUpdated", (3, 3), (0, 0), 5, ("True", "NewReplicaSetAvailable")),
        ("a pod was lost later", "NewReplicaSetAvailable", (3, 2), (0, 0), 9999, ("True", "NewReplicaSetAvailable")),
        ("nothing yet, in time", "NewReplicaSetCreated", (3, 0), (0, 0), 600, ("True", "NewReplicaSetCreated")),
        ("nothing, too long", "NewReplicaSetCreated", (3, 0), (0, 0), 601, ("False", "ProgressDeadlineExceeded")),
        ("complete after all", "ProgressDeadlineExceeded", (3, 3), (0, 0), 700, ("True", "NewReplicaSetAvailable")),
    ],
)
def test_progress(
    what: str,
    before: str | None,
    new: tuple[int, int],
    old: tuple[int, int],
    after_s: int,
    expected: tuple[str, str],
) -> None:
    wanted = deployment(replicas=3, progressDeadlineSeconds=600)
    wanted["status"] = {"replicas": 3, "updatedReplicas": 3}
    if before is not None:
        wanted["status"]["conditions"] = [progressing(before, "False" if "Exceeded" in before else "True")]
    status = deployment_status(
        wanted,
        replica_set("new", new[0], available=new[1]),
        [replica_set("old", old[0], available=old[1])],
        T0_NS + after_s * NS_PER_S,
    )
    assert reasons(status)["Progressing"] == expected, what


def test_a_replica_set_that_was_just_made_is_said_so() -> None:
    status = deployment_status(
        deployment(progressDeadlineSeconds=600), replica_set("web-x", 3, available=0), [], T0_NS, created=True
    )
    (found,) = [each for each in status["conditions"] if each["type"] == "Progressing"]
    assert (found["reason"], found["message"]) == ("NewReplicaSetCreated", 'Created new replica set "web-x"')


def test_a_paused_deployment_says_so_and_its_deadline_rests() -> None:
    wanted = deployment(progressDeadlineSeconds=600, paused=True)
    wanted["status"] = {"conditions": [progressing("ReplicaSetUpdated")]}
    status = deployment_status(wanted, None, [replica_set("old", 3)], T0_NS)
    assert reasons(status)["Progressing"] == ("Unknown", "DeploymentPaused")
    assert progress_check_s(wanted, status, T0_NS) is None
    wanted["spec"]["paused"], wanted["status"] = False, status
    resumed = deployment_status(wanted, None, [replica_set("old", 3)], T0_NS)
    assert reasons(resumed)["Progressing"] == ("Unknown", "DeploymentResumed")


def test_transition_times_move_only_with_the_condition_s_status() -> None:
    wanted = deployment(replicas=3, progressDeadlineSeconds=600)
    wanted["status"] = {"conditions": [progressing("NewReplicaSetCreated"), condition("Available", "False", "x")]}
    status = deployment_status(wanted, replica_set("new", 3), [], T0_NS + 60 * NS_PER_S)
    times = {each["type"]: each["lastTransitionTime"] for each in status["conditions"]}
    assert times == {"Progressing": at(0), "Available": at(60)}


def test_a_stuck_rollout_is_looked_at_again_when_its_deadline_is_over() -> None:
    wanted = deployment(replicas=3, progressDeadlineSeconds=600)
    wanted["status"] = {"updatedReplicas": 3, "conditions": [progressing("NewReplicaSetCreated")]}
    status = deployment_status(wanted, replica_set("new", 3, available=0), [], T0_NS + 200 * NS_PER_S)
    assert progress_check_s(wanted, status, T0_NS + 200 * NS_PER_S) == 401.0
