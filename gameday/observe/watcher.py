"""Everything that is watched of one context, on threads of its own, from `start` to `stop`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from bundle.timeline import Entry
from gameday.cluster import PATHS, Cluster
from gameday.deployment import DeploymentState, state_of
from gameday.observe.entries import ALWAYS
from gameday.observe.listwatch import ListWatch
from gameday.observe.pulse import Pulse
from gameday.observe.reflector import KubeObject

BEAT_TIMEOUT_S = 1.0
"""A read that takes longer than this has failed: by then nobody can say what the server knows."""


class Watcher:
    """Watches the pods and deployments of one context, and what `also` names, and takes its API server's pulse.

    record: takes timeline entries; sample: takes (series, source, utc_ns, value); both are called from several
    threads. now_ns: UTC nanoseconds.
    """

    def __init__(
        self,
        cluster: Cluster,
        record: Callable[[Entry], None],
        sample: Callable[[str, str, int, float], None],
        now_ns: Callable[[], int],
        also: Iterable[str] = (),
    ) -> None:
        """also: further keys of `gameday.observe.entries.ATTRIBUTES`."""
        self.context = cluster.context
        path = PATHS["namespace"].format(namespace=cluster.namespace)

        def beat() -> object:
            return cluster.get(path, timeout_s=BEAT_TIMEOUT_S)

        self._pulse = Pulse(cluster.context, beat, record, sample, now_ns)
        self._lists = {
            watches: ListWatch(cluster, watches, record, now_ns, self._pulse.lateness_ns)
            for watches in (*ALWAYS, *also)
        }
        self._threads: list[threading.Thread] = []

    def start(self, timeout_s: float) -> bool:
        """Start watching; True once every watch is open, False where that took longer than `timeout_s`."""
        self._pulse.once()
        for name, run in [("pulse", self._pulse.run), *((w, lw.run) for w, lw in self._lists.items())]:
            thread = threading.Thread(target=run, name=f"{self.context}-{name}", daemon=True)
            thread.start()
            self._threads.append(thread)
        deadline = time.monotonic() + timeout_s
        return all(lw.synced.wait(max(0.0, deadline - time.monotonic())) for lw in self._lists.values())

    def stop(self, timeout_s: float = 5.0) -> None:
        """End every watch and wait for the threads."""
        self._pulse.stopping.set()
        for listwatch in self._lists.values():
            listwatch.stop()
        for thread in self._threads:
            thread.join(timeout_s)

    def pods(self) -> list[KubeObject]:
        """Every pod as last seen."""
        return self._lists["pods"].objects()

    def autoscalers(self) -> list[KubeObject]:
        """Every autoscaler as last seen; none where they aren't watched."""
        watch = self._lists.get("autoscalers")
        return [] if watch is None else watch.objects()

    def deployments(self) -> list[DeploymentState]:
        """Every deployment as last seen."""
        return [state_of(obj) for obj in self._lists["deployments"].objects()]
