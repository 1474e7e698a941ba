"""The informer against a server that says what the test has it say."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp import web

from sandbox.client import PODS, ApiClient, ApiError, Informer, KubeObject

HOST = "127.92.7.3"


def pod(name: str, version: int, uid: str = "") -> KubeObject:
    return {"metadata": {"namespace": "tars", "name": name, "uid": uid or name, "resourceVersion": str(version)}}


class Script:
    """A server with a list, and watches that are fed one after the other."""

    def __init__(self) -> None:
        self.listing: list[KubeObject] = []
        self.version = 0
        self.lists = 0
        self.resumed_from: list[str] = []
        self.events: asyncio.Queue[KubeObject | str] = asyncio.Queue()
        self.status = 200

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if self.status != 200:
            body = {"kind": "Status", "code": self.status, "reason": "Forbidden", "message": "no"}
            return web.json_response(body, status=self.status)
        if "watch" not in request.query:
            self.lists += 1
            return web.json_response({"metadata": {"resourceVersion": str(self.version)}, "items": self.listing})
        self.resumed_from.append(request.query["resourceVersion"])
        response = web.StreamResponse()
        await response.prepare(request)
        while (event := await self.events.get()) != "end":
            if event == "break":
                assert request.transport is not None
                request.transport.abort()
                break
            await response.write(json.dumps(event).encode() + b"\n")
        return response


class World:
    def __init__(self, script: Script, client: ApiClient) -> None:
        self.script = script
        self.seen: list[tuple[str, str, int]] = []
        self.informer = Informer(client, PODS, self._note)
        self._changed = asyncio.Event()

    def _note(self, kind: str, obj: KubeObject, _old: KubeObject | None) -> None:
        self.seen.append((str(kind), obj["metadata"]["name"], int(obj["metadata"]["resourceVersion"])))
        self._changed.set()

    def send(self, kind: str, obj: KubeObject) -> None:
        self.script.events.put_nowait({"type": kind, "object": obj})

    def gone(self) -> None:
        self.send("ERROR", {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"})

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not holds():
                self._changed.clear()
                await self._changed.wait()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    script = Script()
    application = web.Application()
    application.router.add_get("/api/v1/pods", script.answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, HOST, 0)
    await site.start()
    assert site._server is not None
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    async with ApiClient(f"http://{HOST}:{port}", "token", None) as client:
        yield World(script, client)
    await runner.cleanup()


@pytest.fixture
async def running(world: World) -> AsyncIterator[World]:
    """Listed: pod a at version 5, of a store at version 10."""
    world.script.listing, world.script.version = [pod("a", 5)], 10
    task = asyncio.create_task(world.informer.run())
    await asyncio.wait_for(world.informer.synced.wait(), 10)
    yield world
    task.cancel()


async def test_what_is_listed_is_added_and_what_is_watched_changes_it(running: World) -> None:
    running.send("MODIFIED", pod("a", 11))
    running.send("ADDED", pod("b", 12))
    running.send("DELETED", pod("a", 13))
    await running.until(lambda: len(running.seen) == 4)
    assert running.seen == [("ADDED", "a", 5), ("MODIFIED", "a", 11), ("ADDED", "b", 12), ("DELETED", "a", 13)]
    assert [name for _, name in running.informer.cache] == ["b"]


@pytest.mark.parametrize("how", ["end", "break"])
async def test_a_dropped_watch_resumes_where_it_was(how: str, running: World) -> None:
    running.send("ADDED", pod("b", 12))
    running.send("BOOKMARK", pod("", 20))
    running.script.events.put_nowait(how)
    running.send("ADDED", pod("c", 21))
    await running.until(lambda: len(running.seen) == 3)
    assert running.script.resumed_from == ["10", "20"]
    assert running.script.lists == 1


async def test_after_a_version_that_is_gone_the_differences_to_a_new_list_are_told(running: World) -> None:
    running.send("ADDED", pod("b", 12))
    await running.until(lambda: len(running.seen) == 2)
    running.script.listing, running.script.version = [pod("b", 30), pod("c", 31)], 40
    running.gone()
    await running.until(lambda: len(running.seen) == 5)
    assert running.seen[2:] == [("DELETED", "a", 5), ("MODIFIED", "b", 30), ("ADDED", "c", 31)]


async def test_a_pod_that_was_replaced_under_its_name_is_a_deletion_and_an_addition(running: World) -> None:
    running.script.listing, running.script.version = [pod("a", 30, uid="another")], 40
    running.gone()
    await running.until(lambda: len(running.seen) == 3)
    assert running.seen[1:] == [("DELETED", "a", 5), ("ADDED", "a", 30)]


async def test_an_own_write_is_seen_before_the_watch_brings_it_and_only_once(running: World) -> None:
    running.informer.learn(pod("mine", 15))
    assert ("tars", "mine") in running.informer.cache
    running.send("ADDED", pod("mine", 15))
    running.send("ADDED", pod("b", 16))
    await running.until(lambda: ("ADDED", "b", 16) in running.seen)
    assert [name for _, name, _ in running.seen].count("mine") == 1


async def test_an_own_write_that_the_watch_has_passed_is_not_brought_back(running: World) -> None:
    """The answer to a create may arrive after the news that the object was deleted again."""
    running.send("ADDED", pod("mine", 15))
    running.send("DELETED", pod("mine", 16))
    await running.until(lambda: ("DELETED", "mine", 16) in running.seen)
    running.informer.learn(pod("mine", 15))
    assert ("tars", "mine") not in running.informer.cache


async def test_a_server_that_is_away_is_asked_ever_more_seldom_until_it_held_out_for_a_while() -> None:
    """The clock's sleep takes no time; the eighth wait ends the test."""

    class Clock:
        def __init__(self) -> None:
            self.waits: list[float] = []
            self.passed_ns = 0

        def now_ns(self) -> int:
            if len(self.waits) == 7:
                self.passed_ns += 3_000_000_000
            return self.passed_ns

        async def sleep(self, seconds: float) -> None:
            self.waits.append(seconds)
            if len(self.waits) == 8:
                raise asyncio.CancelledError

    clock = Clock()
    async with ApiClient(f"http://{HOST}:9", "token", None) as client:
        with pytest.raises(asyncio.CancelledError):
            await Informer(client, PODS, clock=clock).run()
    assert clock.waits == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 0.05]


async def test_a_refusal_is_raised(world: World) -> None:
    world.script.status = 403
    with pytest.raises(ApiError, match="403 Forbidden: no"):
        await world.informer.run()
