"""Which chaos resource is this run's own: a name alone may be somebody else's, a UID is nobody else's."""

from __future__ import annotations

from pathlib import Path

from bundle.timeline import read_timeline
from gameday.chaosmesh import ChaosResource


def made_uid(root: Path, resource: ChaosResource) -> str | None:
    """The UID of what the run of the bundle at `root` made by that name, as its timeline tells.

    "" where it made none, since one was there already. None where that isn't known: the activity was not called, or was
    cut off, and the watch has not seen exactly one resource of that name come since.
    """
    wanted = (resource.context, resource.namespace, resource.resource, resource.name)
    called, came = False, set()
    for entry in read_timeline(root / "timeline.jsonl")[0]:
        if entry.attributes.get("activity") == resource.activity:
            if entry.kind == "creation":
                return entry.uid
            called = called or entry.event == "injecting"
        seen = (entry.context, entry.namespace, entry.attributes.get("resource"), entry.name)
        if called and (entry.kind, entry.event) == ("chaos", "added") and seen == wanted:
            came.add(entry.uid)
    return came.pop() if len(came) == 1 else None
