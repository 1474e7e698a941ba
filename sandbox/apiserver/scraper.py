"""Asks every node's agent what its pods use, time and again: the part that metrics-server has in a cluster."""

from __future__ import annotations

import asyncio
import logging
import math
import re
from collections.abc import Iterator, Mapping

from aiohttp import ClientError, ClientSession, ClientTimeout

from sandbox.apiserver.logs import agent_url
from sandbox.apiserver.registry import Registry
from sandbox.apiserver.status import StatusError
from sandbox.apiserver.usage import Batch, PodKey, Point, Usage
from sandbox.clock import NS_PER_S

PATH = "/metrics/resource"
TIMEOUT_S = 10.0
_NS_PER_MS = 1_000_000
_SAMPLE = re.compile(r"(?P<name>\w+)(?:\{(?P<labels>[^}]*)\})? (?P<value>\S+)(?: (?P<taken_ms>\d+))?")
_LABEL = re.compile(r'(\w+)="([^"]*)"')

logger = logging.getLogger(__name__)


def parse(text: str, node: str) -> Batch:
    """Read what a kubelet says under /metrics/resource; raises ValueError on a line that can't be read.

    Names in Kubernetes hold no character that the format would escape.
    """
    points: dict[PodKey, dict[str, dict[str, tuple[float, int]]]] = {}
    whole: dict[str, tuple[float, int]] = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        sample = _SAMPLE.fullmatch(line)
        if sample is None:
            raise ValueError(f"no sample: {line[:80]!r}")
        labels = dict(_LABEL.findall(sample["labels"] or ""))
        reading = (float(sample["value"]), int(sample["taken_ms"] or 0) * _NS_PER_MS)
        if not math.isfinite(reading[0] * NS_PER_S):
            raise ValueError(f"no number: {line[:80]!r}")
        if "container" in labels:
            if missing := [each for each in ("namespace", "pod") if each not in labels]:
                raise ValueError(f"no {' and no '.join(missing)}: {line[:80]!r}")
            of_pod = points.setdefault((labels["namespace"], labels["pod"]), {})
            of_pod.setdefault(labels["container"], {})[sample["name"]] = reading
        elif not labels:
            whole[sample["name"]] = reading
    pods = {key: dict(_points("container", containers)) for key, containers in points.items()}
    return Batch(dict(_points("node", {node: whole})), pods)


def _points(prefix: str, of: dict[str, dict[str, tuple[float, int]]]) -> Iterator[tuple[str, Point]]:
    """What has both CPU and memory: as metrics-server, take the other as not measured."""
    for name, readings in of.items():
        cpu = readings.get(f"{prefix}_cpu_usage_seconds_total")
        memory = readings.get(f"{prefix}_memory_working_set_bytes")
        if cpu is not None and memory is not None:
            started_s, _ = readings.get(f"{prefix}_start_time_seconds", (0.0, 0))
            yield name, Point(cpu[1], round(cpu[0] * NS_PER_S), int(memory[0]), round(started_s * NS_PER_S))


class Scraper:
    """Scrapes the nodes of one region and answers for its metrics.k8s.io."""

    def __init__(self, registry: Registry, token: str, resolution_s: float) -> None:
        self._registry = registry
        self._token = token
        self._resolution_s = resolution_s
        self._usage = Usage(int(resolution_s * NS_PER_S))
        kinds = registry.catalogue
        self._nodes, self._pods = kinds.named("Node"), kinds.named("Pod")
        registry.compute(
            kinds.named("NodeMetrics"),
            lambda _: self._usage.node_metrics(registry.store.list(self._nodes), registry.clock_ns()),
        )
        registry.compute(
            kinds.named("PodMetrics"),
            lambda namespace: self._usage.pod_metrics(registry.store.list(self._pods, namespace), registry.clock_ns()),
        )

    async def run(self) -> None:
        """Scrape every `resolution_s` until cancelled."""
        loop = asyncio.get_running_loop()
        headers = {"Authorization": f"Bearer {self._token}"}
        timeout = ClientTimeout(total=min(TIMEOUT_S, self._resolution_s))
        async with ClientSession(headers=headers, timeout=timeout) as session:
            due_s = loop.time()
            while True:
                await self.scrape(session)
                due_s += self._resolution_s
                await asyncio.sleep(due_s - loop.time())

    async def scrape(self, session: ClientSession) -> None:
        """Ask each node once. One that does not answer has no metrics until it does."""
        nodes: dict[str, Point] = {}
        pods: dict[PodKey, Mapping[str, Point]] = {}
        for node in self._registry.store.list(self._nodes):
            try:
                async with session.get(agent_url(node) + PATH, raise_for_status=True) as answer:
                    found = parse(await answer.text(), node["metadata"]["name"])
            except (ClientError, TimeoutError, StatusError, ValueError) as error:
                logger.warning("%s: node %s not scraped: %s", self._registry.region, node["metadata"]["name"], error)
                continue
            nodes |= found.nodes
            pods |= found.pods
        self._usage.store(Batch(nodes, pods))
