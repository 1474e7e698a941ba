from __future__ import annotations

from typing import Any

import pytest

from sandbox.client import KubeObject
from sandbox.clock import NS_PER_S
from sandbox.controllers.autoscaler import Decision, Observed, decide, status_after
from sandbox.controllers.scalinghistory import History, Moment
from sandbox.periods import Periods
from tests.sandbox.builders import T0_NS, at, autoscaler, container, pod

NOW_S = 1000
NOW_NS = T0_NS + NOW_S * NS_PER_S
PERIODS = Periods()
CPU_REASON = "cpu resource utilization (percentage of request)"


def pods(count: int, cpu: str | None = "100m") -> list[KubeObject]:
    resources = {"requests": {"cpu": cpu, "memory": "64Mi"}} if cpu else {}
    made = [pod(f"web-{number}", containers=[container(resources=resources)]) for number in range(count)]
    for each in made:
        each["status"]["startTime"] = at(0)
    return made


def metrics(*cpu: str, memory: str = "32Mi") -> list[KubeObject]:
    return [
        {
            "metadata": {"name": f"web-{number}"},
            "timestamp": at(NOW_S - 5),
            "window": "15.02s",
            "containers": [{"name": "app", "usage": {"cpu": used, "memory": memory}}],
        }
        for number, used in enumerate(cpu)
    ]


def decided(
    current: int, *cpu: str, history: History | None = None, hpa: dict[str, Any] | None = None, **more: Any
) -> Decision:
    seen = {"autoscaler": autoscaler(**(hpa or {})), "pods": pods(current), "metrics": metrics(*cpu), **more}
    return decide(Observed(current=current, **seen), history or History(), PERIODS, NOW_NS)


def reasons(decision: Decision) -> dict[str, tuple[bool, str]]:
    """Of each condition the last status and reason."""
    return {kind: (status, reason) for kind, status, reason, _ in decision.conditions}


def test_more_use_than_the_target_calls_for_more_replicas() -> None:
    found = decided(2, "140m", "140m")
    assert (found.replicas, found.reason) == (4, f"{CPU_REASON} above target")
    assert reasons(found) == {
        "AbleToScale": (True, "ReadyForNewScale"),
        "ScalingActive": (True, "ValidMetricFound"),
        "ScalingLimited": (False, "DesiredWithinRange"),
    }
    current = {"averageUtilization": 140, "averageValue": "140m"}
    assert found.statuses == ({"type": "Resource", "resource": {"name": "cpu", "current": current}},)
    assert found.notices == ()


def test_less_use_is_held_back_by_the_first_recommendation_and_then_scaled_down() -> None:
    held = decided(5, *["10m"] * 5)
    assert (held.replicas, reasons(held)["AbleToScale"]) == (5, (True, "ScaleDownStabilized"))
    old = History((Moment(5, NOW_NS - 301 * NS_PER_S),))
    found = decided(5, *["10m"] * 5, history=old)
    assert (found.replicas, found.reason) == (2, "All metrics below target")
    assert reasons(found)["ScalingLimited"] == (True, "TooFewReplicas")


@pytest.mark.parametrize(
    ("current", "replicas", "reason"),
    [
        (12, 10, "Current number of replicas above Spec.MaxReplicas"),
        (1, 2, "Current number of replicas below Spec.MinReplicas"),
    ],
)
def test_a_number_outside_the_spec_is_put_right_whatever_the_metrics_say(
    current: int, replicas: int, reason: str
) -> None:
    found = decided(current)
    assert (found.replicas, found.reason, found.statuses) == (replicas, reason, ())
    assert reasons(found) == {"AbleToScale": (True, "SucceededGetScale")}


def test_a_target_scaled_to_zero_is_left_alone() -> None:
    found = decided(0)
    assert found.replicas == 0
    assert reasons(found)["ScalingActive"] == (False, "ScalingDisabled")


UNABLE = "failed to get cpu utilization: "


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"metrics": []}, "unable to get metrics for resource cpu: no metrics returned from resource metrics API"),
        ({"metrics": [], "metrics_error": "unable to fetch metrics from resource metrics API: gone"},
         "unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: gone"),
        ({"pods": []}, "no pods returned by selector while calculating replica count"),
        ({"pods": pods(2, cpu=None)}, "missing request for cpu in container app of Pod web-0"),
        ({"metrics": [{**metrics("1m")[0], "metadata": {"name": "gone"}}]}, "no metrics returned matched known pods"),
    ],
)  # fmt: skip
def test_what_keeps_it_from_telling_a_number_is_said_and_nothing_is_changed(facts: dict[str, Any], says: str) -> None:
    found = decided(2, "140m", "140m", **facts)
    assert (found.replicas, found.failed) == (2, True)
    first = (
        f"invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: {UNABLE}{says}"
    )
    assert [(each.reason, each.message, each.warning) for each in found.notices] == [
        ("FailedGetResourceMetric", f"{UNABLE}{says}", True),
        ("FailedComputeMetricsReplicas", first, True),
    ]
    assert found.conditions[-1] == (
        "ScalingActive", False, "FailedGetResourceMetric",
        f"the HPA was unable to compute the replica count: {UNABLE}{says}",
    )  # fmt: skip
    assert found.statuses == ({"type": ""},)


