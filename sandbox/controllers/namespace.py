"""The namespace controller: empties a namespace that is being deleted, then lets it go."""

from __future__ import annotations

import contextlib

from sandbox.client import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    ENDPOINT_SLICES,
    EVENTS,
    HORIZONTAL_POD_AUTOSCALERS,
    LEASES,
    NAMESPACES,
    NETWORK_CHAOS,
    POD_CHAOS,
    PODS,
    REPLICA_SETS,
    SECRETS,
    SERVICES,
    Key,
    NotFound,
    key_of,
)
from sandbox.controllers.cluster import Cluster
from sandbox.objects import is_terminating

CONTENT = (
    NETWORK_CHAOS, POD_CHAOS, HORIZONTAL_POD_AUTOSCALERS, DEPLOYMENTS, REPLICA_SETS, PODS, SERVICES, ENDPOINT_SLICES,
    CONFIG_MAPS, SECRETS, LEASES, EVENTS,
)  # fmt: skip
"""Owners before what they own, so that nothing is made anew while it is being taken away."""

RETRY_S = 0.5


class NamespaceController:
    """Acts on namespaces in the phase Terminating."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._queue = cluster.queue("namespace", self.reconcile)
        cluster.informers[NAMESPACES].add_handler(lambda _kind, obj, _old: self._queue.add(key_of(obj)))

    async def reconcile(self, key: Key) -> float | None:
        """Delete what is in the namespace; when nothing is left, drop its finalizer."""
        client = self._cluster.client
        namespace = self._cluster.get(NAMESPACES, key)
        if namespace is None or not is_terminating(namespace):
            return None
        left = 0
        for resource in CONTENT:
            try:
                listing = await client.list(resource, key[1])
            except NotFound:
                # A server that doesn't serve the kind holds none of it.
                continue
            for obj in listing["items"]:
                left += 1
                if not is_terminating(obj):
                    with contextlib.suppress(NotFound):
                        await client.delete(resource, obj["metadata"]["name"], key[1], uid=obj["metadata"]["uid"])
        if left:
            return RETRY_S
        with contextlib.suppress(NotFound):
            await client.update(NAMESPACES, {**namespace, "spec": {"finalizers": []}}, subresource="finalize")
        return None
