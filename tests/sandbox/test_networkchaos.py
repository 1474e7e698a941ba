"""NetworkChaos on a whole hardened sandbox: what was asked for is what is measured, and nothing else is touched."""

from __future__ import annotations

import asyncio
import statistics
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from sandbox.client import NETWORK_CHAOS, PODS, ApiClient, KubeObject, NotFound
from sandbox.network import NAMESPACE, Network
from sandbox.readiness import connected
from sandbox.state import State
from tests.sandbox.command import assert_nothing_is_left, run

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("sandbox-127.96")]

NETWORK = Network("127.96")
PORT = 8094
DELAY_MS, WITHIN_MS = 100.0, 5.0
PATIENCE_S = 30.0
Clients = Mapping[str, ApiClient]


@pytest.fixture(scope="module")
def hardened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    state = State(tmp_path_factory.mktemp("sandbox") / "state")
    done = run(state, "up", "--network", NETWORK.prefix, "--timeout", "90")
    assert done.returncode == 0, done.stderr
    yield state
    assert run(state, "down").returncode == 0
    assert_nothing_is_left(state, NETWORK)


@pytest.fixture
async def clients(hardened: State) -> AsyncIterator[Clients]:
    async with connected(hardened) as made:
        yield made


async def agents(client: ApiClient) -> dict[str, str]:
    """The addresses of a region's orchestration-agents by name."""
    found = await client.list(PODS, NAMESPACE, label_selector="app=orchestration-agent")
    return {pod["metadata"]["name"]: pod["status"]["podIP"] for pod in found["items"]}


@asynccontextmanager
async def chaos(client: ApiClient, name: str, pods: list[str], **spec: Any) -> AsyncIterator[None]:
    """An experiment on the pods of these names, in force while the block runs and gone after it."""
    wanted = {"mode": "all", "selector": {"pods": {NAMESPACE: pods}}, **spec}
    await client.create(NETWORK_CHAOS, {"metadata": {"name": name, "namespace": NAMESPACE}, "spec": wanted})
    try:
        await until(client, name, "AllInjected")
        yield
    finally:
        await client.delete(NETWORK_CHAOS, name, NAMESPACE)
        await gone(client, name)


async def until(client: ApiClient, name: str, condition: str) -> KubeObject:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found = await client.get(NETWORK_CHAOS, name, NAMESPACE)
            states = {each["type"]: each["status"] for each in found.get("status", {}).get("conditions", [])}
            if states.get(condition) == "True":
                return found
            await asyncio.sleep(0.05)


