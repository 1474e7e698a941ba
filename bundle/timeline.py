"""`timeline.jsonl`: what was seen when, one JSON object a line, appended and flushed as it happens.

An event that was polled for happened somewhere between two readings, one that was watched just before it was
received: so each entry has `earliest_ns` and `latest_ns`. JSON Lines because a person looks at it with `less` in
the middle of a drill, and because a line torn by `kill -9` costs just that line.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

Scalar: TypeAlias = str | int | float | bool | None
Attribute: TypeAlias = Scalar | list[str] | Mapping[str, str]
"""What an entry may carry: scalars, lists of names, and label maps."""

_REQUIRED = {"kind": str, "event": str, "earliest_ns": int, "latest_ns": int}
_MOST_NS = 2**62
"""Later moments, in the year 2116, and sums of two would not fit into 64 bits."""
_OPTIONAL = {"context": str, "namespace": str, "name": str, "uid": str, "source": str, "attributes": dict}


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened between `earliest_ns` and `latest_ns` (UTC).

    kind and event, by source:

    =============  ========================================  ====================================================
    kind           event                                     attributes
    =============  ========================================  ====================================================
    pod            present, added, modified, deleted         ready, started, phase, deleting, restarts, waiting, labels
    deployment     present, added, modified, deleted         desired, ready, available, updated, observed, labels
    fault          injecting, begin, end                     activity, status, output
    creation       made, refused                             activity
    hypothesis     begin, end                                when (before, after, during), met, failed
    rollback       begin, end                                status
    observer       connected, lost, resumed, failed          watches, error
    load           started, stopped, worker-lost             worker, error
    leader         present, seen, silent, lost               region, term
    region         named
    chaos          present, added, modified, deleted         resource, phase, injected, recovered, pods, …
    hpa            present, added, modified, deleted         target, min, max, current, desired, cpu_percent, …
    prometheus     read, failed                              error
    endpointslice  present, added, modified, deleted         service, ready
    =============  ========================================  ====================================================

    `present` is an object that was there when watching began. Kubernetes objects carry context, namespace, name, uid.
    `injecting` is written as an action of the method is called; `begin`, once it has returned, spans the call: the
    fault took effect within. `end` is when it was undone: after the rollbacks, or with `begin` where there are none. Of
    a fault by a chaos resource both are as the watch saw it injected and recovered. `made` carries the UID of the chaos
    resource that an activity has made; `refused` says that one of that name was there already.
    """

    kind: str
    event: str
    earliest_ns: int
    latest_ns: int
    context: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""
    source: str = ""
    attributes: Mapping[str, Attribute] = field(default_factory=dict)

    def to_json(self) -> str:
        """One line of `timeline.jsonl`, without its newline."""
        full = {slot: getattr(self, slot) for slot in self.__slots__}
        shown = {k: v for k, v in full.items() if k in _REQUIRED or v not in ("", {})}
        return json.dumps(shown, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, line: str) -> Entry:
        """The entry of one line. Raises ValueError where the line is not a whole entry."""
        raw = json.loads(line)
        if not isinstance(raw, dict) or not all(type(raw.get(k)) is t for k, t in _REQUIRED.items()):
            raise ValueError("not a timeline entry")
        if not all(type(raw.get(k, t())) is t for k, t in _OPTIONAL.items()):
            raise ValueError("not a timeline entry")
        if not all(abs(raw[edge]) <= _MOST_NS for edge in ("earliest_ns", "latest_ns")):
            raise ValueError("not a time that a clock can show")
        return cls(**{k: v for k, v in raw.items() if k in cls.__slots__})


class TimelineWriter:
    """Appends entries to a timeline file. Several processes and threads may append to one file at once.

    Each entry is one `write` to a file opened with O_APPEND, so that lines never interleave.
    """

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self._lock = threading.Lock()

    def append(self, entry: Entry) -> None:
        """Write one entry; it survives the death of this process from here on."""
        with self._lock:
            if self._fd < 0:
                raise ValueError("the timeline is closed")
            os.write(self._fd, (entry.to_json() + "\n").encode())

    def close(self) -> None:
        """Close the file. Closing twice is harmless."""
        with self._lock:
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1


def read_timeline(path: Path) -> tuple[list[Entry], int]:
    """All whole entries of a timeline file in order of `latest_ns`, and the number of torn lines left out.

    A file that is not there reads as no entries.
    """
    if not path.exists():
        return [], 0
    entries: list[Entry] = []
    torn = 0
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entries.append(Entry.from_json(line))
        except (ValueError, RecursionError):
            torn += 1
    entries.sort(key=lambda entry: entry.latest_ns)
    return entries, torn
