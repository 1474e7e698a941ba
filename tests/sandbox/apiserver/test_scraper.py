from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from sandbox.apiserver.scraper import PATH, Scraper, parse
from sandbox.apiserver.usage import Point
from sandbox.node.resources import Consumer, Consumption, exposition
from tests.sandbox.apiserver.bodies import CATALOGUE, NODE, NOW_NS, POD, SECOND_NS, Region

HOST = "127.91.7.1"
WEB = Consumer("default", "web", "main", 10, NOW_NS)
SIDE = Consumer("default", "web", "side", 11, NOW_NS + SECOND_NS)


def text(cpu_s: float, at_s: float) -> str:
    used = {10: Consumption(cpu_s, 2**20), 11: Consumption(0.5, 4096)}
    return exposition([WEB, SIDE], used, Consumption(1000 + cpu_s, 2**30), NOW_NS + int(at_s * SECOND_NS))


def test_what_a_node_agent_says_is_read_back() -> None:
    found = parse(text(1.25, at_s=30), "node-1")
    taken_ns = NOW_NS + 30 * SECOND_NS
    assert found.pods == {
        ("default", "web"): {
            "main": Point(taken_ns, 1_250_000_000, 2**20, NOW_NS),
            "side": Point(taken_ns, 500_000_000, 4096, NOW_NS + SECOND_NS),
        }
    }
    assert found.nodes == {"node-1": Point(taken_ns, 1_001_250_000_000, 2**30)}


def test_a_container_whose_memory_is_missing_counts_as_not_measured() -> None:
    labels = '{container="c",namespace="n",pod="p"}'
    assert parse(f"container_cpu_usage_seconds_total{labels} 1 1000\n", "node-1").pods == {("n", "p"): {}}


def test_a_line_that_is_no_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="no sample: 'surprise'"):
        parse("surprise\n", "node-1")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('container_cpu_usage_seconds_total{container="c",pod="p"} 1 1000', "no namespace"),
        ('container_cpu_usage_seconds_total{container="c",namespace="n"} 1 1000', "no pod"),
        ("node_cpu_usage_seconds_total +Inf 1000", "no number"),
        ("node_cpu_usage_seconds_total NaN 1000", "no number"),
        ("node_cpu_usage_seconds_total 1e300 1000", "no number"),
    ],
)
def test_a_sample_of_nothing_or_without_a_measure_is_refused(line: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse(f"{line}\nnode_memory_working_set_bytes 4096 1000\n", "node-1")


class Agent:
    """A node agent that says what a test lets it say."""

    def __init__(self) -> None:
        self.says = ""
        self.tokens: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.tokens.append(request.headers.get("Authorization", ""))
        return web.Response(text=self.says, status=200 if self.says else 500)


@pytest.fixture
async def agent() -> AsyncIterator[tuple[Agent, int]]:
    made = Agent()
    app = web.Application()
    app.router.add_get(PATH, made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, HOST, 0)
    await site.start()
    yield made, runner.addresses[0][1]
    await runner.cleanup()


def region_with_node(port: int) -> Region:
    region = Region()
    status = {
        "addresses": [{"type": "InternalIP", "address": HOST}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
    }
    region.create(NODE, {"metadata": {"name": "node-1"}, "status": status})
    region.scheduled_pod("web")
    pod = region.registry.get(POD, ("default", "web"))
    region.store.put(POD, ("default", "web"), {**pod, "status": {"phase": "Running"}})
    return region


async def test_after_one_odd_line_of_a_node_it_is_scraped_as_ever(
    agent: tuple[Agent, int],
) -> None:
    says, port = agent
    region = region_with_node(port)
    scraper = Scraper(region.registry, "token", 15.0)
    async with aiohttp.ClientSession() as session:
        odd = 'container_cpu_usage_seconds_total{container="c"} 1 1000\n'
        for said in (odd, text(1.0, at_s=30), text(2.5, at_s=45)):
            says.says = said
            await scraper.scrape(session)
    (found,) = region.registry.list(CATALOGUE.named("NodeMetrics"), "", None)
    assert found["usage"]["cpu"] == "100m"


async def test_two_scrapes_make_metrics_and_a_failed_one_takes_them_away(agent: tuple[Agent, int]) -> None:
    says, port = agent
    region = region_with_node(port)
    scraper = Scraper(region.registry, "token", 15.0)

    def listed(name: str) -> list[dict[str, Any]]:
        return region.registry.list(CATALOGUE.named(name), "", None)

    async with aiohttp.ClientSession() as session:
        for cpu_s, at_s in ((1.0, 30), (2.5, 45)):
            assert listed("PodMetrics") == []
            says.says = text(cpu_s, at_s)
            await scraper.scrape(session)
        (found,) = listed("PodMetrics")
        assert [each["usage"]["cpu"] for each in found["containers"]] == ["100m", "0"]
        assert listed("NodeMetrics")[0]["usage"]["cpu"] == "100m"
        says.says = ""
        await scraper.scrape(session)
        assert listed("PodMetrics") == listed("NodeMetrics") == []
