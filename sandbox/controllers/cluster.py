"""What the controllers and the node agent of one region share: client, caches, events, links, tasks and the clock."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from sandbox.client import (
    DEPLOYMENTS,
    ENDPOINT_SLICES,
    HORIZONTAL_POD_AUTOSCALERS,
    NAMESPACES,
    NETWORK_CHAOS,
    NODES,
    POD_CHAOS,
    PODS,
    REPLICA_SETS,
    SERVICES,
    ApiClient,
    Informer,
    Key,
    KubeObject,
    Resource,
)
from sandbox.clock import Clock
from sandbox.controllers.events import EventRecorder
from sandbox.controllers.queue import Reconcile, WorkQueue
from sandbox.link.pods import PodLinks

WATCHED = (
    NAMESPACES, NODES, PODS, SERVICES, DEPLOYMENTS, REPLICA_SETS, ENDPOINT_SLICES, HORIZONTAL_POD_AUTOSCALERS,
    NETWORK_CHAOS, POD_CHAOS,
)  # fmt: skip


class Cluster:
    """One region as its controllers see it.

    One informer a resource serves all of them. Everything runs in `tasks`: a bug in one task ends them all.
    """

    def __init__(self, client: ApiClient, tasks: asyncio.TaskGroup, clock: Clock) -> None:
        self.client = client
        self.tasks = tasks
        self.clock = clock
        self.events = EventRecorder(client, clock)
        self.links = PodLinks()
        self.informers = {resource: Informer(client, resource) for resource in WATCHED}

    def start(self) -> None:
        """Begin to watch; every controller must have added its handlers by now."""
        self.tasks.create_task(self.events.run(), name="events")
        for resource, informer in self.informers.items():
            self.tasks.create_task(informer.run(), name=f"informer {resource.plural}")

    async def synced(self) -> None:
        """Wait until every cache has been filled once."""
        for informer in self.informers.values():
            await informer.synced.wait()

    def queue(self, name: str, reconcile: Reconcile) -> WorkQueue:
        """A work queue that begins once the caches are filled."""
        return WorkQueue(name, reconcile, self.tasks, self.synced)

    def get(self, resource: Resource, key: Key) -> KubeObject | None:
        """An object from the cache; it must not be changed."""
        return self.informers[resource].cache.get(key)

    def all(self, resource: Resource, namespace: str = "") -> Iterable[KubeObject]:
        """The cached objects of a namespace (or of all); they must not be changed."""
        return [obj for key, obj in self.informers[resource].cache.items() if not namespace or key[0] == namespace]

    def learn(self, resource: Resource, obj: KubeObject) -> KubeObject:
        """Remember the server's answer to an own write, so that the next look at the cache includes it."""
        self.informers[resource].learn(obj)
        return obj
