"""One watch: from a version on, every change of a kind that a selector picks, in order, each once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from sandbox.apiserver.catalogue import Kind
from sandbox.apiserver.objects import KubeObject
from sandbox.apiserver.registry import parse_version
from sandbox.apiserver.selectors import Predicate
from sandbox.apiserver.store import Change, EventType, Store

INITIAL_EVENTS_END = "k8s.io/initial-events-end"
_BACKLOG = 1000
"""Changes that may wait for a slow client before its watch is ended, so that it resumes from where it is."""


@dataclass(frozen=True, slots=True)
class WatchRequest:
    """What a client asked to watch; `version` is empty or 0 for "from now, after what there is"."""

    kind: Kind
    namespace: str
    matching: Predicate | None
    version: str = ""
    bookmarks: bool = False
    initial_events: bool = False
    timeout_s: float = 1800.0


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it goes to the client."""

    type: EventType
    object: KubeObject


class Watch:
    """Subscribes at once, so that nothing is missed between its creation and the first `events()`.

    Raises Expired where the changes since the asked version are no longer all kept.
    """

    def __init__(
        self, store: Store, request: WatchRequest, bookmark_every_s: float = 60.0, backlog: int = _BACKLOG
    ) -> None:
        self._store = store
        self._request = request
        self._bookmark_every_s = bookmark_every_s
        self._backlog = backlog
        self._queue: asyncio.Queue[Change | None] = asyncio.Queue()
        self._overrun = False
        version = parse_version(request.version)
        self._first: list[Event] = []
        if request.initial_events or version == 0:
            present = store.list(request.kind, request.namespace)
            self._first = [Event(EventType.ADDED, obj) for obj in present if self._matches(obj)]
            if request.bookmarks:
                self._first.append(self._bookmark(ended=True))
        else:
            events = (self._seen(change) for change in store.changes_since(request.kind, version))
            self._first = [event for event in events if event is not None]
        self._stop_listening = store.listen(request.kind, self._receive)

    async def events(self) -> AsyncIterator[Event]:
        """Yield the events until the time is up, `end()` is called, or the client has fallen too far behind."""
        for event in self._first:
            yield event
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._request.timeout_s
        while (left_s := deadline - loop.time()) > 0:
            try:
                change = await asyncio.wait_for(self._queue.get(), min(left_s, self._bookmark_every_s))
            except TimeoutError:
                if self._request.bookmarks:
                    yield self._bookmark()
                continue
            if change is None:
                return
            if seen := self._seen(change):
                yield seen

    def end(self) -> None:
        """Let `events()` return once it has given out what is waiting."""
        self._queue.put_nowait(None)

    def close(self) -> None:
        """Take no more changes."""
        self._stop_listening()

    def _receive(self, change: Change) -> None:
        if self._overrun:
            return
        if self._queue.qsize() < self._backlog:
            self._queue.put_nowait(change)
        else:
            self._overrun = True
            self.end()

    def _seen(self, change: Change) -> Event | None:
        """Return the change as this watch sees it: an object that begins or ceases to match is added or deleted."""
        if self._request.namespace and change.object["metadata"].get("namespace") != self._request.namespace:
            return None
        before = change.previous is not None and self._matches(change.previous)
        after = change.type is not EventType.DELETED and self._matches(change.object)
        if after:
            return Event(EventType.MODIFIED if before else EventType.ADDED, change.object)
        if not before:
            return None
        if change.type is EventType.DELETED or change.previous is None:
            return Event(EventType.DELETED, change.object)
        last = {**change.previous["metadata"], "resourceVersion": str(change.version)}
        return Event(EventType.DELETED, {**change.previous, "metadata": last})

    def _matches(self, obj: KubeObject) -> bool:
        return self._request.matching is None or self._request.matching(obj)

    def _bookmark(self, ended: bool = False) -> Event:
        kind = self._request.kind
        metadata: KubeObject = {"resourceVersion": str(self._store.version)}
        if ended:
            metadata["annotations"] = {INITIAL_EVENTS_END: "true"}
        return Event(EventType.BOOKMARK, {"kind": kind.kind, "apiVersion": kind.group_version, "metadata": metadata})
