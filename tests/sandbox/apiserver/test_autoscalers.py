from __future__ import annotations

from typing import Any

import pytest

from sandbox.apiserver.autoscalers import targets
from sandbox.apiserver.objects import KubeObject
from sandbox.apiserver.status import Invalid
from tests.sandbox.apiserver.bodies import AUTOSCALER, Region, autoscaler, metric

UP = {"type": "Pods", "value": 1, "periodSeconds": 60}


def stored(**spec: Any) -> KubeObject:
    made: KubeObject = Region().create(AUTOSCALER, autoscaler(**spec))
    return made


def test_one_without_metrics_aims_at_80_percent_of_the_cpu_and_at_one_pod_or_more() -> None:
    spec = stored(metrics=None, minReplicas=None)["spec"]
    assert spec["minReplicas"] == 1
    assert spec["metrics"] == [metric("cpu", type="Utilization", averageUtilization=80)]
    assert "behavior" not in spec


def test_a_behavior_is_completed_and_the_scale_down_window_is_left_to_the_controller() -> None:
    behavior = stored(behavior={"scaleUp": {"policies": [UP], "tolerance": "0.2"}})["spec"]["behavior"]
    assert behavior["scaleUp"] == {"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": [UP]}
    assert behavior["scaleDown"] == {
        "selectPolicy": "Max",
        "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
    }


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"minReplicas": 0}, "spec.minReplicas: Invalid value: 0: must be greater than or equal to 1"),
        ({"maxReplicas": 1}, "spec.maxReplicas: Invalid value: 1: must be greater than or equal to `minReplicas`"),
        ({"maxReplicas": None}, "spec.maxReplicas: Invalid value: 0: must be greater than 0"),
        ({"scaleTargetRef": {"kind": "Deployment", "apiVersion": "apps/v1"}}, "spec.scaleTargetRef.name: Required"),
        ({"scaleTargetRef": {"kind": "Deployment", "name": "web"}}, "apiVersion must specify API group"),
        ({"metrics": [{"type": "Guess"}]}, 'spec.metrics[0].type: Unsupported value: "Guess"'),
        ({"metrics": [{"type": "Resource"}]}, "spec.metrics[0].resource: Required value: must populate"),
        ({"metrics": [{**metric(), "pods": {"metric": {"name": "x"}}}]}, "spec.metrics[0].pods: Forbidden"),
        ({"metrics": [metric("cpu", type="Utilization")]}, "must set either a target raw value or a target"),
        ({"metrics": [metric("cpu", averageValue="1", averageUtilization=3)]}, "may not set both"),
        ({"metrics": [metric("cpu", averageValue="0")]}, 'averageValue: Invalid value: "0": must be positive'),
        ({"metrics": [metric("cpu", averageValue="much")]}, 'averageValue: Invalid value: "much": must be positive'),
        ({"metrics": [metric("cpu", type="Utilization", averageUtilization=0)]}, "must be greater than 0"),
        ({"metrics": [metric("cpu", type="Some", averageUtilization=9)]}, "must be either Utilization, Value, or"),
        ({"metrics": [{"type": "Pods", "pods": {"metric": {"name": "q"}, "target": {"type": "AverageValue"}}}]},
         "spec.metrics[0].pods.target.averageValue: Required"),
        ({"metrics": [{"type": "ContainerResource", "containerResource": metric()["resource"]}]},
         "containerResource.container: Required value: must specify a container"),
        ({"behavior": {"scaleUp": {"stabilizationWindowSeconds": 3601}}}, "must be less than or equal to 3600"),
        ({"behavior": {"scaleUp": {"selectPolicy": "Any"}}}, 'scaleUp.selectPolicy: Unsupported value: "Any"'),
        ({"behavior": {"scaleDown": {"policies": []}}}, "scaleDown.policies: Required value: must specify at least"),
        ({"behavior": {"scaleDown": {"policies": [{**UP, "type": "Half"}]}}}, 'type: Unsupported value: "Half"'),
        ({"behavior": {"scaleDown": {"policies": [{**UP, "value": 0}]}}}, "value: Invalid value: 0: must be greater"),
        ({"behavior": {"scaleDown": {"policies": [{**UP, "periodSeconds": 1801}]}}}, "less than or equal to 1800"),
    ],
)  # fmt: skip
def test_what_the_real_server_refuses_is_refused(spec: dict[str, Any], says: str) -> None:
    with pytest.raises(Invalid) as refused:
        stored(**spec)
    assert says in str(refused.value)


def test_targets_are_shown_with_what_is_known_of_them() -> None:
    specs = [
        metric(),
        metric("memory", averageValue="64Mi"),
    ]
    statuses = [
        {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 12, "averageValue": "6m"}}},
        {"type": "Resource", "resource": {"name": "memory", "current": {"averageValue": "21504Ki"}}},
    ]
    shown = {"spec": {"metrics": specs}, "status": {"currentMetrics": statuses}}
    assert targets(shown) == "cpu: 12%/70%, memory: 21504Ki/64Mi"
    assert targets({"spec": {"metrics": specs}}) == "cpu: <unknown>/70%, memory: <unknown>/64Mi"


def test_a_queue_length_is_shown_as_an_average_where_it_is_one() -> None:
    source = {"metric": {"name": "queue"}, "target": {"type": "AverageValue", "averageValue": "30"}}
    specs = [{"type": "External", "external": source}, {"type": "Pods", "pods": source}, metric()]
    assert targets({"spec": {"metrics": specs}}) == "<unknown>/30 (avg), <unknown>/30 + 1 more..."
