"""An object of Kubernetes as a timeline entry."""

from __future__ import annotations

from typing import Any

import pytest

from gameday.observe.entries import autoscaler_attributes, cpu_utilisation, entry_of, slice_attributes
from gameday.observe.reflector import Change


def resource(side: str, name: str = "cpu", **figures: Any) -> dict[str, Any]:
    return {"type": "Resource", "resource": {"name": name, side: figures}}


AUTOSCALER: dict[str, Any] = {
    "metadata": {"name": "eval", "namespace": "tars", "uid": "u"},
    "spec": {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "eval-engine"},
        "minReplicas": 2,
        "maxReplicas": 6,
        "metrics": [resource("target", "memory", averageUtilization=50), resource("target", averageUtilization=70)],
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": 60}},
    },
    "status": {
        "currentReplicas": 2,
        "desiredReplicas": 4,
        "lastScaleTime": "2026-11-25T03:01:23Z",
        "currentMetrics": [resource("current", averageUtilization=140, averageValue="140m")],
        "conditions": [{"type": "AbleToScale", "status": "True"}, {"type": "ScalingLimited", "status": "False"}],
    },
}


def test_an_autoscaler_says_what_it_wants_and_why() -> None:
    change = Change("modified", AUTOSCALER)
    entry = entry_of(change, watches="autoscalers", context="east", earliest_ns=1, latest_ns=2)
    assert (entry.kind, entry.event, entry.name) == ("hpa", "modified", "eval")
    assert entry.attributes == {
        "target": "eval-engine",
        "min": 2,
        "max": 6,
        "current": 2,
        "desired": 4,
        "cpu_percent": 140,
        "cpu_target_percent": 70,
        "stabilization_s": 60,
        "last_scale": "2026-11-25T03:01:23Z",
        "conditions": {"AbleToScale": "True", "ScalingLimited": "False"},
    }


def test_what_a_new_autoscaler_does_not_know_is_null() -> None:
    bare = {"metadata": {"name": "eval"}, "spec": {"scaleTargetRef": {"name": "x"}, "maxReplicas": 3}}
    found = autoscaler_attributes(bare)
    assert {key for key, value in found.items() if value is None} == {
        "current",
        "desired",
        "cpu_percent",
        "cpu_target_percent",
        "stabilization_s",
        "last_scale",
    }
    assert (found["min"], found["conditions"]) == (1, {})


@pytest.mark.parametrize(
    ("metrics", "figure"),
    [
        (None, None),
        ([], None),
        ([resource("current", averageValue="3m")], None),
        ([{"type": "Pods", "pods": {}}, resource("current", averageUtilization=3)], 3),
    ],
)
def test_of_the_metrics_the_utilisation_of_cpu_counts(metrics: list[dict[str, Any]] | None, figure: int | None) -> None:
    assert cpu_utilisation(metrics, "current") == figure


def test_a_slice_names_the_pods_that_are_given_traffic() -> None:
    def endpoint(name: str | None, **conditions: bool) -> dict[str, Any]:
        target = {} if name is None else {"targetRef": {"kind": "Pod", "name": name}}
        return {"addresses": ["10.0.0.1"], "conditions": conditions, **target}

    endpoints = [endpoint("a", ready=True), endpoint("b", ready=False), endpoint("c"), endpoint(None, ready=True)]
    labels = {"kubernetes.io/service-name": "eval-engine"}
    found = slice_attributes({"metadata": {"name": "s", "labels": labels}, "endpoints": endpoints})
    assert found == {"service": "eval-engine", "ready": ["a", "c"]}
    assert slice_attributes({"metadata": {"name": "s"}, "endpoints": None}) == {"service": "", "ready": []}
