"""When the fault of a chaos resource began and ended: from what was seen of it to `fault` entries, one of each.

An action that makes one returns before anything is injected, and what expires by itself ends while nothing is called:
the action says nothing of either.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from bundle.timeline import Attribute, Entry, read_timeline
from gameday.chaosmesh import ChaosResource


@dataclass(frozen=True, slots=True)
class _Course:
    """What has been seen of one resource. `made_ns`: since when it was there, at the earliest; `stops_ns`: when it was
    to stop, at the earliest."""

    made_ns: int
    stops_ns: int | None = None
    begun: bool = False


class Injections:
    """Passes entries on to `record`, with those of faults after the entries of chaos that show them.

    resources: those that the experiment makes. What was there before the drill is nobody's fault. called_ns: when an
    activity was called, None where that isn't known: nothing was made before that, however late the news of it may be.
    Entries of one resource come from one thread.
    """

    def __init__(
        self,
        resources: Iterable[ChaosResource],
        record: Callable[[Entry], None],
        called_ns: Callable[[str], int | None],
    ) -> None:
        self._activities = {(each.context, each.resource, each.name): each.activity for each in resources}
        self._record, self._called_ns = record, called_ns
        self._courses: dict[str, _Course] = {}
        """By UID."""

    def __call__(self, entry: Entry) -> None:
        """Take an entry."""
        self._record(entry)
        if entry.kind != "chaos" or entry.event == "present":
            return
        activity = self._activities.get((entry.context, str(entry.attributes.get("resource")), entry.name))
        if activity is not None:
            self._follow(entry, activity)

    def _follow(self, entry: Entry, activity: str) -> None:
        seen, uid = entry.attributes, entry.uid
        if entry.event == "added":
            called_ns = self._called_ns(activity) or entry.earliest_ns
            self._courses[uid] = _Course(min(max(entry.earliest_ns, called_ns), entry.latest_ns))
        course = self._courses.get(uid)
        if course is None:  # it was there before the drill, or is over
            return
        if seen.get("injected") and not course.begun:
            course = replace(course, begun=True)
            self._note("begin", course.made_ns, entry, activity, status="succeeded", output=json.dumps(seen["pods"]))
        if course.stops_ns is None and (seen.get("phase") == "Stop" or seen.get("deleting")):
            course = replace(course, stops_ns=entry.earliest_ns)
        self._courses[uid] = course
        if course.begun and (entry.event == "deleted" or seen.get("recovered")):
            self._note("end", entry.earliest_ns if course.stops_ns is None else course.stops_ns, entry, activity)
            del self._courses[uid]

    def _note(self, event: str, since_ns: int, entry: Entry, activity: str, **attributes: Attribute) -> None:
        self._record(
            Entry(
                "fault",
                event,
                earliest_ns=since_ns,
                latest_ns=entry.latest_ns,
                context=entry.context,
                source="watch",
                attributes={"activity": activity, **attributes},
            )
        )


def last_call_ns(timeline: Path, activity: str) -> int | None:
    """When the experiment last called an activity, by its timeline so far; None where it hasn't."""
    calls = [
        entry.latest_ns
        for entry in read_timeline(timeline)[0]
        if (entry.kind, entry.event, entry.attributes.get("activity")) == ("fault", "injecting", activity)
    ]
    return calls[-1] if calls else None
