"""The HTTP side, asked over real TLS."""

from __future__ import annotations

import asyncio
import io
import json
import ssl
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import psutil
import pytest
import pytest_asyncio
from aiohttp import web

from sandbox.apiserver.server import ApiServer
from tests.sandbox.apiserver.bodies import Region, config_map, deployment, pod
from tests.sandbox.apiserver.cluster import TOKEN, Cluster

PODS = "/api/v1/namespaces/default/pods"
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
MERGE = {"Content-Type": "application/merge-patch+json"}
PATIENCE_S = 10


@pytest_asyncio.fixture
async def session(cluster: Cluster) -> AsyncIterator[aiohttp.ClientSession]:
    """A client with the token."""
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=str(cluster.ca_file)))
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with aiohttp.ClientSession(cluster.url, connector=connector, headers=headers) as opened:
        yield opened
    # A TLS connection whose answer was not read to its end is closed in the background. Let that finish: a loop that
    # ends before leaves a transport behind, which another test would be blamed for.
    server = cluster.url.removeprefix("https://").partition(":")[0]
    async with asyncio.timeout(PATIENCE_S):
        while any(c.raddr and c.raddr.ip == server for c in psutil.Process().net_connections()):
            await asyncio.sleep(0.002)


async def ask(session: aiohttp.ClientSession, method: str, path: str, **more: Any) -> tuple[int, Any]:
    async with session.request(method, path, **more) as answer:
        text = await answer.text()
        return answer.status, json.loads(text) if answer.content_type == "application/json" else text


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x"])
async def test_without_the_token_there_is_no_answer_but_401(session: aiohttp.ClientSession, token: str) -> None:
    status, body = await ask(session, "GET", "/api/v1/namespaces", headers={"Authorization": token})
    assert status == 401
    assert (body["kind"], body["reason"], body["message"]) == ("Status", "Unauthorized", "Unauthorized")


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz", "/version"])
async def test_health_and_version_are_open(session: aiohttp.ClientSession, path: str) -> None:
    assert (await ask(session, "GET", path, headers={"Authorization": ""}))[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "reason"),
    [
        ("GET", f"{PODS}/nope", 404, "NotFound"),
        ("GET", "/api/v1/widgets", 404, "NotFound"),
        ("PUT", PODS, 405, "MethodNotAllowed"),
        ("POST", "/api/v1/pods", 405, "MethodNotAllowed"),
        ("DELETE", "/api/v1/namespaces", 405, "MethodNotAllowed"),
        ("GET", f"{PODS}?fieldSelector=a%3Db", 400, "BadRequest"),
        ("GET", f"{PODS}?continue=x", 400, "BadRequest"),
        ("GET", f"{PODS}?sendInitialEvents=true", 422, "Invalid"),
        ("GET", f"{PODS}?watch=true&sendInitialEvents=true", 422, "Invalid"),
        ("GET", f"{PODS}?resourceVersionMatch=Exact", 422, "Invalid"),
        ("POST", f"{PODS}?dryRun=Some", 400, "BadRequest"),
        ("POST", f"{PODS}?fieldValidation=Lax", 400, "BadRequest"),
        ("POST", f"{PODS}/web/exec?command=ls", 501, "NotImplemented"),
        ("POST", PODS, 400, "BadRequest"),
    ],
)
async def test_an_error_is_a_status_with_its_code_and_reason(
    session: aiohttp.ClientSession, method: str, path: str, status: int, reason: str
) -> None:
    code, body = await ask(session, method, path)
    assert (code, body["code"], body["reason"]) == (status, status, reason)


async def test_a_group_that_is_not_served_is_a_plain_404(session: aiohttp.ClientSession) -> None:
    assert await ask(session, "GET", "/apis/batch/v1/jobs") == (404, "404 page not found\n")


@pytest.mark.parametrize(
    ("content_type", "data", "status"),
    [
        ("application/vnd.kubernetes.protobuf", b"k8s\0", 415),
        ("application/json", b"{bad", 400),
        ("application/json", b'{"data": "' + b"x" * 4 * 1024 * 1024 + b'"}', 413),
    ],
)
async def test_a_body_that_can_not_be_read_is_refused(
    session: aiohttp.ClientSession, content_type: str, data: bytes, status: int
) -> None:
    headers = {"Content-Type": content_type}
    code, body = await ask(session, "POST", CONFIG_MAPS, data=io.BytesIO(data), headers=headers)
    assert (code, body["kind"]) == (status, "Status")


