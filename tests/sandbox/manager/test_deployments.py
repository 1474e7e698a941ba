from __future__ import annotations

import time
from collections.abc import Callable

from sandbox.client import DEPLOYMENTS, ENDPOINT_SLICES, NAMESPACES, NODES, PODS, REPLICA_SETS, SERVICES, KubeObject
from tests.sandbox.builders import container, deployment, service
from tests.sandbox.world import World, alive, is_ready, process_id


def complete(name: str, replicas: int, generation: int) -> Callable[[list[KubeObject]], KubeObject | None]:
    """Whether the rollout of that generation is done."""

    def holds(deployments: list[KubeObject]) -> KubeObject | None:
        for found in deployments:
            status = found["status"]
            counts = [status.get(count, 0) for count in ("replicas", "updatedReplicas", "availableReplicas")]
            if found["metadata"]["name"] == name and counts == [replicas] * 3:
                return found if status["observedGeneration"] >= generation else None
        return None

    return holds


async def test_a_deployment_becomes_pods_that_are_processes(world: World) -> None:
    await world.create(DEPLOYMENTS, deployment(replicas=2, progressDeadlineSeconds=600))
    done = await world.until(DEPLOYMENTS, complete("web", 2, 1))
    pods = await world.ready_pods(2)
    (owner,) = world.cluster.all(REPLICA_SETS, "tars")
    digest = owner["metadata"]["labels"]["pod-template-hash"]
    assert owner["metadata"]["name"] == f"web-{digest}"
    assert owner["metadata"]["ownerReferences"][0]["uid"] == done["metadata"]["uid"]
    for pod in pods:
        assert pod["metadata"]["name"].startswith(f"web-{digest}-")
        assert len(pod["metadata"]["name"]) == len(f"web-{digest}-") + 5
        assert pod["metadata"]["ownerReferences"][0]["uid"] == owner["metadata"]["uid"]
        assert pod["status"]["phase"] == "Running"
        assert alive(process_id(pod))
    assert len({pod["status"]["podIP"] for pod in pods}) == 2
    conditions = {each["type"]: each["reason"] for each in done["status"]["conditions"]}
    assert conditions == {"Available": "MinimumReplicasAvailable", "Progressing": "NewReplicaSetAvailable"}
    assert done["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "1"
    await world.event("ScalingReplicaSet", f"Scaled up replica set web-{digest} from 0 to 2")
    for reason in ("SuccessfulCreate", "Scheduled", "Pulled", "Created", "Started"):
        await world.event(reason)


async def test_a_deleted_pod_is_replaced_at_once(world: World) -> None:
    await world.create(DEPLOYMENTS, deployment(replicas=2))
    (victim, survivor) = await world.ready_pods(2)
    known = {pod["metadata"]["uid"] for pod in (victim, survivor)}
    began = time.monotonic()
    await world.client.delete(PODS, victim["metadata"]["name"], "tars", grace_period_s=0)

    def replacement(pods: list[KubeObject]) -> list[KubeObject]:
        return [pod for pod in pods if pod["metadata"]["uid"] not in known and is_ready(pod)]

    (fresh,) = await world.until(PODS, replacement)
    # About 30 ms on an idle machine; the bound only tells a watch from a poll.
    assert time.monotonic() - began < 2.0
    assert fresh["status"]["podIP"] not in {victim["status"]["podIP"], survivor["status"]["podIP"]}
    assert len([pod for kind, pod in world.seen if kind == "ADDED" and pod["kind"] == "Pod"]) == 3, "none too many"


async def test_a_deployment_is_scaled_up_and_down_and_to_none(world: World) -> None:
    await world.create(DEPLOYMENTS, deployment(replicas=1))
    (first,) = await world.ready_pods(1)
    for generation, replicas in ((2, 3), (3, 1), (4, 0)):
        patch = {"spec": {"replicas": replicas}}
        await world.client.patch(DEPLOYMENTS, "web", patch, "tars", subresource="scale")
        await world.until(DEPLOYMENTS, complete("web", replicas, generation))
        await world.ready_pods(replicas)
    assert not alive(process_id(first))
    await world.event("ScalingReplicaSet", "from 3 to 1")
    await world.event("SuccessfulDelete")


async def test_a_rolling_update_keeps_the_promised_pods_available_and_can_be_undone(world: World) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    await world.create(DEPLOYMENTS, deployment(replicas=2, strategy=strategy))
    first = await world.until(DEPLOYMENTS, complete("web", 2, 1))
    world.seen.clear()
    changed = {"spec": {"template": {"metadata": {"annotations": {"version": "2"}}}}}
    await world.client.patch(DEPLOYMENTS, "web", changed, "tars")
    await world.until(DEPLOYMENTS, complete("web", 2, 2))
    during = [obj["status"] for _, obj in world.seen if obj["kind"] == "Deployment"]
    assert min(status.get("availableReplicas", 0) for status in during) == 2
    assert max(status.get("replicas", 0) for status in during) == 3
    undone = {"spec": {"template": {"metadata": {"annotations": {"version": None}}}}}
    await world.client.patch(DEPLOYMENTS, "web", undone, "tars")
    last = await world.until(DEPLOYMENTS, complete("web", 2, 3))
    assert first["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "1"
    assert last["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3"
    sets = {each["spec"]["replicas"]: each["metadata"]["annotations"] for each in world.cluster.all(REPLICA_SETS)}
    assert sets[2]["deployment.kubernetes.io/revision"] == "3"
    assert sets[2]["deployment.kubernetes.io/revision-history"] == "1"
    assert sets[0]["deployment.kubernetes.io/revision"] == "2"


async def test_recreate_never_runs_two_generations_at_once(world: World) -> None:
    await world.create(DEPLOYMENTS, deployment(replicas=2, strategy={"type": "Recreate"}))
    old = {pod["metadata"]["uid"] for pod in await world.ready_pods(2)}
    changed = {"spec": {"template": {"metadata": {"annotations": {"version": "2"}}}}}
    world.seen.clear()
    await world.client.patch(DEPLOYMENTS, "web", changed, "tars")
    await world.until(DEPLOYMENTS, complete("web", 2, 2))
    pods = [(kind, pod["metadata"]["uid"]) for kind, pod in world.seen if pod["kind"] == "Pod"]
    first_new = next(index for index, (kind, uid) in enumerate(pods) if kind == "ADDED" and uid not in old)
    assert {uid for kind, uid in pods[:first_new] if kind == "DELETED"} == old


async def test_what_a_deployment_owns_goes_with_it(world: World) -> None:
    await world.create(DEPLOYMENTS, deployment(replicas=2))
    await world.create(SERVICES, service())
    pods = await world.ready_pods(2)
    await world.client.delete(DEPLOYMENTS, "web", "tars")
    await world.client.delete(SERVICES, "web", "tars")
    await world.ready_pods(0)
    await world.until(REPLICA_SETS, lambda found: not found)
    await world.until(ENDPOINT_SLICES, lambda found: not found)
    assert not any(alive(process_id(pod)) for pod in pods)


async def test_a_foreground_deletion_waits_for_the_pods_and_an_orphaning_one_leaves_them(world: World) -> None:
    await world.create(DEPLOYMENTS, deployment(replicas=1))
    await world.ready_pods(1)
    (owner,) = world.cluster.all(REPLICA_SETS, "tars")
    await world.client.delete(DEPLOYMENTS, "web", "tars", propagation="Orphan")
    await world.until(DEPLOYMENTS, lambda found: not found)
    await world.client.delete(REPLICA_SETS, owner["metadata"]["name"], "tars", propagation="Foreground")
    await world.until(REPLICA_SETS, lambda found: not found)
    kinds = [obj["kind"] for kind, obj in world.seen if kind == "DELETED"]
    assert kinds == ["Deployment", "Pod", "ReplicaSet"]


async def test_a_deleted_namespace_takes_everything_in_it_along(world: World) -> None:
    await world.create(DEPLOYMENTS, deployment(replicas=1))
    await world.create(SERVICES, service())
    await world.ready_pods(1)
    await world.client.delete(NAMESPACES, "tars")
    await world.until(NAMESPACES, lambda _: ("", "tars") not in world.cluster.informers[NAMESPACES].cache)
    assert list(world.cluster.all(PODS, "tars")) == []


async def test_a_pod_that_fits_no_node_waits_and_says_why(world: World) -> None:
    picky = deployment(replicas=1)
    picky["spec"]["template"]["spec"]["nodeSelector"] = {"disk": "ssd"}
    await world.create(DEPLOYMENTS, picky)
    says = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."
    await world.event("FailedScheduling", says)
    (pod,) = world.cluster.all(PODS, "tars")
    (condition,) = pod["status"]["conditions"]
    assert (condition["type"], condition["status"], condition["reason"]) == ("PodScheduled", "False", "Unschedulable")
    node = world.region.node_name
    await world.client.patch(NODES, node, {"metadata": {"labels": {"disk": "ssd"}}})
    await world.ready_pods(1)


async def test_several_containers_make_one_pod(world: World) -> None:
    second = {**container(), "name": "sidecar"}
    await world.create(DEPLOYMENTS, deployment(replicas=1, containers=[container(), second]))
    (pod,) = await world.ready_pods(1)
    assert alive(process_id(pod, 0))
    assert alive(process_id(pod, 1))