def resource(name: str, **target: Any) -> KubeObject:
    return {"type": "Resource", "resource": {"name": name, "target": target}}


CPU = resource("cpu", type="Utilization", averageUtilization=70)
QUEUE = {"type": "Pods", "pods": {"metric": {"name": "queue"}, "target": {"type": "AverageValue", "averageValue": "9"}}}


def test_of_several_metrics_the_one_that_calls_for_most_counts() -> None:
    memory = resource("memory", type="AverageValue", averageValue="8Mi")
    found = decided(2, "140m", "140m", hpa={"metrics": [CPU, memory]})
    assert (found.replicas, found.reason) == (4, "memory resource above target")
    assert found.statuses[1]["resource"]["current"] == {"averageValue": "32Mi"}


def test_a_metric_that_is_not_served_does_not_prevent_the_way_up_but_the_way_down() -> None:
    up = decided(2, "140m", "140m", hpa={"metrics": [QUEUE, CPU]})
    assert (up.replicas, [each.reason for each in up.notices]) == (4, ["FailedGetPodsMetric"])
    assert up.statuses[0] == {"type": ""}
    old = History((Moment(5, NOW_NS - 301 * NS_PER_S),))
    down = decided(5, *["10m"] * 5, history=old, hpa={"metrics": [CPU, QUEUE]})
    assert (down.replicas, down.failed) == (5, True)
    assert reasons(down)["ScalingActive"] == (False, "FailedGetPodsMetric")
    assert down.notices[-1].message == (
        "invalid metrics (1 invalid out of 2), first error is: failed to get pods metric value: "
        "unable to get metric queue: unable to fetch metrics from custom metrics API: "
        "no custom metrics API (custom.metrics.k8s.io) registered"
    )


def test_one_container_alone_can_be_what_counts() -> None:
    target = {"type": "Utilization", "averageUtilization": 70}
    spec = {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "app", "target": target}}
    two = pods(2)
    for each in two:
        each["spec"]["containers"].append({**container(), "name": "side"})
    used = metrics("140m", "140m")
    for each in used:
        each["containers"].append({"name": "side", "usage": {"cpu": "900m", "memory": "1Mi"}})
    found = decided(2, hpa={"metrics": [spec]}, pods=two, metrics=used)
    assert found.replicas == 4
    assert found.reason == "cpu container resource utilization (percentage of request) above target"
    assert found.statuses[0]["containerResource"]["container"] == "app"


def test_pods_that_two_autoscalers_pick_are_scaled_by_neither() -> None:
    found = decided(2, "140m", "140m", rivals=["tars/web", "tars/other"], selector="app=web")
    says = "pods by selector app=web are controlled by multiple HPAs: [tars/other tars/web]"
    assert (found.replicas, found.notices[0].message) == (2, says)
    assert reasons(found)["ScalingActive"] == (False, "AmbiguousSelector")


def test_a_status_says_what_was_seen_what_is_desired_and_when_it_was_last_scaled() -> None:
    decision = decided(2, "140m", "140m")
    status = status_after(autoscaler(), 2, decision, True, NOW_NS)
    assert (status["currentReplicas"], status["desiredReplicas"], status["lastScaleTime"]) == (2, 4, at(NOW_S))
    assert [each["type"] for each in status["conditions"]] == ["AbleToScale", "ScalingActive", "ScalingLimited"]
    later = status_after({**autoscaler(), "status": status}, 4, decided(4, *["70m"] * 4), False, NOW_NS + NS_PER_S)
    assert (later["desiredReplicas"], later["lastScaleTime"]) == (4, at(NOW_S))
    assert later["conditions"][0]["lastTransitionTime"] == at(NOW_S), "it moves only with the condition's status"


def test_a_failure_leaves_the_desired_number_as_it_was() -> None:
    before = {**autoscaler(), "status": {"desiredReplicas": 3}}
    assert status_after(before, 3, decided(3, pods=[]), False, NOW_NS)["desiredReplicas"] == 3
