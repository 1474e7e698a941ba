"""PodChaos: the chosen pods are killed.

Facts from Chaos Mesh controllers/chaosimpl/podchaos/podkill/impl.go.
"""

from __future__ import annotations

from sandbox.client import POD_CHAOS, PODS, KubeObject
from sandbox.controllers.chaos import ChaosController, pod_key
from sandbox.controllers.cluster import Cluster


class PodKill:
    """Deletes pods, by default without any grace."""

    resource = POD_CHAOS
    one_shot = True

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def apply(self, chaos: KubeObject, record: KubeObject, records: list[KubeObject]) -> None:  # noqa: ARG002
        """Delete the pod; one that is gone already is a failure, as it is to Chaos Mesh."""
        namespace, name = pod_key(record)
        grace_s = chaos["spec"].get("gracePeriod", 0)
        await self._cluster.client.delete(PODS, name, namespace, grace_period_s=grace_s)

    async def recover(self, chaos: KubeObject, record: KubeObject) -> None:
        """There is nothing to take back."""


def pod_chaos(cluster: Cluster) -> ChaosController:
    """The controller of PodChaos."""
    return ChaosController(cluster, PodKill(cluster))
