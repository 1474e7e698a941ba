"""What the node and its containers use, as a kubelet says it under /metrics/resource.

A container is a session of processes, so what it uses is the sum over them. CPU time of children that have ended counts
with the process that waited for them. Memory is the resident set: pages that several processes share count in each.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import psutil

from sandbox.clock import NS_PER_S


@dataclass(frozen=True, slots=True)
class Consumer:
    """A container's process: its id, which is its session's too, and since when it runs."""

    namespace: str
    pod: str
    container: str
    pid: int
    started_ns: int


@dataclass(frozen=True, slots=True)
class Consumption:
    """CPU time used since the start, and memory in use."""

    cpu_s: float = 0.0
    memory_bytes: int = 0

    def __add__(self, other: Consumption) -> Consumption:
        return Consumption(self.cpu_s + other.cpu_s, self.memory_bytes + other.memory_bytes)


def by_session(pids: Iterable[int]) -> dict[int, Consumption]:
    """What each of these sessions uses: one look at every process there is, a closer one at those that belong."""
    found = dict.fromkeys(pids, Consumption())
    for pid in psutil.pids():
        try:
            session = os.getsid(pid)
            if session not in found:
                continue
            process = psutil.Process(pid)
            with process.oneshot():
                times = process.cpu_times()
                own_s = times.user + times.system + times.children_user + times.children_system
                found[session] += Consumption(own_s, process.memory_info().rss)
        except (ProcessLookupError, psutil.NoSuchProcess):
            # Ended between the two looks. What it used is its parent's from now on.
            continue
    return found


def of_machine() -> Consumption:
    """What the machine uses, since the node is this machine."""
    times, memory = psutil.cpu_times(), psutil.virtual_memory()
    # Guests' time is part of the users'.
    busy_s = times.user + times.nice + times.system + times.irq + times.softirq
    return Consumption(busy_s, memory.total - memory.available)


def exposition(
    consumers: Iterable[Consumer], used: Mapping[int, Consumption], machine: Consumption, now_ns: int
) -> str:
    """Return the text that Prometheus and metrics-server read."""
    now_ms = now_ns // 1_000_000
    containers = [
        (f'{{container="{each.container}",namespace="{each.namespace}",pod="{each.pod}"}}', each, used[each.pid])
        for each in consumers
    ]
    lines = [
        "# TYPE container_cpu_usage_seconds_total counter",
        *(f"container_cpu_usage_seconds_total{labels} {use.cpu_s:.9g} {now_ms}" for labels, _, use in containers),
        "# TYPE container_memory_working_set_bytes gauge",
        *(f"container_memory_working_set_bytes{labels} {use.memory_bytes} {now_ms}" for labels, _, use in containers),
        "# TYPE container_start_time_seconds gauge",
        *(f"container_start_time_seconds{labels} {each.started_ns / NS_PER_S:.6f}" for labels, each, _ in containers),
        "# TYPE node_cpu_usage_seconds_total counter",
        f"node_cpu_usage_seconds_total {machine.cpu_s:.9g} {now_ms}",
        "# TYPE node_memory_working_set_bytes gauge",
        f"node_memory_working_set_bytes {machine.memory_bytes} {now_ms}",
        "# TYPE scrape_error gauge",
        "scrape_error 0",
        "# TYPE resource_scrape_error gauge",
        "resource_scrape_error 0",
    ]
    return "\n".join(lines) + "\n"
