"""A mirror of one list of Kubernetes objects, kept by list and watch: each change comes out once, none is lost.

Pure: it is fed what the API server sent and says what changed. The thread that talks to the server is `watcher.py`.
The protocol is Kubernetes' own: list, then watch from the list's resourceVersion; after a dropped connection watch
again from the last version seen; when that version is too old (410 Gone) list again and work out the difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

KubeObject: TypeAlias = Mapping[str, Any]
"""A Kubernetes object as the API server sends it in JSON."""

_EVENTS = {"ADDED": "added", "MODIFIED": "modified", "DELETED": "deleted"}


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one object; `event` is present, added, modified or deleted, as in `bundle.timeline.Entry`."""

    event: str
    obj: KubeObject


class Gone(Exception):
    """The server no longer has the version we asked to resume from: list again."""


class Reflector:
    """The objects of one list as last seen, and the version to resume from."""

    def __init__(self) -> None:
        self.resource_version = ""
        self._known: dict[str, KubeObject] = {}

    @property
    def objects(self) -> list[KubeObject]:
        """The objects as last seen."""
        return list(self._known.values())

    def replace(self, items: Iterable[KubeObject], resource_version: str) -> list[Change]:
        """Take a fresh list; returns how it differs from what was known.

        The first list gives `present` for each object. A later one, after 410 Gone, gives added, modified and deleted:
        an object that is there under its old name with another UID was deleted and added.
        """
        first = not self.resource_version
        fresh = {uid_of(obj): obj for obj in items}
        changes = [Change("deleted", obj) for uid, obj in self._known.items() if uid not in fresh]
        for uid, obj in fresh.items():
            known = self._known.get(uid)
            if known is None:
                changes.append(Change("present" if first else "added", obj))
            elif version_of(known) != version_of(obj):
                changes.append(Change("modified", obj))
        self._known = fresh
        self.resource_version = resource_version
        return changes

    def apply(self, message: Mapping[str, Any]) -> Change | None:
        """Take one watch message; returns the change, or None for a bookmark or something already seen.

        Raises Gone on an in-stream `410 Expired`, and ValueError on any other error message or unknown type.
        """
        kind = message.get("type")
        obj = message.get("object") or {}
        if kind == "ERROR":
            if obj.get("code") == 410:
                raise Gone(obj.get("message", "the resource version is too old"))
            raise ValueError(f"the watch reported an error: {obj.get('message', obj)}")
        if kind == "BOOKMARK":
            self.resource_version = version_of(obj)
            return None
        if kind not in _EVENTS:
            raise ValueError(f"the watch sent a message of unknown type {kind!r}")
        self.resource_version = version_of(obj)
        uid = uid_of(obj)
        known = self._known.get(uid)
        if kind == "DELETED":
            self._known.pop(uid, None)
            return Change("deleted", obj) if known is not None else None
        if known is not None and version_of(known) == version_of(obj):
            return None
        self._known[uid] = obj
        return Change("added" if known is None else "modified", obj)


def uid_of(obj: KubeObject) -> str:
    """The object's UID."""
    return str(obj["metadata"]["uid"])


def version_of(obj: KubeObject) -> str:
    """The object's resourceVersion, an opaque string."""
    return str(obj["metadata"]["resourceVersion"])


@dataclass(frozen=True, slots=True)
class Version:
    """A resourceVersion that can be compared.

    The API calls it opaque, and every API server so far counts upwards. One that doesn't count compares as old, which
    widens an interval and never narrows it.
    """

    number: int | None

    @classmethod
    def of(cls, obj: KubeObject) -> Version:
        """The version of an object or a list."""
        text = str(obj["metadata"]["resourceVersion"])
        return cls(int(text) if text.isdecimal() else None)

    def __le__(self, other: Version) -> bool:
        return self.number is None or other.number is None or self.number <= other.number
