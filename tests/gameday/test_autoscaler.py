"""What must hold of an autoscaler before a drill that it must follow."""

from __future__ import annotations

from typing import Any

import pytest

from gameday.autoscaler import FRESH_S, check_autoscaler
from gameday.cluster import ApiError
from gameday.errors import BadInput, GuardRefused


def hpa(name: str = "eval", target: str = "eval-engine", cpu: int | None = 20, **spec: Any) -> dict[str, Any]:
    """An autoscaler that knows so much of its CPU."""

    def metric(side: str, figure: int) -> list[dict[str, Any]]:
        return [{"type": "Resource", "resource": {"name": "cpu", side: {"averageUtilization": figure}}}]

    said = {"type": "ScalingActive", "status": "False", "message": "did not receive metrics"}
    unknown = {"conditions": [{"type": "AbleToScale", "status": "True", "message": "fine"}, said]}
    return {
        "metadata": {"name": name},
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": target}, "metrics": metric("target", 70), **spec},
        "status": unknown if cpu is None else {"currentMetrics": metric("current", cpu)},
    }


class Cluster:
    """Serves what it is given: lists, or the errors that asking for them brings."""

    context, namespace = "east", "tars"

    def __init__(self, *answers: list[dict[str, Any]] | ApiError, metrics: ApiError | None = None) -> None:
        self.answers, self.metrics = list(answers), metrics

    def get(self, path: str) -> dict[str, Any]:
        if path.endswith("/gone"):
            raise ApiError(404, 'deployments.apps "gone" not found')
        return {}

    def list(self, what: str) -> dict[str, Any]:
        answer = (self.metrics or []) if what == "podmetrics" else self.answers[0]
        if what == "autoscalers" and len(self.answers) > 1:
            self.answers.pop(0)
        if isinstance(answer, ApiError):
            raise answer
        return {"items": answer}


def check(cluster: Cluster, deployment: str = "eval-engine") -> list[float]:
    slept: list[float] = []
    check_autoscaler(cluster, deployment, slept.append)  # type: ignore[arg-type]
    return slept


def test_one_autoscaler_that_knows_its_cpu_will_do() -> None:
    assert check(Cluster([hpa("other", "dashboard-api", None), hpa()])) == []


def test_a_new_autoscaler_is_waited_for() -> None:
    assert check(Cluster([hpa(cpu=None)], [hpa(cpu=None)], [hpa(cpu=None)], [hpa()])) == [1.0, 1.0]


@pytest.mark.parametrize(
    ("cluster", "deployment", "error", "says"),
    [
        (Cluster([]), "eval-engine", BadInput, "no HorizontalPodAutoscaler scales it"),
        (Cluster([hpa(target="other")]), "eval-engine", BadInput, "no HorizontalPodAutoscaler scales it"),
        (Cluster([hpa("a"), hpa("b")]), "eval-engine", BadInput, "several autoscalers fight over it: a, b"),
        (Cluster([hpa(metrics=[])]), "eval-engine", BadInput, "has no target for the utilisation of CPU"),
        (Cluster(ApiError(404, "not served")), "eval-engine", BadInput, "HTTP 404: not served"),
        (Cluster([hpa()]), "gone", BadInput, '"gone" not found'),
        (Cluster([hpa()], metrics=ApiError(404, "no")), "eval-engine", GuardRefused, "there are no metrics of pods"),
        (Cluster([hpa()], metrics=ApiError(503, "no")), "eval-engine", GuardRefused, "there are no metrics of pods"),
        (Cluster([hpa(cpu=None)]), "eval-engine", GuardRefused, "know the CPU of its pods: did not receive metrics"),
    ],
)
def test_what_shows_nothing_is_refused_in_one_line(
    cluster: Cluster, deployment: str, error: type[BadInput | GuardRefused], says: str
) -> None:
    with pytest.raises(error) as refused:
        check(cluster, deployment)
    line = str(refused.value)
    assert says in line
    assert "\n" not in line
    assert "east" in line


def test_a_metric_that_never_comes_is_waited_for_no_longer_than_a_minute() -> None:
    slept: list[float] = []
    with pytest.raises(GuardRefused):
        check_autoscaler(Cluster([hpa(cpu=None)]), "eval-engine", slept.append)  # type: ignore[arg-type]
    assert sum(slept) == FRESH_S == 60
