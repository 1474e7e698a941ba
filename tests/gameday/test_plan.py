"""A drill, planned: where load enters, how long it lasts, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gameday.cluster import ApiError, Cluster
from gameday.errors import BadInput, GuardRefused
from gameday.itemplan import environment_kept
from gameday.load.schedule import Asked
from gameday.phases import PhaseLimits
from gameday.plan import DrillPlan, find_entry, make_plan, requests_needed
from scorer.targets import Targets
from tests.gameday.kubernetes import NAMESPACE, Objects

SERVICES = f"/api/v1/namespaces/{NAMESPACE}/services"


def entry(objects: Objects, ingress: list[dict[str, Any]] | None) -> None:
    """A LoadBalancer Service with the entry's label and this status."""
    objects.call(
        "POST",
        SERVICES,
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "entry", "labels": {"gameday.dev/entry": "true"}},
            "spec": {"type": "LoadBalancer", "ports": [{"port": 8080}]},
        },
    )
    if ingress is not None:
        status = {"status": {"loadBalancer": {"ingress": ingress}}}
        objects.cluster.merge_patch(f"{SERVICES}/entry/status", status)


@pytest.mark.parametrize(
    ("ingress", "url"),
    [
        ([{"ip": "127.64.0.1"}], "http://127.64.0.1:8080"),
        ([{"hostname": "entry.example"}], "http://entry.example:8080"),
    ],
)
def test_the_entry_is_the_labelled_service(
    cluster: Cluster, objects: Objects, ingress: list[dict[str, Any]], url: str
) -> None:
    entry(objects, ingress)
    assert find_entry(cluster) == url


def test_a_cluster_without_an_entry_asks_for_the_host(cluster: Cluster, objects: Objects) -> None:
    assert objects
    with pytest.raises(BadInput, match=r"context us-east-1, namespace tars: no Service .* --host"):
        find_entry(cluster)


def test_an_entry_without_an_address_is_told_by_its_name(cluster: Cluster, objects: Objects) -> None:
    entry(objects, None)
    with pytest.raises(BadInput, match="Service entry has no address yet"):
        find_entry(cluster)


REPOSITORY = Path(__file__).parents[2]


def test_the_recovery_phase_lasts_for_as_many_requests_as_the_strictest_promise_needs() -> None:
    """99.5 % with 95 % confidence takes 598 good requests, and a fifth is to spare."""
    targets = Targets.load(REPOSITORY / "runbook" / "targets.yaml")
    assert requests_needed(targets, "pod-kill") == 718


AUTOSCALERS = f"/apis/autoscaling/v2/namespaces/{NAMESPACE}/horizontalpodautoscalers"


@pytest.fixture
def autoscaled(objects: Objects) -> Iterator[Objects]:
    """The deployment eval-engine, and an autoscaler that knows its CPU."""
    objects.deployment("eval-engine", 2)

    def cpu(side: str, percent: int) -> list[dict[str, Any]]:
        return [{"type": "Resource", "resource": {"name": "cpu", side: {"averageUtilization": percent}}}]

    target: dict[str, Any] = {"type": "Utilization", "averageUtilization": 70}
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "eval-engine"},
        "minReplicas": 2,
        "maxReplicas": 5,
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
    }
    body = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "eval"},
        "spec": spec,
    }
    objects.call("POST", AUTOSCALERS, body)
    known = {"currentReplicas": 2, "desiredReplicas": 2, "currentMetrics": cpu("current", 20), "conditions": []}
    known["currentMetrics"][0]["resource"]["current"]["averageValue"] = "20m"  # type: ignore[index]
    objects.cluster.merge_patch(f"{AUTOSCALERS}/eval/status", {"status": known})
    yield objects
    objects.call("DELETE", f"{AUTOSCALERS}/eval")


def peak_plan(folder: Path, profile: str = "peak", **limits: float) -> DrillPlan:
    return make_plan(
        experiment=REPOSITORY / "experiments" / "autoscale-peak.yaml",
        profile=REPOSITORY / "loadprofiles" / f"{profile}.py",
        targets=REPOSITORY / "runbook" / "targets.yaml",
        contexts=("us-east-1",),
        namespace=None,
        host="http://127.0.0.1:9",
        drill=None,
        asked=Asked(duration_s=60),
        seed=0,
        workers=1,
        load_at=None,
        limits=PhaseLimits(**limits),
        runs=folder,
    )


def test_a_peak_comes_after_warm_up_and_baseline_and_gives_the_fault_its_time(
    autoscaled: Objects, tmp_path: Path
) -> None:
    assert autoscaled
    with environment_kept():
        plan = peak_plan(tmp_path, warm_up_s=5, baseline_s=15)
    assert plan.asked == Asked(duration_s=60, lead_s=40)
    assert plan.profile is not None
    assert plan.profile.curves[0].points == ((0, 10), (40, 10), (40, 100), (100, 100), (100, 10))
    assert plan.asked_per_s(35, 40) == 10
    assert (plan.limits.requests, plan.limits.fault_max_s) == (0, 900 + 100)


def test_a_profile_without_a_peak_is_refused_before_the_cluster_is_asked(cluster: Cluster, tmp_path: Path) -> None:
    assert cluster
    with environment_kept(), pytest.raises(BadInput, match=r"ramp.py: no peak to scale for"):
        peak_plan(tmp_path, "ramp")


def test_a_deployment_that_nothing_scales_is_refused(objects: Objects, tmp_path: Path) -> None:
    objects.deployment("eval-engine", 2)
    with environment_kept(), pytest.raises(BadInput, match="no HorizontalPodAutoscaler scales it"):
        peak_plan(tmp_path)


def test_a_cluster_that_does_not_show_its_autoscalers_is_refused(
    autoscaled: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their deployments would be set back against them."""
    assert autoscaled
    real = Cluster.list

    def forbidding(self: Cluster, what: str, limit: int | None = None) -> dict[str, Any]:
        if what == "autoscalers":
            raise ApiError(403, "forbidden")
        return real(self, what, limit)

    monkeypatch.setattr(Cluster, "list", forbidding)
    with environment_kept(), pytest.raises(GuardRefused, match=r"HTTP 403: forbidden"):
        peak_plan(tmp_path)
