"""The garbage collector: deletes what has lost all its owners; sees foreground and orphaning deletions through."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from sandbox.client import (
    DEPLOYMENTS,
    ENDPOINT_SLICES,
    PODS,
    REPLICA_SETS,
    SERVICES,
    Conflict,
    EventType,
    Key,
    KubeObject,
    NotFound,
    OnChange,
    Resource,
    key_of,
)
from sandbox.controllers.cluster import Cluster
from sandbox.controllers.queue import Reconcile
from sandbox.objects import is_terminating

COLLECTED = (DEPLOYMENTS, REPLICA_SETS, PODS, SERVICES, ENDPOINT_SLICES)
BY_KIND = {resource.kind: resource for resource in COLLECTED}
FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"


def owner_references(obj: KubeObject) -> list[KubeObject]:
    """The owners of an object."""
    return obj["metadata"].get("ownerReferences") or []


class GarbageCollector:
    """Looks at an object when it appears, when its deletion waits for dependents, and when an owner of it goes.

    Owners of kinds outside `COLLECTED` are taken to exist: deleting on a guess would be worse than keeping.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._queues = {
            resource: cluster.queue(f"garbage {resource.plural}", self._reconciler(resource)) for resource in COLLECTED
        }
        for resource in COLLECTED:
            cluster.informers[resource].add_handler(self._handler(resource))

    def _handler(self, resource: Resource) -> OnChange:
        def changed(kind: EventType, obj: KubeObject, _old: KubeObject | None) -> None:
            if kind is EventType.DELETED:
                for other, dependent in self._dependents(obj):
                    self._queues[other].add(key_of(dependent))
                for owner in owner_references(obj):
                    if owner["kind"] in BY_KIND:
                        self._queues[BY_KIND[owner["kind"]]].add((obj["metadata"].get("namespace", ""), owner["name"]))
            elif obj["metadata"].get("finalizers") or (kind is EventType.ADDED and owner_references(obj)):
                self._queues[resource].add(key_of(obj))

        return changed

    def _dependents(self, owner: KubeObject) -> Iterator[tuple[Resource, KubeObject]]:
        uid = owner["metadata"]["uid"]
        for resource in COLLECTED:
            for obj in self._cluster.all(resource, owner["metadata"].get("namespace", "")):
                if any(reference["uid"] == uid for reference in owner_references(obj)):
                    yield resource, obj

    def _reconciler(self, resource: Resource) -> Reconcile:
        async def reconcile(key: Key) -> float | None:
            obj = self._cluster.get(resource, key)
            if obj is None:
                return None
            if is_terminating(obj):
                await self._finalize(resource, obj)
                return None
            owners = owner_references(obj)
            if not owners:
                return None
            for owner in owners:
                if await self._exists(owner, key[0]):
                    return None
            await self._delete(resource, obj)
            return None

        return reconcile

    async def _finalize(self, resource: Resource, obj: KubeObject) -> None:
        """Delete or orphan the dependents of an object that waits for that; let it go when it is done."""
        finalizers = obj["metadata"].get("finalizers") or []
        if FOREGROUND in finalizers:
            waiting = False
            for other, dependent in self._dependents(obj):
                waiting = True
                if not is_terminating(dependent):
                    await self._delete(other, dependent)
            if waiting:
                return
        elif ORPHAN in finalizers:
            for other, dependent in self._dependents(obj):
                left = [each for each in owner_references(dependent) if each["uid"] != obj["metadata"]["uid"]]
                await self._patch(other, dependent, {"ownerReferences": left or None})
        else:
            return
        kept = [each for each in finalizers if each not in (FOREGROUND, ORPHAN)]
        await self._patch(resource, obj, {"finalizers": kept or None})

    async def _patch(self, resource: Resource, obj: KubeObject, metadata: KubeObject) -> None:
        namespace, name = key_of(obj)
        with contextlib.suppress(NotFound):
            await self._cluster.client.patch(resource, name, {"metadata": metadata}, namespace)

    async def _delete(self, resource: Resource, obj: KubeObject) -> None:
        namespace, name = key_of(obj)
        # Gone already, or another object has taken its name: either way there is nothing left to collect.
        with contextlib.suppress(NotFound, Conflict):
            await self._cluster.client.delete(
                resource, name, namespace, uid=obj["metadata"]["uid"], propagation="Background"
            )

    async def _exists(self, reference: KubeObject, namespace: str) -> bool:
        resource = BY_KIND.get(reference["kind"])
        if resource is None:
            return True
        cached = self._cluster.get(resource, (namespace, reference["name"]))
        if cached is not None and cached["metadata"]["uid"] == reference["uid"]:
            return True
        try:
            # The cache may lag behind an owner made a moment ago; only the server knows for sure.
            live = await self._cluster.client.get(resource, reference["name"], namespace)
        except NotFound:
            return False
        return bool(live["metadata"]["uid"] == reference["uid"])
