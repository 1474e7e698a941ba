"""The client against the real API server."""

from __future__ import annotations

import pytest

from sandbox.client import (
    DEPLOYMENTS,
    NODES,
    PODS,
    AlreadyExists,
    ApiClient,
    ApiError,
    Conflict,
    NotFound,
    Unreachable,
    key_of,
)
from tests.sandbox.builders import deployment
from tests.sandbox.world import World


async def test_an_object_is_created_read_changed_and_deleted(world: World) -> None:
    client = world.client
    made = await client.create(DEPLOYMENTS, deployment(replicas=0, paused=True))
    assert key_of(await client.get(DEPLOYMENTS, "web", "tars")) == ("tars", "web")
    patched = await client.patch(DEPLOYMENTS, "web", {"metadata": {"labels": {"a": "b"}}}, "tars")
    assert patched["metadata"]["labels"] == {"a": "b"}
    listing = await client.list(DEPLOYMENTS, "tars", label_selector="a=b")
    assert [(each["kind"], each["metadata"]["name"]) for each in listing["items"]] == [("Deployment", "web")]
    assert (await client.list(DEPLOYMENTS, field_selector="metadata.name=other"))["items"] == []
    with pytest.raises(Conflict):
        await client.update(DEPLOYMENTS, made)
    with pytest.raises(AlreadyExists):
        await client.create(DEPLOYMENTS, deployment())
    with pytest.raises(Conflict, match="precondition"):
        await client.delete(DEPLOYMENTS, "web", "tars", uid="another")
    await client.delete(DEPLOYMENTS, "web", "tars", uid=made["metadata"]["uid"])
    with pytest.raises(NotFound):
        await client.get(DEPLOYMENTS, "web", "tars")


async def test_failures_tell_whether_another_try_may_help(world: World) -> None:
    async with ApiClient(world.client.base_url, "wrong", None) as stranger:
        with pytest.raises(ApiError, match="401") as refused:
            await stranger.list(NODES)
    assert not refused.value.transient
    async with ApiClient("http://127.92.7.4:9", "token", None) as nobody:
        with pytest.raises(Unreachable) as away:
            await nobody.get(PODS, "web", "tars")
    assert away.value.transient


@pytest.mark.parametrize(
    ("namespace", "name", "subresource", "path"),
    [
        ("", "", "", "/apis/apps/v1/deployments"),
        ("tars", "", "", "/apis/apps/v1/namespaces/tars/deployments"),
        ("tars", "web", "status", "/apis/apps/v1/namespaces/tars/deployments/web/status"),
    ],
)
def test_where_objects_are_served(namespace: str, name: str, subresource: str, path: str) -> None:
    assert DEPLOYMENTS.path(namespace, name, subresource) == path
    assert NODES.path("", "n1") == "/api/v1/nodes/n1"