async def test_unknown_fields_come_back_as_a_warning(session: aiohttp.ClientSession) -> None:
    async with session.post(f"{PODS}?dryRun=All", json=pod(nodeNaem="x")) as answer:
        assert answer.status == 201
        assert answer.headers["Warning"] == '299 - "unknown field \\"spec.nodeNaem\\""'


async def test_a_list_can_be_had_as_metadata_only(session: aiohttp.ClientSession) -> None:
    accept = {"Accept": "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"}
    _, body = await ask(session, "GET", "/api/v1/namespaces", headers=accept)
    assert body["kind"] == "PartialObjectMetadataList"
    assert {frozenset(each) for each in body["items"]} == {frozenset({"kind", "apiVersion", "metadata"})}


async def test_a_collection_is_deleted_by_selector(session: aiohttp.ClientSession) -> None:
    for name, kept in (("one", "no"), ("two", "no"), ("three", "yes")):
        body = {**config_map(name), "metadata": {"name": name, "labels": {"kept": kept}}}
        assert (await ask(session, "POST", CONFIG_MAPS, json=body))[0] == 201
    status, body = await ask(session, "DELETE", f"{CONFIG_MAPS}?labelSelector=kept%3Dno")
    assert (status, {each["metadata"]["name"] for each in body["items"]}) == (200, {"one", "two"})
    _, left = await ask(session, "GET", CONFIG_MAPS)
    assert [each["metadata"]["name"] for each in left["items"]] == ["three"]


async def test_an_eviction_deletes_the_pod(session: aiohttp.ClientSession) -> None:
    await ask(session, "POST", PODS, json=pod("leaver"))
    status, _ = await ask(session, "POST", f"{PODS}/leaver/eviction", json={"metadata": {"name": "leaver"}})
    assert status == 201
    assert (await ask(session, "GET", f"{PODS}/leaver"))[0] == 404


