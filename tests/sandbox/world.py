"""One region for tests, on one event loop: the real API server, all controllers, a node agent with real processes."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import random
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from ipaddress import IPv4Network
from pathlib import Path
from typing import TypeVar

import aiohttp
from aiohttp import web

from sandbox.apiserver.addresses import AddressPool
from sandbox.apiserver.catalogue import Catalogue
from sandbox.apiserver.registry import Registry
from sandbox.apiserver.scraper import Scraper
from sandbox.apiserver.server import ApiServer
from sandbox.apiserver.store import Store
from sandbox.client import EVENTS, NAMESPACES, PODS, ApiClient, Informer, KubeObject, Resource
from sandbox.clock import SystemClock
from sandbox.controllers.cluster import WATCHED, Cluster
from sandbox.controllers.horizontal import HorizontalController
from sandbox.manager import CONTROLLERS
from sandbox.network import Address, Network, Region
from sandbox.node.agent import NodeAgent
from sandbox.periods import Periods

T = TypeVar("T")
TOKEN = "token"
NETWORK = Network("127.92")
PATIENCE_S = 20.0


def worker_number() -> int:
    """Which of the parallel test processes this is: each gets addresses of its own."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


def free_port(host: str) -> int:
    with socket.socket() as listener:
        listener.bind((host, 0))
        port: int = listener.getsockname()[1]
        return port


def region_of_this_worker() -> Region:
    plan = NETWORK.regions[0]
    return dataclasses.replace(
        plan,
        api=Address(plan.api.host, free_port(plan.api.host)),
        agent=Address(plan.agent.host, free_port(plan.agent.host)),
        pods=list(plan.pods.subnets(new_prefix=24))[worker_number() % 16],
    )


class World:
    """What a test does to the region and how it waits for what comes of it."""

    def __init__(self, client: ApiClient, cluster: Cluster, region: Region, state: Path) -> None:
        self.client = client
        self.cluster = cluster
        self.region = region
        self.state = state
        self.seen: list[tuple[str, KubeObject]] = []
        """Every change since the start: kind and the object as it was then."""
        self._changed = asyncio.Event()
        self.events = Informer(client, EVENTS, lambda kind, obj, _old: self._note(kind, obj))
        cluster.tasks.create_task(self.events.run())
        for resource in WATCHED:
            cluster.informers[resource].add_handler(lambda kind, obj, _old: self._note(kind, obj))

    def _note(self, kind: str, obj: KubeObject) -> None:
        self.seen.append((kind, obj))
        self._changed.set()

    async def create(self, resource: Resource, obj: KubeObject) -> KubeObject:
        return await self.client.create(resource, obj)

    async def until(self, resource: Resource, holds: Callable[[list[KubeObject]], T]) -> T:
        """Wait until `holds` returns something true for the objects in the namespace, and return that."""
        cache = (self.events if resource is EVENTS else self.cluster.informers[resource]).cache
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    found = holds([obj for key, obj in cache.items() if key[0] == "tars"])
                    if found:
                        return found
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"not within {PATIENCE_S} s: {resource.plural} are {list(cache.values())}") from None

    async def ready_pods(self, count: int) -> list[KubeObject]:
        """Wait until exactly so many pods exist and all are ready."""

        def holds(pods: list[KubeObject]) -> list[KubeObject]:
            return pods if len(pods) == count and all(map(is_ready, pods)) else []

        if count == 0:
            await self.until(PODS, lambda pods: not pods)
            return []
        return await self.until(PODS, holds)

    async def event(self, reason: str, says: str = "") -> KubeObject:
        """Wait for an event of that reason whose message contains `says`."""

        def holds(events: list[KubeObject]) -> KubeObject | None:
            found = (each for each in events if each["reason"] == reason and says in each["message"])
            return next(found, None)

        found = await self.until(EVENTS, holds)
        assert found is not None
        return found

    async def get_text(self, path: str) -> tuple[int, str]:
        """What the API server answers to a GET, as text."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with aiohttp.ClientSession() as session, session.get(self.client.base_url + path, headers=headers) as got:
            return got.status, await got.text()


def is_ready(pod: KubeObject) -> bool:
    conditions = {each["type"]: each["status"] for each in pod["status"].get("conditions", [])}
    return conditions.get("Ready") == "True"


def process_id(pod: KubeObject, container: int = 0) -> int:
    """Of a container's process."""
    text: str = pod["status"]["containerStatuses"][container]["containerID"]
    return int(text.removeprefix("process://").partition("-")[0])


def alive(pid: int) -> bool:
    """Whether the process exists and isn't a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@asynccontextmanager
async def running_world(state: Path, periods: Periods = Periods()) -> AsyncIterator[World]:  # noqa: B008  frozen
    region = region_of_this_worker()
    registry = Registry(
        region.name,
        Catalogue(),
        Store(first_version=time.time_ns() // 1_000_000),
        AddressPool(IPv4Network(region.services)),
        time.time_ns,
        random.SystemRandom(),
    )
    runner = web.AppRunner(ApiServer(registry, TOKEN).app(), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, region.api.host, region.api.port).start()
    made: asyncio.Future[tuple[World, NodeAgent]] = asyncio.get_running_loop().create_future()

    async def work(client: ApiClient) -> None:
        async with asyncio.TaskGroup() as tasks:
            cluster = Cluster(client, tasks, SystemClock())
            world = World(client, cluster, region, state)
            for controller in CONTROLLERS:
                controller(cluster)
            HorizontalController(cluster, periods)
            agent = NodeAgent(cluster, region, state, TOKEN)
            cluster.start()
            tasks.create_task(agent.run())
            tasks.create_task(Scraper(registry, TOKEN, periods.metric_resolution_s).run())
            await agent.registered.wait()
            made.set_result((world, agent))

    try:
        async with ApiClient(f"http://{region.api}", TOKEN, None) as client:
            working = asyncio.create_task(work(client))
            await asyncio.wait({working, made}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                await working
            world, agent = made.result()
            await client.create(NAMESPACES, {"metadata": {"name": "tars"}})
            try:
                yield world
            finally:
                await agent.shutdown()
                working.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    # A bug in a controller or in the agent shows here.
                    await working
    finally:
        await runner.cleanup()
