"""The informer: a local cache of one resource, kept current by list and watch."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from enum import StrEnum

from sandbox.client.api import ApiClient
from sandbox.client.errors import ApiError, Gone
from sandbox.client.resources import Key, KubeObject, Resource, key_of, version_of
from sandbox.clock import NS_PER_S, Clock, SystemClock

FIRST_RETRY_S = 0.05
LAST_RETRY_S = 2.0


class EventType(StrEnum):
    """What happened to a watched object."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


OnChange = Callable[[EventType, KubeObject, KubeObject | None], None]
"""Called with (what happened, the object now or as it last was, the object before or None)."""


class Informer:
    """A cache of one resource, kept current by list and watch; `on_change` is called after each change of the cache.

    It resumes from the last resourceVersion it saw; when that is gone it lists again and reports the differences, so no
    change is lost or doubled. Broken connections are retried (from 50 ms, doubling to 2 s); other failures are raised.
    """

    def __init__(
        self,
        client: ApiClient,
        resource: Resource,
        on_change: OnChange | None = None,
        *,
        namespace: str = "",
        label_selector: str = "",
        field_selector: str = "",
        clock: Clock | None = None,
    ) -> None:
        self.cache: dict[Key, KubeObject] = {}
        self.synced = asyncio.Event()
        self.resource = resource
        self._client = client
        self._handlers: list[OnChange] = [on_change] if on_change else []
        self._namespace = namespace
        self._label_selector = label_selector
        self._field_selector = field_selector
        self._clock = clock or SystemClock()
        self._version = 0

    def add_handler(self, on_change: OnChange) -> None:
        """One more listener; add it before `run`, else it misses what is already cached."""
        self._handlers.append(on_change)

    def learn(self, obj: KubeObject) -> None:
        """Put the answer of an own write into the cache at once, so that no decision rests on a read older than it.

        Ignored where the watch has already come past that version: the object may be deleted by now.
        """
        if version_of(obj) > self._version:
            self._put(obj)

    async def run(self) -> None:
        """List and watch until cancelled."""
        delay_s = FIRST_RETRY_S
        while True:
            began_ns = self._clock.now_ns()
            try:
                if not self._version:
                    await self._relist()
                await self._watch()
            except Gone:
                self._version = 0
            except ApiError as error:
                if not error.transient:
                    raise
                if self._clock.now_ns() - began_ns > LAST_RETRY_S * NS_PER_S:
                    # The connection held for a while: this is a new trouble, not the last one going on.
                    delay_s = FIRST_RETRY_S
                await self._clock.sleep(delay_s)
                delay_s = min(2 * delay_s, LAST_RETRY_S)

    async def _relist(self) -> None:
        listing = await self._client.list(
            self.resource,
            self._namespace,
            label_selector=self._label_selector,
            field_selector=self._field_selector,
        )
        version = int(listing["metadata"]["resourceVersion"])
        found = {key_of(item): item for item in listing["items"]}
        for key, known in list(self.cache.items()):
            # What was learned from a write after this list was made is newer than the list.
            if key not in found and version_of(known) <= version:
                self._drop(known)
        for key, item in found.items():
            known_version = version_of(self.cache[key]) if key in self.cache else 0
            if version_of(item) > known_version:
                self._put(item)
        self._version = version
        self.synced.set()

    async def _watch(self) -> None:
        events = self._client.watch(
            self.resource,
            self._namespace,
            resource_version=str(self._version),
            label_selector=self._label_selector,
            field_selector=self._field_selector,
        )
        async with contextlib.aclosing(events):  # type: ignore[type-var]
            async for kind, obj in events:
                version = version_of(obj)
                if kind == EventType.DELETED:
                    self._drop(obj)
                elif kind != "BOOKMARK" and version > version_of(self.cache.get(key_of(obj), {"metadata": {}})):
                    self._put(obj)
                self._version = max(self._version, version)

    def _put(self, obj: KubeObject) -> None:
        old = self.cache.get(key_of(obj))
        self.cache[key_of(obj)] = obj
        if old is not None and old["metadata"]["uid"] != obj["metadata"]["uid"]:
            self._tell(EventType.DELETED, old, old)
            old = None
        self._tell(EventType.MODIFIED if old else EventType.ADDED, obj, old)

    def _drop(self, obj: KubeObject) -> None:
        old = self.cache.get(key_of(obj))
        if old is None or old["metadata"]["uid"] != obj["metadata"]["uid"]:
            return
        del self.cache[key_of(obj)]
        self._tell(EventType.DELETED, obj, old)

    def _tell(self, kind: EventType, obj: KubeObject, old: KubeObject | None) -> None:
        for handler in self._handlers:
            handler(kind, obj, old)
