"""Reads the metrics API while a drill runs: how much of the CPU that an autoscaler's pods request is in use.

The autoscaler's own status says the same only at each of its syncs, which are as far apart as the metrics are.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from bundle.timeline import Entry
from gameday.cluster import Cluster
from gameday.deployment import is_of
from gameday.observe.reflector import KubeObject

PERIOD_S = 1.0
SERIES = "hpa.cpu_percent"
WATCHES = "podmetrics"


def utilisation(metrics: Sequence[KubeObject], pods: Sequence[KubeObject], deployment: str) -> float | None:
    """The CPU in use of that requested, in per cent, over the pods of a deployment that have metrics.

    None where none has, or where one of its containers requests no CPU: then an autoscaler doesn't know it either.
    """
    usage = {each["metadata"]["name"]: _total(c.get("usage") for c in each["containers"]) for each in metrics}
    members = [pod for pod in pods if is_of(pod, deployment) and pod["metadata"]["name"] in usage]
    used = requested = 0.0
    for pod in members:
        asked = [(c.get("resources") or {}).get("requests") for c in pod["spec"]["containers"]]
        if not all((each or {}).get("cpu") for each in asked):
            return None
        used += usage[pod["metadata"]["name"]]
        requested += _total(asked)
    return 100 * used / requested if requested else None


def _total(resources: Any) -> float:
    """Cores, of quantities such as `12m` or `1234567n`."""
    from kubernetes.utils.quantity import parse_quantity

    return float(sum(parse_quantity((each or {}).get("cpu", "0")) for each in resources))


class CpuPoll:
    """Reads from `start` to `stop`.

    autoscalers and pods: the context's as last seen. record and sample: as a Watcher takes them. deployment: whose
    autoscaler is meant.
    """

    def __init__(
        self,
        cluster: Cluster,
        deployment: str,
        autoscalers: Callable[[], list[KubeObject]],
        pods: Callable[[], list[KubeObject]],
        record: Callable[[Entry], None],
        sample: Callable[[str, str, int, float], None],
        now_ns: Callable[[], int],
    ) -> None:
        self._cluster, self._deployment = cluster, deployment
        self._autoscalers, self._pods = autoscalers, pods
        self._record, self._sample, self._now_ns = record, sample, now_ns
        self._stopping = threading.Event()
        self._seen: dict[str, str] = {}
        self._blind = False
        self._thread = threading.Thread(target=self._run, name=f"{cluster.context}-cpu", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._note("connected", "")
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """End it and wait for the thread."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stopping.wait(PERIOD_S):
            try:
                self.once()
            except Exception as error:  # whatever breaks an observer must show in the record, never end it in silence
                if not self._blind:
                    self._note("lost", f"{type(error).__name__}: {error}")
                self._blind = True
            else:
                if self._blind:
                    self._note("resumed", "")
                self._blind = False

    def once(self) -> None:
        """Read once, and keep what is new. Raises what `Cluster.list` raises."""
        metrics = self._cluster.list("podmetrics")["items"]
        read_ns = self._now_ns()
        pods = self._pods()
        ours = {pod["metadata"]["name"] for pod in pods if is_of(pod, self._deployment)}
        taken = {m["metadata"]["name"]: m.get("timestamp", "") for m in metrics if m["metadata"]["name"] in ours}
        percent = utilisation(metrics, pods, self._deployment)
        if percent is None or taken == self._seen:
            return  # a scrape that was seen before would say that nothing has changed since
        self._seen = taken
        for autoscaler in self._autoscalers():
            if autoscaler["spec"]["scaleTargetRef"]["name"] == self._deployment:
                meta = autoscaler["metadata"]
                source = f"{self._cluster.context}/{meta['namespace']}/{meta['name']}"
                self._sample(SERIES, source, read_ns, percent)

    def _note(self, event: str, error: str) -> None:
        now_ns, attributes = self._now_ns(), {"watches": WATCHES, "error": error}
        self._record(
            Entry("observer", event, now_ns, now_ns, self._cluster.context, source="poll", attributes=attributes)
        )