async def gone(client: ApiClient, name: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                await client.get(NETWORK_CHAOS, name, NAMESPACE)
            except NotFound:
                return
            await asyncio.sleep(0.02)


async def answers_ms(host: str, number: int = 15, *, kept: bool = True) -> list[float]:
    """How long so many answers take, one after another, on one connection or each on its own."""
    took_ms = []
    connector = aiohttp.TCPConnector(force_close=not kept)
    async with aiohttp.ClientSession(f"http://{host}:{PORT}", connector=connector) as session:
        for _ in range(number):
            began_s = time.monotonic()
            async with session.get("/api/v1/agents") as answer:
                await answer.read()
            took_ms.append(1000 * (time.monotonic() - began_s))
    return took_ms


async def rise_ms(host: str, other: str, *, kept: bool) -> float:
    """By how much the median answer of one pod takes longer than that of another: asked by turns, over some seconds, so
    that whatever else the machine does strikes both."""
    took_ms: dict[str, list[float]] = {host: [], other: []}
    for _ in range(10):
        for each, found in took_ms.items():
            found += await answers_ms(each, 5, kept=kept)
    return statistics.median(took_ms[host]) - statistics.median(took_ms[other])


async def write_ms(host: str) -> float:
    """How long a write takes that is answered once a majority has it."""
    began_s = time.monotonic()
    async with aiohttp.ClientSession(f"http://{host}:{PORT}") as session:
        key = {"Idempotency-Key": uuid.uuid4().hex}
        async with session.post("/api/v1/agents/analyst/tasks", json={}, headers=key) as answer:
            assert answer.status == 201, await answer.text()
    return 1000 * (time.monotonic() - began_s)


async def raft(host: str) -> dict[str, Any]:
    async with aiohttp.ClientSession(f"http://{host}:{PORT}") as session, session.get("/health") as answer:
        status: dict[str, Any] = (await answer.json())["raft_status"]
        return status


async def leaders(clients: Clients) -> dict[str, tuple[str, str, int]]:
    """Who calls itself leader: region, name and term by address."""
    found = {}
    for region, client in clients.items():
        for name, host in (await agents(client)).items():
            status = await raft(host)
            if status["role"] == "leader":
                found[host] = (region, name, status["term"])
    return found


async def lead_from(clients: Clients, region: str) -> tuple[str, str]:
    """Have a pod of this region lead; its name and address."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            for host, (where, name, _) in (await leaders(clients)).items():
                if where == region:
                    return name, host
                async with aiohttp.ClientSession(f"http://{host}:{PORT}") as session:
                    await session.post("/api/v1/leader", json={"region": region})
            await asyncio.sleep(0.2)


async def test_a_delay_is_what_was_asked_for_on_new_and_on_kept_connections_and_no_other_pod_s(
    clients: Clients,
) -> None:
    client = clients["us-east-1"]
    pods = await agents(client)
    victim, *others = pods
    kept = aiohttp.ClientSession(f"http://{pods[victim]}:{PORT}")
    async with kept:
        async with kept.get("/api/v1/agents") as answer:
            await answer.read()
        async with chaos(client, "slow", [victim], action="delay", delay={"latency": f"{DELAY_MS:g}ms"}):
            began_s = time.monotonic()
            async with kept.get("/api/v1/agents") as answer:
                await answer.read()
            assert 1000 * (time.monotonic() - began_s) >= DELAY_MS, "a connection from before is late as well"
            for each in (True, False):
                assert abs(await rise_ms(pods[victim], pods[others[0]], kept=each) - DELAY_MS) <= WITHIN_MS
            for name in others:
                assert statistics.median(await answers_ms(pods[name])) < DELAY_MS / 4
        assert statistics.median(await answers_ms(pods[victim])) < DELAY_MS / 4


async def test_a_delay_expires_by_itself_though_nobody_deletes_it(clients: Clients) -> None:
    client = clients["us-west-2"]
    victim, host = next(iter((await agents(client)).items()))
    spec = {
        "action": "delay", "mode": "one", "duration": "4s", "delay": {"latency": "100ms"},
        "selector": {"pods": {NAMESPACE: [victim]}},
    }  # fmt: skip
    began_s = time.monotonic()
    await client.create(NETWORK_CHAOS, {"metadata": {"name": "brief", "namespace": NAMESPACE}, "spec": spec})
    await until(client, "brief", "AllInjected")
    assert min(await answers_ms(host, 3)) >= DELAY_MS
    await until(client, "brief", "AllRecovered")
    # The duration counts from the creation, whose time is cut to whole seconds.
    assert time.monotonic() - began_s >= 3
    assert statistics.median(await answers_ms(host)) < DELAY_MS / 4
    await client.delete(NETWORK_CHAOS, "brief", NAMESPACE)
    await gone(client, "brief")


async def test_deleting_a_delay_undoes_it_for_what_is_under_way_too(clients: Clients) -> None:
    client = clients["us-west-2"]
    victim, host = next(iter((await agents(client)).items()))
    async with chaos(client, "long", [victim], action="delay", delay={"latency": "300s"}):
        waiting = asyncio.create_task(answers_ms(host, 1))
        await asyncio.sleep(0.5)
        assert not waiting.done()
    # Ten times sooner than it was due: only that the delay was undone can have brought it.
    async with asyncio.timeout(PATIENCE_S):
        assert (await waiting)[0] >= 500


async def test_the_raft_of_a_delayed_leader_commits_later(clients: Clients) -> None:
    name, leader = await lead_from(clients, "us-east-1")
    other = next(host for host in (await agents(clients["us-east-1"])).values() if host != leader)
    before = statistics.median([await write_ms(other) for _ in range(10)])
    assert before < DELAY_MS
    async with chaos(clients["us-east-1"], "leader", [name], action="delay", delay={"latency": f"{DELAY_MS:g}ms"}):
        during = [await write_ms(other) for _ in range(10)]
        assert min(during) >= DELAY_MS, "the other pod is not late itself: its leader's messages are"
        assert (await leaders(clients)).keys() == {leader}, "a delay of a tenth of the election time-out deposes nobody"
    assert statistics.median([await write_ms(other) for _ in range(10)]) < DELAY_MS


@pytest.mark.parametrize("direction", ["to", "from"])
async def test_a_delay_between_two_pods_concerns_no_other_pod(clients: Clients, direction: str) -> None:
    """The Raft's leader is late towards one follower, or that one towards the leader: only its writes are late."""
    client = clients["us-east-1"]
    name, leader = await lead_from(clients, "us-east-1")
    (late, late_host), (_, other_host) = [each for each in (await agents(client)).items() if each[1] != leader]
    target = {"mode": "all", "selector": {"pods": {NAMESPACE: [late]}}}
    spec = {"action": "delay", "delay": {"latency": f"{DELAY_MS:g}ms"}, "direction": direction, "target": target}
    async with chaos(client, "between", [name], **spec):
        assert min([await write_ms(late_host) for _ in range(5)]) >= DELAY_MS
        assert statistics.median([await write_ms(other_host) for _ in range(10)]) < DELAY_MS
        for host in (leader, late_host):
            assert statistics.median(await answers_ms(host, 5)) < DELAY_MS / 4


async def test_a_region_that_is_cut_off_from_the_others_loses_the_lead_and_comes_back(clients: Clients) -> None:
    _, old = await lead_from(clients, "us-east-1")
    term = (await raft(old))["term"]
    pods = await agents(clients["us-east-1"])
    elsewhere = [f"{NETWORK.prefix}.{number}.0/24" for number in (2, 3)]
    elsewhere += [str(region.pods) for region in NETWORK.regions if region.name != "us-east-1"]
    async with chaos(clients["us-east-1"], "apart", list(pods), action="partition", externalTargets=elsewhere):
        async with asyncio.timeout(PATIENCE_S):
            while True:
                found = await leaders(clients)
                if found and all(region != "us-east-1" for region, _, _ in found.values()):
                    break
                await asyncio.sleep(0.1)
        (new,) = found
        assert found[new][2] > term
        assert await write_ms(new) < 1000
        assert statistics.median(await answers_ms(old, 5)) < DELAY_MS / 4, "whoever is not a target gets answers"
    async with asyncio.timeout(PATIENCE_S):
        while (await raft(old))["commit_index"] < (await raft(new))["commit_index"]:
            await asyncio.sleep(0.1)


async def test_a_pod_that_is_cut_off_answers_nobody_until_it_is_over(clients: Clients) -> None:
    client = clients["eu-central-1"]
    victim, host = next(iter((await agents(client)).items()))
    async with chaos(client, "silent", [victim], action="partition"):
        waiting = asyncio.create_task(answers_ms(host, 1))
        await asyncio.sleep(1.0)
        assert not waiting.done()
    # What was cut off comes with TCP's next try, which waits at most as long again as it was cut off.
    async with asyncio.timeout(PATIENCE_S):
        assert (await waiting)[0] >= 1000


async def test_what_is_lost_comes_with_tcp_s_next_try(clients: Clients) -> None:
    client = clients["eu-central-1"]
    victim, host = next(iter((await agents(client)).items()))
    async with chaos(client, "lossy", [victim], action="loss", loss={"loss": "30"}):
        took_ms = await answers_ms(host, 60)
    late = [each for each in took_ms if each >= 200]
    on_time = [each for each in took_ms if each < 100]
    # Of 60 with a chance of 0.3 each, fewer than 5 or more than 35 are lost once in 100 000 times.
    assert 5 <= len(late) <= 35
    assert len(on_time) + len(late) == 60, "a loss costs a time-out of 200 ms or nothing"
