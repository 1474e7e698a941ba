from __future__ import annotations

import pytest

from sandbox.clock import NS_PER_S
from sandbox.node.status import ContainerState, PodPlace, pod_phase, pod_status
from tests.sandbox.builders import T0_NS, at, condition, container, pod

PLACE = PodPlace("127.92.32.1", "127.92.1.2", T0_NS)


def ended(code: int) -> dict[str, object]:
    return {"terminated": {"exitCode": code}}


def state(what: str) -> ContainerState:
    made = ContainerState("app", "image")
    match what:
        case "new":
            pass
        case "running":
            made.state = {"running": {}}
        case "waiting":
            made.state, made.last_state = {"waiting": {"reason": "CrashLoopBackOff"}}, ended(1)
        case code:
            made.state = ended(int(code))
    return made


@pytest.mark.parametrize(
    ("containers", "policy", "is_ended", "expected"),
    [
        (["new"], "Always", False, "Pending"),
        (["running", "new"], "Always", False, "Pending"),
        (["running"], "Always", False, "Running"),
        (["running", "1"], "Never", False, "Running"),
        (["waiting"], "Always", False, "Running"),
        (["1"], "Always", False, "Running"),
        (["1"], "OnFailure", False, "Running"),
        (["0"], "OnFailure", False, "Succeeded"),
        (["0", "0"], "Never", False, "Succeeded"),
        (["0", "1"], "Never", False, "Failed"),
        (["0"], "Always", True, "Succeeded"),
        (["143"], "Always", True, "Failed"),
        (["new"], "Always", True, "Pending"),
    ],
)
def test_the_phase(containers: list[str], policy: str, is_ended: bool, expected: str) -> None:
    assert pod_phase([state(each) for each in containers], policy, ended=is_ended) == expected


def test_a_pod_is_ready_when_all_its_containers_are() -> None:
    two = pod(containers=[container(), container()])
    states = [state("running"), state("running")]
    states[0].ready = True
    status = pod_status(two, states, PLACE, [], T0_NS, ended=False)
    found = {each["type"]: each for each in status["conditions"]}
    assert found["Ready"]["status"] == found["ContainersReady"]["status"] == "False"
    assert found["Ready"]["reason"] == "ContainersNotReady"
    assert found["Ready"]["message"] == "containers with unready status: [app]"
    states[1].ready = True
    later = pod_status(two, states, PLACE, status["conditions"], T0_NS + NS_PER_S, ended=False)
    found = {each["type"]: each for each in later["conditions"]}
    assert found["Ready"] == {"type": "Ready", "status": "True", "lastTransitionTime": at(1)}
    assert found["Initialized"]["lastTransitionTime"] == at(0), "it did not change"


def test_conditions_of_others_are_kept() -> None:
    bound = pod()
    bound["status"]["conditions"].append(condition("PodScheduled", "True"))
    status = pod_status(bound, [state("running")], PLACE, [], T0_NS, ended=False)
    assert [each["type"] for each in status["conditions"]] == [
        "PodReadyToStartContainers",
        "Initialized",
        "Ready",
        "ContainersReady",
        "PodScheduled",
    ]


def test_the_status_says_where_the_pod_runs_and_what_its_containers_did() -> None:
    made = state("waiting")
    made.restarts = 2
    status = pod_status(pod(), [made], PLACE, [], T0_NS, ended=False)
    assert (status["podIP"], status["hostIP"], status["startTime"]) == ("127.92.32.1", "127.92.1.2", at(0))
    assert status["containerStatuses"] == [
        {
            "name": "app",
            "image": "image",
            "imageID": "",
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": 1}},
            "ready": False,
            "started": False,
            "restartCount": 2,
        }
    ]
