"""What the watches told about pods and deployments: who was there, who went, who came and got ready, and when."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bundle.timeline import Entry
from scorer.intervals import Interval

_TERM = re.compile(r"(?P<absent>!)?(?P<key>[A-Za-z0-9_./-]+)\s*(?:(?P<operator>==|=|!=)\s*(?P<value>[A-Za-z0-9_.-]*))?")

_POD = re.compile(r"(.+)-[a-z0-9]+-[a-z0-9]+")


def selects(selector: str, labels: Mapping[str, str]) -> bool:
    """Whether a Kubernetes label selector of equality terms (`a=b,c!=d,e,!f`) selects an object with these labels.

    Raises ValueError for set-based terms and whatever else is not understood. An empty selector selects everything.
    """
    for term in filter(None, (part.strip() for part in selector.split(","))):
        match = _TERM.fullmatch(term)
        if match is None or (match["absent"] and match["operator"]):
            raise ValueError(f"selector term {term!r} is not understood")
        present, held = match["key"] in labels, labels.get(match["key"])
        if match["operator"] == "!=":
            selected = held != match["value"]
        elif match["operator"]:
            selected = held == match["value"]
        else:
            selected = present != bool(match["absent"])
        if not selected:
            return False
    return True


def deployment_of(pod: str) -> str:
    """The deployment that a pod's name tells of, "" where it tells of none: a ReplicaSet names its pods after it."""
    match = _POD.fullmatch(pod)
    return match[1] if match else ""


def when(entry: Entry) -> Interval:
    """The span in which an entry's event happened."""
    return Interval(entry.earliest_ns, max(entry.earliest_ns, entry.latest_ns))


@dataclass(frozen=True)
class Pod:
    """One pod, by UID, and when it passed each mark of its life; None for a mark that was not seen."""

    name: str
    uid: str
    labels: Mapping[str, str]
    seen: Interval
    there_at_first: bool
    marked: Interval | None
    """First seen on its way out: marked for deletion, or already gone."""
    deleted: Interval | None
    running: Interval | None
    ready: Interval | None
    """Since when it was ready until it was on its way out, or to the end."""


def pods_of(timeline: Iterable[Entry], context: str, namespace: str) -> tuple[Pod, ...]:
    """The pods of a namespace in the order in which they were first seen."""
    by_uid: dict[str, list[Entry]] = {}
    for entry in timeline:
        if entry.kind == "pod" and entry.context == context and entry.namespace == namespace:
            by_uid.setdefault(entry.uid, []).append(entry)
    return tuple(_pod(entries) for entries in by_uid.values())


def _pod(entries: list[Entry]) -> Pod:
    labels = [entry.attributes["labels"] for entry in entries if "labels" in entry.attributes]
    last = labels[-1] if labels else {}
    gone = [entry for entry in entries if entry.event == "deleted"]
    leaving = [entry for entry in entries if entry.attributes.get("deleting")] + gone
    running = [entry for entry in entries if entry.attributes.get("phase") == "Running"]
    first = entries[0]
    ready: Entry | None = None
    for entry in entries:
        if entry not in leaving:
            ready = (ready or entry) if entry.attributes.get("ready") else None

    def mark(found: list[Entry]) -> Interval | None:
        return when(found[0]) if found else None

    return Pod(
        name=first.name,
        uid=first.uid,
        labels=last if isinstance(last, Mapping) else {},
        seen=when(first),
        there_at_first=first.event == "present",
        marked=mark(leaving),
        deleted=mark(gone),
        running=mark(running),
        ready=when(ready) if ready is not None else None,
    )


@dataclass(frozen=True)
class ReplicaReading:
    """What a deployment's status said from `since` on, until its next reading. A deleted one lacks one."""

    name: str
    labels: Mapping[str, str]
    since: Interval
    desired: int
    ready: int


def replicas_of(timeline: Iterable[Entry], context: str, namespace: str) -> tuple[ReplicaReading, ...]:
    """The readings of all deployments of a namespace, in order."""
    readings = []
    for entry in timeline:
        if entry.kind == "deployment" and entry.context == context and entry.namespace == namespace:
            labels = entry.attributes.get("labels")
            desired, ready = entry.attributes.get("desired"), entry.attributes.get("ready")
            if entry.event == "deleted":
                desired, ready = 1, 0
            readings.append(
                ReplicaReading(
                    entry.name,
                    labels if isinstance(labels, Mapping) else {},
                    when(entry),
                    desired if isinstance(desired, int) else 1,
                    ready if isinstance(ready, int) else 0,
                )
            )
    return tuple(readings)
