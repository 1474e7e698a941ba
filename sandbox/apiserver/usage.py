"""What pods and nodes use, from the last two scrapes, as metrics-server calculates it and serves it as metrics.k8s.io.

Facts from metrics-server 0.8 pkg/storage and pkg/api. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from sandbox.apiserver.objects import KubeObject
from sandbox.clock import NS_PER_S, timestamp
from sandbox.quantity import binary, decimal

FRESH_NS = 10 * NS_PER_S
"""From which age on a container that was seen only once is rated over its whole life."""

PodKey = tuple[str, str]
"""(namespace, name)"""


@dataclass(frozen=True, slots=True)
class Point:
    """One reading of a container or a node: CPU time used since its start, and memory in use at `taken_ns`."""

    taken_ns: int
    cpu_ns: int
    memory_bytes: int
    started_ns: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """What one scrape of all nodes found."""

    nodes: Mapping[str, Point] = field(default_factory=dict)
    pods: Mapping[PodKey, Mapping[str, Point]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rate:
    """What lies between two points of one thing."""

    last: Point
    previous: Point

    @property
    def holds(self) -> bool:
        """Whether they are of one life: neither the start nor the CPU time can go back."""
        return self.last.started_ns >= self.previous.started_ns and self.last.cpu_ns >= self.previous.cpu_ns

    @property
    def window_ns(self) -> int:
        """How long the points are apart."""
        return self.last.taken_ns - self.previous.taken_ns

    def usage(self) -> KubeObject:
        """Return the quantities of CPU and memory."""
        nanocores = (self.last.cpu_ns - self.previous.cpu_ns) * NS_PER_S // self.window_ns
        return {"cpu": decimal(nanocores, -9), "memory": binary(self.last.memory_bytes)}


@dataclass(slots=True)
class Usage:
    """Keeps the last two points of everything. What a batch leaves out is forgotten."""

    resolution_ns: int
    _last: Batch = field(default_factory=Batch)
    _previous: Batch = field(default_factory=Batch)

    def store(self, batch: Batch) -> None:
        """Take a new batch in."""
        nodes = {
            name: found
            for name, point in batch.nodes.items()
            if (found := _before(point, self._last.nodes.get(name), self._previous.nodes.get(name)))
        }
        pods: dict[PodKey, dict[str, Point]] = {}
        for key, containers in batch.pods.items():
            for name, point in containers.items():
                last = self._last.pods.get(key, {}).get(name)
                previous = self._previous.pods.get(key, {}).get(name)
                if found := self._before_container(point, last, previous):
                    pods.setdefault(key, {})[name] = found
        self._last, self._previous = batch, Batch(nodes, pods)

    def _before_container(self, point: Point, last: Point | None, previous: Point | None) -> Point | None:
        if FRESH_NS <= point.taken_ns - point.started_ns < self.resolution_ns:
            return replace(point, taken_ns=point.started_ns, cpu_ns=0)
        if last is not None and point.started_ns >= last.taken_ns:
            return None
        return _before(point, last, previous)

    def node_metrics(self, nodes: Iterable[KubeObject], now_ns: int) -> list[KubeObject]:
        """Return the NodeMetrics of those nodes that have two points."""
        made = []
        for node in nodes:
            name = node["metadata"]["name"]
            if (
                name in self._previous.nodes
                and (rate := Rate(self._last.nodes[name], self._previous.nodes[name])).holds
            ):
                made.append(_metrics("NodeMetrics", node, rate, now_ns) | {"usage": rate.usage()})
        return made

    def pod_metrics(self, pods: Iterable[KubeObject], now_ns: int) -> list[KubeObject]:
        """Return the PodMetrics of those running pods whose containers all have two points."""
        made = []
        for pod in pods:
            key = (pod["metadata"]["namespace"], pod["metadata"]["name"])
            last, previous = self._last.pods.get(key, {}), self._previous.pods.get(key, {})
            if pod["status"].get("phase") != "Running" or not last or last.keys() != previous.keys():
                continue
            rates = {name: rate for name in last if (rate := Rate(last[name], previous[name])).holds}
            if not rates:
                continue
            earliest = min(rates.values(), key=lambda rate: rate.last.taken_ns)
            containers = [{"name": name, "usage": rate.usage()} for name, rate in rates.items()]
            made.append(_metrics("PodMetrics", pod, earliest, now_ns) | {"containers": containers})
        return made


def _before(point: Point, last: Point | None, previous: Point | None) -> Point | None:
    """The point to hold a new one against: the last one, or the one before where nothing was measured since."""
    if last is not None and point.taken_ns > last.taken_ns:
        return last
    return previous if last is not None and previous is not None and previous.taken_ns < point.taken_ns else None


def _metrics(kind: str, obj: KubeObject, rate: Rate, now_ns: int) -> KubeObject:
    names = ("name", "namespace", "labels")
    metadata = {name: obj["metadata"][name] for name in names if name in obj["metadata"]}
    return {
        "kind": kind,
        "apiVersion": "metrics.k8s.io/v1beta1",
        "metadata": metadata | {"creationTimestamp": timestamp(now_ns)},
        "timestamp": timestamp(rate.last.taken_ns),
        "window": _duration(rate.window_ns),
    }


def _duration(window_ns: int) -> str:
    """Write a duration as Go does, to the millisecond: `15.02s`, `1m0s`."""
    minutes, rest_ns = divmod(window_ns, 60 * NS_PER_S)
    seconds = f"{rest_ns / NS_PER_S:.3f}".rstrip("0").rstrip(".")
    return f"{minutes}m{seconds}s" if minutes else f"{seconds}s"
