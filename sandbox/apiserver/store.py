"""The objects of one region, their versions, and the recent changes that a watch can resume from.

Stored objects are never altered in place: every write puts a new object, so lists and watches can hand out what
is stored.
All methods are synchronous and run on one event loop, which is what makes a read-check-write atomic.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from sandbox.apiserver.catalogue import Kind
from sandbox.apiserver.objects import KubeObject
from sandbox.apiserver.status import Expired

Key = tuple[str, str]
"""Namespace (empty for cluster-scoped kinds) and name."""


class EventType(StrEnum):
    """What a watch event says."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"
    BOOKMARK = "BOOKMARK"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True)
class Change:
    """One write: the object after it (for a deletion, its last state) and before it."""

    type: EventType
    version: int
    object: KubeObject
    previous: KubeObject | None


Listener = Callable[[Change], None]


class Shelf:
    """The objects of one kind, with the window of changes a watch may resume from."""

    def __init__(self, window: int, version: int) -> None:
        self.objects: dict[Key, KubeObject] = {}
        self.changes: deque[Change] = deque(maxlen=window)
        self.forgotten = version
        """The newest version whose change is no longer in the window."""
        self.listeners: list[Listener] = []

    def record(self, change: Change) -> None:
        if len(self.changes) == self.changes.maxlen:
            self.forgotten = self.changes[0].version
        self.changes.append(change)
        for listener in tuple(self.listeners):
            listener(change)


class Store:
    """All objects of a region under one counter of versions, as etcd keeps them.

    `first_version` must exceed every version an earlier process gave out, so that a client that resumes from
    such a version is told it expired instead of silently missing changes.
    """

    def __init__(self, first_version: int = 1, window: int = 512) -> None:
        self.version = first_version
        self._first_version = first_version
        self._window = window
        self._shelves: dict[Kind, Shelf] = {}

    def get(self, kind: Kind, key: Key) -> KubeObject | None:
        """Return the stored object, which the caller must not alter."""
        return self._shelf(kind).objects.get(key)

    def list(self, kind: Kind, namespace: str = "") -> list[KubeObject]:
        """Return the objects of a kind by namespace and name, those of one namespace where it is given."""
        objects = self._shelf(kind).objects
        return [objects[key] for key in sorted(objects) if not namespace or key[0] == namespace]

    def put(self, kind: Kind, key: Key, new: KubeObject) -> KubeObject:
        """Store `new` under the next version and return it; its metadata receives that version."""
        shelf = self._shelf(kind)
        previous = shelf.objects.get(key)
        self.version += 1
        stored = {**new, "metadata": {**new["metadata"], "resourceVersion": str(self.version)}}
        shelf.objects[key] = stored
        event = EventType.ADDED if previous is None else EventType.MODIFIED
        shelf.record(Change(event, self.version, stored, previous))
        return stored

    def remove(self, kind: Kind, key: Key) -> KubeObject:
        """Take the object out and return its last state under the version of the deletion."""
        shelf = self._shelf(kind)
        previous = shelf.objects.pop(key)
        self.version += 1
        last = {**previous, "metadata": {**previous["metadata"], "resourceVersion": str(self.version)}}
        shelf.record(Change(EventType.DELETED, self.version, last, previous))
        return last

    def changes_since(self, kind: Kind, version: int) -> Iterator[Change]:
        """Return every change of a kind after `version`; raises Expired where the window no longer holds them all."""
        shelf = self._shelf(kind)
        if version < shelf.forgotten:
            raise Expired(f"too old resource version: {version} ({shelf.forgotten})")
        return iter([change for change in shelf.changes if change.version > version])

    def listen(self, kind: Kind, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every later change of a kind; returns what ends that."""
        listeners = self._shelf(kind).listeners
        listeners.append(listener)
        return lambda: listeners.remove(listener)

    def _shelf(self, kind: Kind) -> Shelf:
        shelf = self._shelves.get(kind)
        if shelf is None:
            shelf = self._shelves[kind] = Shelf(self._window, self._first_version)
        return shelf
