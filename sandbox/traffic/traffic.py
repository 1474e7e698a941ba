"""Keeps Envoy's files as the API servers say, from the moment a watch delivers a change."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path

from sandbox.client import ENDPOINT_SLICES, SERVICES, ApiClient, EventType, Informer, KubeObject
from sandbox.errors import BadManifest
from sandbox.network import Network
from sandbox.traffic.backends import Backend, backends_of
from sandbox.traffic.entry import EntryStatus
from sandbox.traffic.envoy import render
from sandbox.traffic.files import envoy_directory, replace_file

log = logging.getLogger(__name__)


class Traffic:
    """One API client more: watches Services and EndpointSlices of all regions and rewrites what changed.

    Envoy sees a file once it is renamed into place, and reloads that file only.
    """

    def __init__(self, clients: Mapping[str, ApiClient], state: Path, network: Network) -> None:
        self._network = network
        self._directory = envoy_directory(state)
        self._written: dict[str, str] = {}
        self._dirty = asyncio.Event()
        self._services = {region: Informer(client, SERVICES, self._changed) for region, client in clients.items()}
        self._slices = {region: Informer(client, ENDPOINT_SLICES, self._changed) for region, client in clients.items()}
        self._entries = [EntryStatus(clients[region], self._services[region], network.entry) for region in clients]

    async def run(self) -> None:
        """Work until cancelled."""
        informers = [*self._services.values(), *self._slices.values()]
        async with asyncio.TaskGroup() as tasks:
            for informer in informers:
                tasks.create_task(informer.run())
            for entry in self._entries:
                tasks.create_task(entry.run())
            for informer in informers:
                await informer.synced.wait()
            tasks.create_task(self._keep_current())

    async def _keep_current(self) -> None:
        self._dirty.set()
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            self._write(render(self._backends(), self._network, self._directory))

    def _changed(self, _: EventType, __: KubeObject, ___: KubeObject | None) -> None:
        self._dirty.set()

    def _backends(self) -> list[Backend]:
        found: list[Backend] = []
        for region, services in self._services.items():
            slices = list(self._slices[region].cache.values())
            for _, service in sorted(services.cache.items()):
                try:
                    found += backends_of(region, service, slices)
                except BadManifest as error:
                    # One wrong Service must not stop the others' traffic; it is not served until it is put right.
                    log.error("not served: %s", error)
        return found

    def _write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            if self._written.get(name) != text:
                replace_file(self._directory / name, text)
        for name in self._written.keys() - files.keys():
            (self._directory / name).unlink(missing_ok=True)
        self._written = dict(files)
