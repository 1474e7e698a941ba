from __future__ import annotations

from typing import Any

import pytest

from sandbox.apiserver.podcells import pod_cells


def status(name: str = "main", ready: bool = False, restarts: int = 0, **state: Any) -> dict[str, Any]:
    return {"name": name, "ready": ready, "restartCount": restarts, "state": state}


RUNNING = status(ready=True, running={})
INITIALIZED = [{"type": "Initialized", "status": "True"}]


@pytest.mark.parametrize(
    ("pod_status", "cells"),
    [
        ({"phase": "Pending"}, (0, "Pending")),
        ({"phase": "Failed", "reason": "Evicted"}, (0, "Evicted")),
        ({"phase": "Running", "containerStatuses": [RUNNING]}, (1, "Running")),
        ({"phase": "Running", "containerStatuses": [status(running={})]}, (0, "Running")),
        ({"phase": "Pending", "containerStatuses": [status(waiting={"reason": "ContainerCreating"})]},
         (0, "ContainerCreating")),
        ({"phase": "Running", "containerStatuses": [status(waiting={"reason": "CrashLoopBackOff"})]},
         (0, "CrashLoopBackOff")),
        ({"phase": "Running", "containerStatuses": [status(terminated={"exitCode": 1, "reason": "Error"})]},
         (0, "Error")),
        ({"phase": "Succeeded", "containerStatuses": [status(terminated={"exitCode": 0, "reason": "Completed"})]},
         (0, "Completed")),
        ({"phase": "Failed", "containerStatuses": [status(terminated={"exitCode": 137, "signal": 9})]},
         (0, "Signal:9")),
        ({"phase": "Failed", "containerStatuses": [status(terminated={"exitCode": 3})]}, (0, "ExitCode:3")),
        # One container has completed and another runs: the pod runs, or is not ready.
        ({"phase": "Running", "containerStatuses": [status(terminated={"exitCode": 0, "reason": "Completed"}), RUNNING],
          "conditions": [{"type": "Ready", "status": "True"}]}, (1, "Running")),
        ({"phase": "Running",
          "containerStatuses": [status(terminated={"exitCode": 0, "reason": "Completed"}), RUNNING]}, (1, "NotReady")),
        ({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]},
         (0, "SchedulingGated")),
    ],
)  # fmt: skip
def test_the_status_of_a_pod_is_that_of_its_containers(pod_status: dict[str, Any], cells: tuple[int, str]) -> None:
    shown = pod_cells({"metadata": {}, "spec": {"containers": [{"name": "main"}]}, "status": pod_status})
    assert (shown.ready, shown.reason) == cells


@pytest.mark.parametrize(
    ("init_statuses", "reason"),
    [
        ([status("first", running={})], "Init:0/2"),
        ([status("first", terminated={"exitCode": 0}), status("second", running={})], "Init:1/2"),
        ([status("first", terminated={"exitCode": 2})], "Init:ExitCode:2"),
        ([status("first", terminated={"exitCode": 2, "signal": 15})], "Init:Signal:15"),
        ([status("first", terminated={"exitCode": 2, "reason": "Error"})], "Init:Error"),
        ([status("first", waiting={"reason": "CrashLoopBackOff"})], "Init:CrashLoopBackOff"),
        ([status("first", waiting={"reason": "PodInitializing"})], "Init:0/2"),
    ],
)
def test_a_pod_that_initialises_says_how_far_it_is(init_statuses: list[dict[str, Any]], reason: str) -> None:
    spec = {"containers": [{"name": "main"}], "initContainers": [{"name": "first"}, {"name": "second"}]}
    pod_status = {"phase": "Pending", "initContainerStatuses": init_statuses, "containerStatuses": [RUNNING]}
    assert pod_cells({"metadata": {}, "spec": spec, "status": pod_status}).reason == reason


def test_a_sidecar_counts_as_a_container() -> None:
    spec = {"containers": [{"name": "main"}], "initContainers": [{"name": "side", "restartPolicy": "Always"}]}
    side = {**status("side", ready=True, running={}), "started": True}
    shown = pod_cells({"metadata": {}, "spec": spec, "status": {
        "phase": "Running", "initContainerStatuses": [side], "containerStatuses": [RUNNING],
    }})  # fmt: skip
    assert (shown.ready, shown.total, shown.reason) == (2, 2, "Running")


@pytest.mark.parametrize(
    ("pod_status", "reason"),
    [
        ({"phase": "Running", "containerStatuses": [RUNNING]}, "Terminating"),
        ({"phase": "Succeeded"}, "Succeeded"),
        ({"phase": "Running", "reason": "NodeLost"}, "Unknown"),
    ],
)
def test_a_pod_being_deleted_is_terminating_unless_it_ended_or_its_node_is_lost(
    pod_status: dict[str, Any], reason: str
) -> None:
    metadata = {"deletionTimestamp": "2027-01-15T08:00:00Z"}
    assert pod_cells({"metadata": metadata, "spec": {"containers": [{}]}, "status": pod_status}).reason == reason


def test_restarts_are_added_up_and_the_last_of_them_is_dated() -> None:
    ended = [{"terminated": {"finishedAt": f"2027-01-15T08:00:0{second}Z"}} for second in (5, 3)]
    statuses = [{**status(restarts=2, running={}), "lastState": each} for each in ended]
    spec = {"containers": [{"name": "a"}, {"name": "b"}]}
    shown = pod_cells({"metadata": {}, "spec": spec, "status": {"phase": "Running", "containerStatuses": statuses}})
    assert (shown.restarts, shown.last_restart) == (4, "2027-01-15T08:00:05Z")
