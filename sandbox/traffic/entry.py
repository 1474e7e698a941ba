"""Tells a region's entry Service where the global entry is, as a cloud's load balancer controller does it."""

from __future__ import annotations

import asyncio

from sandbox.client import SERVICES, ApiClient, ApiError, EventType, Informer, Key, KubeObject
from sandbox.network import Address
from sandbox.traffic.backends import is_entry

RETRY_S = 0.2


class EntryStatus:
    """Keeps `status.loadBalancer` of one region's entry Services.

    Apart from the writing of Envoy's files, so that an API server that doesn't answer holds up no endpoints.
    """

    def __init__(self, client: ApiClient, services: Informer, entry: Address) -> None:
        self._client = client
        self._services = services
        self._wanted = {"ingress": [{"ip": entry.host}]}
        self._dirty = asyncio.Event()
        services.add_handler(self._changed)

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            try:
                for namespace, name in self._stale():
                    status = {"status": {"loadBalancer": self._wanted}}
                    await self._client.patch(SERVICES, name, status, namespace, subresource="status")
            except ApiError as error:
                # NotFound: deleted since; its event comes, and the next round knows.
                if not error.transient and error.status != 404:
                    raise
                await asyncio.sleep(RETRY_S)
                self._dirty.set()

    def _stale(self) -> list[Key]:
        return [
            key
            for key, service in self._services.cache.items()
            if is_entry(service) and (service.get("status") or {}).get("loadBalancer") != self._wanted
        ]

    def _changed(self, _: EventType, service: KubeObject, __: KubeObject | None) -> None:
        if is_entry(service):
            self._dirty.set()
