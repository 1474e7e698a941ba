"""Autoscaling from the CPU time of real processes to more and fewer of them, with periods shortened."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.client import DEPLOYMENTS, HORIZONTAL_POD_AUTOSCALERS, POD_METRICS, KubeObject
from sandbox.periods import Periods
from sandbox.quantity import milli
from tests.sandbox.builders import autoscaler, container, deployment
from tests.sandbox.world import World, running_world

SHORT = Periods(sync_s=0.3, downscale_stabilization_s=1.0, cpu_initialization_s=0.0, metric_resolution_s=0.5)
ASKING = {"resources": {"requests": {"cpu": "20m"}}}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A region whose autoscaler is in a hurry."""
    async with running_world(tmp_path, SHORT) as made:
        yield made


def burning(while_exists: Path) -> KubeObject:
    """A container that uses some hundredths of a core for as long as a file is there."""
    burn = "n=0; while [ $n -lt 9000 ]; do n=$((n+1)); done; sleep 0.1"
    return container(["sh", "-c", f"while [ -e {while_exists} ]; do {burn}; done; exec sleep 600"], **ASKING)


def conditions(found: list[KubeObject]) -> dict[str, tuple[str, str]]:
    """Of the only autoscaler."""
    return {
        each["type"]: (each["status"], each["reason"]) for hpa in found for each in hpa["status"].get("conditions", [])
    }


def has(kind: str, status: str, reason: str) -> Callable[[list[KubeObject]], bool]:
    return lambda found: conditions(found).get(kind) == (status, reason)


def desired(replicas: int) -> Callable[[list[KubeObject]], KubeObject | None]:
    def holds(found: list[KubeObject]) -> KubeObject | None:
        return next((each for each in found if each["status"]["desiredReplicas"] == replicas), None)

    return holds


async def create(world: World, *containers: KubeObject, **spec: Any) -> None:
    await world.create(DEPLOYMENTS, deployment(replicas=1, containers=list(containers)))
    made = autoscaler(minReplicas=1, maxReplicas=3, **spec)
    await world.create(HORIZONTAL_POD_AUTOSCALERS, {**made, "status": {}})


async def test_cpu_load_brings_more_pods_and_its_end_takes_them_away(world: World, tmp_path: Path) -> None:
    load = tmp_path / "load"
    load.touch()
    await create(world, burning(load))
    await world.ready_pods(3)
    scaled = await world.event("SuccessfulRescale", "cpu resource utilization (percentage of request) above target")
    assert scaled["involvedObject"]["kind"] == "HorizontalPodAutoscaler"
    assert scaled["source"]["component"] == "horizontal-pod-autoscaler"
    grown = await world.until(HORIZONTAL_POD_AUTOSCALERS, desired(3))
    assert grown is not None
    assert grown["status"]["lastScaleTime"] >= grown["metadata"]["creationTimestamp"]
    found = await world.client.list(POD_METRICS, "tars", label_selector="app=web")
    assert any(milli(each["containers"][0]["usage"]["cpu"]) > 14 for each in found["items"])
    load.unlink()
    await world.event("SuccessfulRescale", "New size: 1; reason: All metrics below target")
    await world.ready_pods(1)
    await world.until(HORIZONTAL_POD_AUTOSCALERS, has("ScalingLimited", "True", "TooFewReplicas"))


async def test_pods_that_request_no_cpu_can_not_be_scaled_and_the_autoscaler_says_why(world: World) -> None:
    await create(world, container())
    await world.until(HORIZONTAL_POD_AUTOSCALERS, has("ScalingActive", "False", "FailedGetResourceMetric"))
    await world.event("FailedGetResourceMetric", "missing request for cpu in container app of Pod web-")
    await world.ready_pods(1)


async def test_a_target_that_is_not_there_is_said_and_found_once_it_is(world: World) -> None:
    await world.create(HORIZONTAL_POD_AUTOSCALERS, {**autoscaler(minReplicas=2), "status": {}})
    await world.event("FailedGetScale", 'deployments.apps "web" not found')
    await world.until(HORIZONTAL_POD_AUTOSCALERS, has("AbleToScale", "False", "FailedGetScale"))
    await world.create(DEPLOYMENTS, deployment(replicas=1))
    await world.event("SuccessfulRescale", "New size: 2; reason: Current number of replicas below Spec.MinReplicas")
    await world.ready_pods(2)


async def test_a_kind_that_has_no_scale_is_refused_by_name(world: World) -> None:
    reference = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db"}
    await world.create(HORIZONTAL_POD_AUTOSCALERS, {**autoscaler(scaleTargetRef=reference), "status": {}})
    await world.event("FailedGetScale", 'no matches for kind "StatefulSet" in group "apps"')


async def test_a_deleted_autoscaler_scales_no_more(world: World) -> None:
    await create(world, container(**ASKING))
    await world.until(HORIZONTAL_POD_AUTOSCALERS, desired(1))
    await world.client.delete(HORIZONTAL_POD_AUTOSCALERS, "web", "tars")
    await world.client.patch(DEPLOYMENTS, "web", {"spec": {"replicas": 5}}, "tars")
    await world.ready_pods(5)
    await create_again(world)
    await world.event("SuccessfulRescale", "New size: 3; reason: Current number of replicas above Spec.MaxReplicas")


async def create_again(world: World) -> None:
    made = autoscaler(minReplicas=1, maxReplicas=3)
    await world.create(HORIZONTAL_POD_AUTOSCALERS, {**made, "status": {}})


async def test_two_autoscalers_of_the_same_pods_block_each_other(world: World) -> None:
    await create(world, container(**ASKING))
    await world.create(HORIZONTAL_POD_AUTOSCALERS, {**autoscaler("other", minReplicas=1), "status": {}})
    await world.event("AmbiguousSelector", "are controlled by multiple HPAs: [tars/other tars/web]")
