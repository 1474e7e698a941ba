from __future__ import annotations

from sandbox.client import EVENTS, PODS, KubeObject
from tests.sandbox.builders import container
from tests.sandbox.world import World


async def test_a_repeated_event_is_counted_up_and_names_its_container(world: World) -> None:
    body = {"metadata": {"name": "lone", "namespace": "tars"}, "spec": {"containers": [container()]}}
    pod = await world.create(PODS, body)
    for _ in range(3):
        world.cluster.events.record("kubelet", pod, "Unhealthy", "says no", warning=True, host="n1", container="app")
    world.cluster.events.record("kubelet", pod, "Unhealthy", "says something else")

    def counted(events: list[KubeObject]) -> list[KubeObject]:
        found = [each for each in events if each["reason"] == "Unhealthy"]
        return found if sorted(each["count"] for each in found) == [1, 3] else []

    found = await world.until(EVENTS, counted)
    repeated = next(each for each in found if each["count"] == 3)
    assert (repeated["type"], repeated["message"]) == ("Warning", "says no")
    assert repeated["source"] == {"component": "kubelet", "host": "n1"}
    involved = repeated["involvedObject"]
    assert (involved["kind"], involved["name"], involved["uid"]) == ("Pod", "lone", pod["metadata"]["uid"])
    assert involved["fieldPath"] == "spec.containers{app}"
