"""NetworkChaos: what the chosen pods send is late, lost or cut off.

Facts from Chaos Mesh controllers/chaosimpl/networkchaos (trafficcontrol/impl.go, partition/impl.go).
"""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.client import NETWORK_CHAOS, PODS, KubeObject
from sandbox.controllers.chaos import ChaosController, Failed, pod_key
from sandbox.controllers.cluster import Cluster
from sandbox.durations import duration_ns
from sandbox.link.fault import Fault
from sandbox.link.pods import NotImposed

_SENDERS = {".": (("to", "both"), ".Target"), ".Target": (("from", "both"), ".")}
"""By selector key: in which directions these pods' sending is concerned, and who it is sent to."""


def fault_of(spec: KubeObject, towards: Iterable[str]) -> Fault:
    """The fault that a spec asks for, of what is sent towards these addresses (none: all). Raises Failed."""
    targets = tuple(towards)
    if spec["action"] == "partition":
        return Fault(cut=True, towards=targets)
    delay, loss = spec.get("delay"), spec.get("loss")
    if delay is None and loss is None:
        # Whichever of these actions is named, netem gets all parameters that are there.
        raise Failed("invalid spec for netem action, at least one is required from delay, loss, duplicate, corrupt")
    delay, loss = delay or {}, loss or {}
    return Fault(
        latency_ns=duration_ns(delay.get("latency", "0")),
        jitter_ns=duration_ns(delay.get("jitter", "0")),
        latency_correlation=_share(delay.get("correlation")),
        loss=_share(loss.get("loss")),
        loss_correlation=_share(loss.get("correlation")),
        towards=targets,
    )


class NetworkFaults:
    """Injects by the links of the pods."""

    resource = NETWORK_CHAOS
    one_shot = False

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def apply(self, chaos: KubeObject, record: KubeObject, records: list[KubeObject]) -> None:
        """Put the pod of `record` under the fault, if it is a sender of what is concerned. Raises Failed."""
        spec = chaos["spec"]
        directions, others = _SENDERS[record["selectorKey"]]
        pod = self._pod(record)
        if spec["direction"] not in directions:
            return
        if pod.get("status", {}).get("phase") != "Running":
            raise Failed("pod not running")
        towards = [*spec.get("externalTargets", [])]
        for other in records:
            if other["selectorKey"] == others:
                towards += self._addresses(self._pod(other))
        try:
            fault = fault_of(spec, dict.fromkeys(towards))
            await self._cluster.links.impose(pod["metadata"]["uid"], _source(chaos, record), [fault])
        except NotImposed as error:
            raise Failed(f"failed to apply for pod {record['id']}: {error}") from error

    async def recover(self, chaos: KubeObject, record: KubeObject) -> None:
        """Lift the fault; a pod that is gone has taken its own with it. Raises Failed."""
        pod = self._cluster.get(PODS, pod_key(record))
        if pod is None:
            return
        try:
            await self._cluster.links.impose(pod["metadata"]["uid"], _source(chaos, record), [])
        except NotImposed as error:
            raise Failed(f"failed to recover pod {record['id']}: {error}") from error

    def _pod(self, record: KubeObject) -> KubeObject:
        pod = self._cluster.get(PODS, pod_key(record))
        if pod is None:
            raise Failed(f'Pod "{pod_key(record)[1]}" not found')
        return pod

    def _addresses(self, pod: KubeObject) -> list[str]:
        address = pod.get("status", {}).get("podIP")
        if not address:
            raise Failed(f"pod {pod['metadata']['name']} has no address")
        return [address, *sorted(self._cluster.links.addresses(pod["metadata"]["uid"]))]


def network_chaos(cluster: Cluster) -> ChaosController:
    """The controller of NetworkChaos."""
    return ChaosController(cluster, NetworkFaults(cluster))


def _source(chaos: KubeObject, record: KubeObject) -> str:
    return f"{chaos['metadata']['namespace']}/{chaos['metadata']['name']}{record['selectorKey']}"


def _share(percentage: str | None) -> float:
    return float(percentage or 0) / 100
