"""Chaos Mesh's experiments on a region with real processes."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from typing import Any

import aiohttp
import pytest

from sandbox.client import DEPLOYMENTS, NAMESPACES, NETWORK_CHAOS, POD_CHAOS, PODS, KubeObject, Resource
from sandbox.controllers.chaos import RETRY_S
from tests.sandbox.builders import container, deployment
from tests.sandbox.world import World, is_ready, process_id

LATE_S = 0.05
PORT = 8096


def serving(replicas: int = 1) -> KubeObject:
    """A deployment of the reference service, which sends through a link."""
    address = {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
    served = container(
        ["python3", "-m", "sandbox.service", "eval-engine"],
        env=[address, {"name": "PORT", "value": str(PORT)}],
        readinessProbe={"httpGet": {"path": "/health", "port": PORT}, "periodSeconds": 1},
    )
    return deployment(replicas=replicas, containers=[served])


def delay(**spec: Any) -> KubeObject:
    selector = {"labelSelectors": {"app": "web"}}
    wanted = {"action": "delay", "mode": "all", "selector": selector, "delay": {"latency": f"{LATE_S}s"}, **spec}
    return {"metadata": {"name": "slow", "namespace": "tars"}, "spec": wanted}


def kill(**spec: Any) -> KubeObject:
    wanted = {"action": "pod-kill", "mode": "one", "selector": {"labelSelectors": {"app": "web"}}, **spec}
    return {"metadata": {"name": "kill", "namespace": "tars"}, "spec": wanted}


async def until_true(world: World, kind: Resource, condition: str) -> KubeObject:
    """Wait until the only experiment of its kind has this condition; returns it."""

    def holds(found: list[KubeObject]) -> KubeObject | None:
        for chaos in found:
            for each in chaos.get("status", {}).get("conditions", []):
                if (each["type"], each["status"]) == (condition, "True"):
                    return chaos
        return None

    chaos = await world.until(kind, holds)
    assert chaos is not None
    return chaos


def uid_of(obj: KubeObject) -> str:
    uid: str = obj["metadata"]["uid"]
    return uid


async def answer_s(pod: KubeObject) -> float:
    """How long the shortest of a few answers of a pod takes."""
    took_s = []
    async with aiohttp.ClientSession() as session:
        for _ in range(5):
            began_s = time.monotonic()
            async with session.get(f"http://{pod['status']['podIP']}:{PORT}/health") as answer:
                await answer.read()
            took_s.append(time.monotonic() - began_s)
    return min(took_s)


async def test_a_delayed_pod_answers_late_until_the_experiment_is_deleted(world: World) -> None:
    await world.create(DEPLOYMENTS, serving())
    (pod,) = await world.ready_pods(1)
    await world.create(NETWORK_CHAOS, delay())
    chaos = await until_true(world, NETWORK_CHAOS, "AllInjected")
    assert await answer_s(pod) >= LATE_S * 0.99
    (record,) = chaos["status"]["experiment"]["containerRecords"]
    assert record["id"] == f"tars/{pod['metadata']['name']}"
    assert (record["phase"], record["selectorKey"], record["injectedCount"]) == ("Injected", ".", 1)
    assert chaos["metadata"]["finalizers"] == ["chaos-mesh/records"]
    await world.client.delete(NETWORK_CHAOS, "slow", "tars")
    await world.until(NETWORK_CHAOS, lambda found: not found)
    assert await answer_s(pod) < LATE_S
    for reason in ("FinalizerInited", "Started", "Applied", "Deleted", "Recovered"):
        await world.event(reason)


async def test_it_is_over_by_itself_after_its_duration_and_the_record_stays(world: World) -> None:
    await world.create(DEPLOYMENTS, serving())
    (pod,) = await world.ready_pods(1)
    await world.create(NETWORK_CHAOS, delay(duration="2s"))
    chaos = await until_true(world, NETWORK_CHAOS, "AllInjected")
    chaos = await until_true(world, NETWORK_CHAOS, "AllRecovered")
    assert chaos["status"]["experiment"]["desiredPhase"] == "Stop"
    assert chaos["status"]["experiment"]["containerRecords"][0]["recoveredCount"] == 1
    assert await answer_s(pod) < LATE_S
    await world.event("TimeUp")


async def test_a_container_that_restarts_is_late_again_and_a_pod_in_its_place_is_not(world: World) -> None:
    """netem is the pod's, not the container's; and pods are chosen once."""
    await world.create(DEPLOYMENTS, serving())
    (pod,) = await world.ready_pods(1)
    await world.create(NETWORK_CHAOS, delay())
    await until_true(world, NETWORK_CHAOS, "AllInjected")
    os.kill(process_id(pod), signal.SIGKILL)

    def restarted(pods: list[KubeObject]) -> bool:
        return any(is_ready(each) and each["status"]["containerStatuses"][0]["restartCount"] for each in pods)

    await world.until(PODS, restarted)
    assert await answer_s(pod) >= LATE_S * 0.99
    await world.client.delete(PODS, pod["metadata"]["name"], "tars", grace_period_s=0)

    def replaced(pods: list[KubeObject]) -> KubeObject | None:
        found = (each for each in pods if is_ready(each) and each["metadata"]["uid"] != pod["metadata"]["uid"])
        return next(found, None)

    replacement = await world.until(PODS, replaced)
    assert replacement is not None
    assert await answer_s(replacement) < LATE_S
    await world.client.delete(NETWORK_CHAOS, "slow", "tars")
    await world.until(NETWORK_CHAOS, lambda found: not found)


async def test_a_paused_experiment_lets_go_and_takes_hold_again(world: World) -> None:
    await world.create(DEPLOYMENTS, serving())
    (pod,) = await world.ready_pods(1)
    await world.create(NETWORK_CHAOS, delay())
    for paused, condition, late in (("true", "AllRecovered", False), ("false", "AllInjected", True)):
        await until_true(world, NETWORK_CHAOS, "AllRecovered" if late else "AllInjected")
        pause = {"metadata": {"annotations": {"experiment.chaos-mesh.org/pause": paused}}}
        await world.client.patch(NETWORK_CHAOS, "slow", pause, "tars")
        await until_true(world, NETWORK_CHAOS, condition)
        assert (await answer_s(pod) >= LATE_S * 0.99) is late


async def test_a_program_that_cannot_be_slowed_down_is_a_failure_and_never_injected(world: World) -> None:
    await world.create(DEPLOYMENTS, deployment(replicas=1))
    await world.ready_pods(1)
    await world.create(NETWORK_CHAOS, delay())
    await world.event("Failed", "the sandbox can't slow down")
    began_s = time.monotonic()
    await until_true(world, NETWORK_CHAOS, "Selected")

    def tried_twice_more(found: list[KubeObject]) -> KubeObject | None:
        (record,) = found[0]["status"]["experiment"]["containerRecords"]
        return record if len(record["events"]) >= 3 else None

    record = await world.until(NETWORK_CHAOS, tried_twice_more)
    assert record is not None
    assert time.monotonic() - began_s >= RETRY_S, "it is tried again, but not at once"
    assert (record["phase"], record["injectedCount"]) == ("Not Injected", 0)
    assert {each["type"] for each in record["events"]} == {"Failed"}
    await world.client.delete(NETWORK_CHAOS, "slow", "tars")
    await world.until(NETWORK_CHAOS, lambda found: not found)


async def test_a_pod_that_does_not_answer_has_not_recovered_until_it_does(world: World) -> None:
    await world.create(DEPLOYMENTS, serving())
    (pod,) = await world.ready_pods(1)
    await world.create(NETWORK_CHAOS, delay())
    await until_true(world, NETWORK_CHAOS, "AllInjected")
    os.kill(process_id(pod), signal.SIGSTOP)
    await asyncio.to_thread(os.waitid, os.P_PID, process_id(pod), os.WSTOPPED)
    await world.client.delete(NETWORK_CHAOS, "slow", "tars")
    await world.event("Failed", "Failed to recover chaos: ")
    assert [each["metadata"]["name"] for each in world.cluster.all(NETWORK_CHAOS, "tars")] == ["slow"]
    os.kill(process_id(pod), signal.SIGCONT)
    await world.until(NETWORK_CHAOS, lambda found: not found)
    assert await answer_s(pod) < LATE_S


async def test_an_experiment_without_pods_selects_nothing_and_can_be_deleted(world: World) -> None:
    await world.create(NETWORK_CHAOS, delay())
    await world.event("Failed", "Failed to select targets: no pod is selected")
    await world.client.delete(NETWORK_CHAOS, "slow", "tars")
    await world.until(NETWORK_CHAOS, lambda found: not found)


async def test_pod_kill_kills_one_pod_once(world: World) -> None:
    await world.create(DEPLOYMENTS, deployment(replicas=2))
    before = {pod["metadata"]["uid"] for pod in await world.ready_pods(2)}
    await world.create(POD_CHAOS, kill())
    chaos = await until_true(world, POD_CHAOS, "AllInjected")
    assert chaos["status"]["experiment"]["desiredPhase"] == "Run"

    def one_is_new(pods: list[KubeObject]) -> bool:
        ready = {pod["metadata"]["uid"] for pod in pods if is_ready(pod)}
        return len(ready) == len(pods) == 2 and len(ready & before) == 1

    await world.until(PODS, one_is_new)
    await world.client.delete(POD_CHAOS, "kill", "tars")
    await world.until(POD_CHAOS, lambda found: not found)
    assert len({pod["metadata"]["uid"] for pod in await world.ready_pods(2)} & before) == 1


@pytest.mark.parametrize(("grace_s", "killed"), [(0, True), (5, False)])
async def test_pod_kill_gives_the_grace_that_is_asked_for(world: World, grace_s: int, killed: bool) -> None:
    await world.create(DEPLOYMENTS, deployment(replicas=1))
    (pod,) = await world.ready_pods(1)
    await world.create(POD_CHAOS, kill(gracePeriod=grace_s))
    await world.until(PODS, lambda pods: bool(pods) and pod["metadata"]["uid"] not in map(uid_of, pods))
    seen = [obj["metadata"] for _, obj in world.seen if obj["metadata"].get("uid") == pod["metadata"]["uid"]]
    graces = {each.get("deletionGracePeriodSeconds") for each in seen if "deletionTimestamp" in each}
    assert (5 in graces) is not killed


async def test_a_namespace_that_is_deleted_takes_its_experiments_with_it(world: World) -> None:
    await world.create(DEPLOYMENTS, serving())
    await world.ready_pods(1)
    await world.create(NETWORK_CHAOS, delay())
    await until_true(world, NETWORK_CHAOS, "AllInjected")
    await world.client.delete(NAMESPACES, "tars")
    await world.until(NETWORK_CHAOS, lambda found: not found)
    await world.ready_pods(0)