async def test_a_watch_delivers_a_write_within_milliseconds(session: aiohttp.ClientSession) -> None:
    _, listed = await ask(session, "GET", CONFIG_MAPS)
    query = f"?watch=true&resourceVersion={listed['metadata']['resourceVersion']}"
    delays_s = []
    async with session.get(CONFIG_MAPS + query) as stream:
        for number in range(20):
            began = time.monotonic()
            writing = asyncio.create_task(ask(session, "POST", CONFIG_MAPS, json=config_map(f"quick-{number}")))
            event = json.loads(await asyncio.wait_for(stream.content.readline(), PATIENCE_S))
            delays_s.append(time.monotonic() - began)
            assert (event["type"], event["object"]["metadata"]["name"]) == ("ADDED", f"quick-{number}")
            await writing
    assert sorted(delays_s)[len(delays_s) // 2] < 0.05


async def test_a_watch_from_an_expired_version_says_so_in_the_stream(session: aiohttp.ClientSession) -> None:
    async with session.get(f"{PODS}?watch=true&resourceVersion=1") as stream:
        event = json.loads(await asyncio.wait_for(stream.content.readline(), PATIENCE_S))
        assert await stream.content.read() == b""
    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")


async def test_a_watched_table_names_its_columns_once(session: aiohttp.ClientSession) -> None:
    accept = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
    for name in ("first", "second"):
        await ask(session, "POST", "/apis/apps/v1/namespaces/default/deployments", json=deployment(name))
    query = "?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    events = []
    async with session.get(f"/apis/apps/v1/deployments{query}", headers=accept) as stream:
        while not events or events[-1]["type"] != "BOOKMARK":
            events.append(json.loads(await asyncio.wait_for(stream.content.readline(), PATIENCE_S)))
    assert [event["object"]["kind"] for event in events] == ["Table"] * 3
    assert [bool(event["object"]["columnDefinitions"]) for event in events] == [True, False, False]
    assert events[0]["object"]["rows"][0]["cells"][:2] == ["first", "0/2"]
    bookmark = events[-1]["object"]["rows"][0]["object"]["metadata"]
    assert bookmark["annotations"] == {"k8s.io/initial-events-end": "true"}


async def test_a_watch_that_its_client_leaves_is_ended_at_once() -> None:
    """Not only when the next event can't be written, which on a quiet kind may be an hour later."""
    server = ApiServer(Region().registry, TOKEN)
    runner = server.runner()
    await runner.setup()
    await web.TCPSite(runner, "127.91.1.3", 0).start()
    url = "http://{}:{}".format(*runner.addresses[0])
    try:
        async with aiohttp.ClientSession(url, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
            async with client.get(f"{CONFIG_MAPS}?watch=true"):
                assert server.open_watches == 1
            async with asyncio.timeout(PATIENCE_S):
                while server.open_watches:
                    await asyncio.sleep(0)
    finally:
        await runner.cleanup()


class Agent:
    """A node agent that serves one log and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], str]] = []
        self.more = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.path, dict(request.query), request.headers["Authorization"]))
        if "previous" in request.query:
            raise web.HTTPBadRequest(text="previous terminated container not found")
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first line\n")
        if "follow" in request.query:
            await self.more.wait()
            await response.write(b"second line\n")
        return response


@pytest_asyncio.fixture
async def agent(session: aiohttp.ClientSession) -> AsyncIterator[Agent]:
    """A pod `logged` on a node whose agent this is."""
    served = Agent()
    app = web.Application()
    app.router.add_get("/{path:.*}", served.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.91.1.2", 0)
    await site.start()
    port = runner.addresses[0][1]
    status = {
        "addresses": [{"type": "InternalIP", "address": "127.91.1.2"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
    }
    await ask(session, "POST", "/api/v1/nodes", json={"metadata": {"name": "node-1"}, "status": status})
    await ask(session, "POST", PODS, json=pod("logged"))
    binding = {"metadata": {"name": "logged"}, "target": {"kind": "Node", "name": "node-1"}}
    await ask(session, "POST", f"{PODS}/logged/binding", json=binding)
    yield served
    await ask(session, "DELETE", f"{PODS}/logged", json={"gracePeriodSeconds": 0})
    await ask(session, "DELETE", "/api/v1/nodes/node-1")
    served.more.set()
    await runner.cleanup()


async def test_a_log_is_fetched_from_the_agent_of_the_pods_node(session: aiohttp.ClientSession, agent: Agent) -> None:
    assert await ask(session, "GET", f"{PODS}/logged/log?tailLines=5&pretty=1") == (200, "first line\n")
    assert agent.asked == [("/containerLogs/default/logged/main", {"tailLines": "5"}, f"Bearer {TOKEN}")]


async def test_a_followed_log_arrives_as_it_is_written(session: aiohttp.ClientSession, agent: Agent) -> None:
    async with session.get(f"{PODS}/logged/log?follow=true") as stream:
        assert await asyncio.wait_for(stream.content.readline(), PATIENCE_S) == b"first line\n"
        agent.more.set()
        assert await asyncio.wait_for(stream.content.readline(), PATIENCE_S) == b"second line\n"
        assert await stream.content.read() == b""


async def test_what_the_agent_refuses_is_passed_on(session: aiohttp.ClientSession, agent: Agent) -> None:
    status, body = await ask(session, "GET", f"{PODS}/logged/log?previous=true")
    assert (status, body["message"]) == (400, "previous terminated container not found")
    assert len(agent.asked) == 1


async def test_a_pod_on_no_node_has_an_empty_log(session: aiohttp.ClientSession) -> None:
    await ask(session, "POST", PODS, json=pod("waiting"))
    assert await ask(session, "GET", f"{PODS}/waiting/log") == (200, "")


async def test_an_agent_that_is_gone_is_an_error_that_names_it(session: aiohttp.ClientSession, agent: Agent) -> None:
    assert agent.asked == []
    status = {"daemonEndpoints": {"kubeletEndpoint": {"Port": 1}}}
    await ask(session, "PATCH", "/api/v1/nodes/node-1/status", json={"status": status}, headers=MERGE)
    code, body = await ask(session, "GET", f"{PODS}/logged/log")
    assert code == 500
    assert "http://127.91.1.2:1/containerLogs/default/logged/main" in body["message"]
