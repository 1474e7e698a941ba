from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from sandbox.client import DEPLOYMENTS, ENDPOINT_SLICES, LEASES, NODES, PODS, SERVICES, KubeObject, NotFound
from tests.sandbox.builders import container, deployment, exists_probe, on_sigterm, service
from tests.sandbox.world import World, alive, is_ready, process_id


def lone_pod(**spec: object) -> KubeObject:
    fields = {"containers": [container()], "terminationGracePeriodSeconds": 1, **spec}
    return {"metadata": {"name": "lone", "namespace": "tars", "labels": {"app": "web"}}, "spec": fields}


def endpoint_conditions(slices: list[KubeObject]) -> list[tuple[bool, bool, bool]]:
    return [
        (each["conditions"]["ready"], each["conditions"]["serving"], each["conditions"]["terminating"])
        for found in slices
        for each in found.get("endpoints") or []
    ]


def waiting(pods: list[KubeObject]) -> KubeObject | None:
    """The waiting state of the only pod's only container, once it has one."""
    for pod in pods:
        for status in pod["status"].get("containerStatuses") or []:
            if status["state"].get("waiting"):
                found: KubeObject = status["state"]["waiting"]
                return found
    return None


async def until_gone(pid: int) -> None:
    """A process that isn't this one's child to wait for: its end shows in a pidfd."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(pidfd, ended.set)
    try:
        async with asyncio.timeout(20):
            await ended.wait()
    finally:
        asyncio.get_running_loop().remove_reader(pidfd)
        os.close(pidfd)


async def test_a_killed_process_is_restarted_and_the_next_crash_makes_it_wait(world: World) -> None:
    await world.create(DEPLOYMENTS, deployment(replicas=1))
    (pod,) = await world.ready_pods(1)
    os.kill(process_id(pod), signal.SIGKILL)

    def restarted(pods: list[KubeObject]) -> KubeObject | None:
        (found,) = pods
        return found if found["status"]["containerStatuses"][0]["restartCount"] == 1 and is_ready(found) else None

    again = await world.until(PODS, restarted)
    assert again is not None
    assert again["metadata"]["uid"] == pod["metadata"]["uid"]
    ended = again["status"]["containerStatuses"][0]["lastState"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (137, "Error")
    os.kill(process_id(again), signal.SIGKILL)

    state = await world.until(PODS, waiting)
    assert state is not None
    assert state["reason"] == "CrashLoopBackOff"
    (crashed,) = world.cluster.all(PODS, "tars")
    assert crashed["status"]["containerStatuses"][0]["restartCount"] == 1
    await world.event("BackOff", "Back-off restarting failed container app in pod web-")
    await world.until(DEPLOYMENTS, lambda found: found[0]["status"].get("unavailableReplicas") == 1)


async def test_endpoints_follow_readiness_at_once(world: World, tmp_path: Path) -> None:
    healthy = tmp_path / "healthy"
    await world.create(SERVICES, service())
    await world.create(PODS, lone_pod(containers=[container(readinessProbe=exists_probe(healthy))]))
    await world.until(ENDPOINT_SLICES, lambda found: endpoint_conditions(found) == [(False, False, False)])
    await world.event("Unhealthy", "Readiness probe failed: command exited with code 1")
    healthy.touch()
    await world.until(ENDPOINT_SLICES, lambda found: endpoint_conditions(found) == [(True, True, False)])
    healthy.unlink()
    await world.until(ENDPOINT_SLICES, lambda found: endpoint_conditions(found) == [(False, False, False)])


async def test_a_pod_that_is_being_deleted_leaves_the_endpoints_at_once_and_drains(
    world: World, tmp_path: Path
) -> None:
    """The process holds out until it is told to end, so each state can be awaited."""
    release = tmp_path / "release"
    os.mkfifo(release)
    drain = on_sigterm(f"read x < {release}; exit 0", tmp_path / "set")
    await world.create(SERVICES, service())
    await world.create(PODS, lone_pod(containers=[drain], terminationGracePeriodSeconds=30))
    (pod,) = await world.ready_pods(1)
    await world.until(ENDPOINT_SLICES, lambda found: endpoint_conditions(found) == [(True, True, False)])
    await world.client.delete(PODS, "lone", "tars")
    await world.until(ENDPOINT_SLICES, lambda found: endpoint_conditions(found) == [(False, True, True)])
    await world.event("Killing", "Stopping container app")
    assert alive(process_id(pod))
    await asyncio.to_thread(release.write_text, "go\n")
    await world.ready_pods(0)
    await world.until(ENDPOINT_SLICES, lambda found: endpoint_conditions(found) == [])
    assert not alive(process_id(pod))
    last = [obj for kind, obj in world.seen if kind == "MODIFIED" and obj["kind"] == "Pod"][-1]
    assert last["status"]["phase"] == "Succeeded"
    assert last["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 0


async def test_a_process_that_ignores_sigterm_is_killed_when_its_grace_is_over(world: World, tmp_path: Path) -> None:
    await world.create(PODS, lone_pod(containers=[on_sigterm("", tmp_path / "set")]))
    (pod,) = await world.ready_pods(1)
    began = time.monotonic()
    await world.client.delete(PODS, "lone", "tars")
    await world.ready_pods(0)
    assert time.monotonic() - began >= 2.0, "a grace of 1 s is raised to the kubelet's minimum"
    assert not alive(process_id(pod))


async def test_a_pod_deleted_with_grace_zero_is_gone_from_the_api_while_its_process_still_gets_sigterm(
    world: World, tmp_path: Path
) -> None:
    drained = tmp_path / "drained"
    polite = on_sigterm(f"touch {drained}; exit 0", tmp_path / "set")
    await world.create(SERVICES, service())
    await world.create(PODS, lone_pod(containers=[polite], terminationGracePeriodSeconds=30))
    (pod,) = await world.ready_pods(1)
    await world.client.delete(PODS, "lone", "tars", grace_period_s=0)
    with pytest.raises(NotFound):
        await world.client.get(PODS, "lone", "tars")
    await world.until(ENDPOINT_SLICES, lambda found: endpoint_conditions(found) == [])
    await until_gone(process_id(pod))
    assert drained.exists()


async def test_a_container_that_fails_its_liveness_probe_is_restarted(world: World, tmp_path: Path) -> None:
    healthy = tmp_path / "healthy"
    healthy.touch()
    await world.create(PODS, lone_pod(containers=[container(livenessProbe=exists_probe(healthy))]))
    (pod,) = await world.ready_pods(1)
    healthy.unlink()
    await world.event("Killing", "Container app failed liveness probe, will be restarted")
    healthy.touch()

    def restarted(pods: list[KubeObject]) -> bool:
        return bool(pods[0]["status"]["containerStatuses"][0]["restartCount"] == 1 and is_ready(pods[0]))

    await world.until(PODS, restarted)
    assert not alive(process_id(pod))


async def test_a_pod_whose_work_is_done_says_whether_it_succeeded(world: World) -> None:
    for name, code, phase in (("good", 0, "Succeeded"), ("bad", 3, "Failed")):
        pod = lone_pod(containers=[container(["sh", "-c", f"exit {code}"])], restartPolicy="Never")
        pod["metadata"]["name"] = name
        await world.create(PODS, pod)
        await world.until(
            PODS, lambda pods, wanted=(name, phase): wanted in [
                (each["metadata"]["name"], each["status"]["phase"]) for each in pods
            ]
        )  # fmt: skip


async def test_a_container_without_a_command_waits_with_its_reason(world: World) -> None:
    await world.create(PODS, lone_pod(containers=[{"name": "app", "image": "example/app:1"}]))
    state = await world.until(PODS, waiting)
    assert state is not None
    assert state["reason"] == "CreateContainerError"
    await world.event("Failed", "Error: no command specified")


async def test_a_process_knows_its_pod_and_the_services_of_its_namespace(world: World, tmp_path: Path) -> None:
    made = await world.create(SERVICES, service("eval-engine"))
    output = tmp_path / "output"
    env = [{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]
    script = f'echo "$0 $IP $EVAL_ENGINE_SERVICE_HOST $GAMEDAY_SANDBOX" > {output}; sleep 600'
    await world.create(PODS, lone_pod(containers=[container(["sh", "-c", script], args=["$(IP)"], env=env)]))
    (pod,) = await world.ready_pods(1)
    await world.client.delete(PODS, "lone", "tars")
    await world.ready_pods(0)
    address = pod["status"]["podIP"]
    assert output.read_text() == f"{address} {address} {made['spec']['clusterIP']} {world.state}\n"


async def test_logs_come_through_the_api_server(world: World) -> None:
    script = ["sh", "-c", "echo first; echo second; exit 1"]
    await world.create(PODS, lone_pod(containers=[container(script)]))
    await world.until(PODS, waiting)
    path = "/api/v1/namespaces/tars/pods/lone/log"
    assert await world.get_text(path) == (200, "first\nsecond\n")
    assert await world.get_text(f"{path}?tailLines=1") == (200, "second\n")
    assert await world.get_text(f"{path}?previous=true") == (200, "first\nsecond\n")


async def test_the_node_is_registered_with_a_lease(world: World) -> None:
    node = await world.client.get(NODES, world.region.node_name)
    assert node["metadata"]["labels"]["topology.kubernetes.io/region"] == "us-east-1"
    assert node["status"]["daemonEndpoints"]["kubeletEndpoint"]["Port"] == world.region.agent.port
    assert {"type": "InternalIP", "address": "127.92.1.2"} in node["status"]["addresses"]
    lease = await world.client.get(LEASES, world.region.node_name, "kube-node-lease")
    assert lease["spec"]["leaseDurationSeconds"] == 40
