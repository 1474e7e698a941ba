"""Keeps one list of Kubernetes objects watched while a drill runs, and writes each change into the timeline.

A dropped watch is resumed from the last version seen; one that is too old to resume is listed again. An observer that
cannot go on writes `failed`: then the drill is invalid, not quiet.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from bundle.timeline import Entry
from gameday.cluster import ApiError, Cluster, WatchStream
from gameday.observe.entries import entry_of
from gameday.observe.reflector import Change, Gone, KubeObject, Reflector, Version

STREAM_TIMEOUT_S = 30
"""The server is asked to end each watch after this, and it is resumed at once: no half-dead stream lives longer."""
RETRY_PAUSE_S = 0.2
_FINAL = {401: "not allowed to log in", 403: "not allowed to watch", 404: "not served"}


class Lateness(Protocol):
    """Says how late, in nanoseconds, news that arrives now may be."""

    def __call__(self) -> int: ...


class ListWatch:
    """Lists and watches `watches` (a key of `gameday.observe.entries.ATTRIBUTES`) until stopped."""

    def __init__(
        self,
        cluster: Cluster,
        watches: str,
        record: Callable[[Entry], None],
        now_ns: Callable[[], int],
        lateness_ns: Lateness,
    ) -> None:
        self._cluster = cluster
        self._watches = watches
        self._record = record
        self._now_ns = now_ns
        self._lateness_ns = lateness_ns
        self._reflector = Reflector()
        self._lock = threading.Lock()
        self._stream: WatchStream | None = None
        self._stopping = threading.Event()
        self._contact_ns = 0
        """The last moment up to which everything the server knew is in the timeline."""
        self._lost = False
        self.synced = threading.Event()
        """Set when the first watch is open: from here on nothing is missed."""

    def run(self) -> None:
        """Watch until `stop`. Never raises: what goes wrong is written to the timeline."""
        relist = True
        while not self._stopping.is_set():
            try:
                if relist:
                    self._list()
                    relist = False
                self._follow()
            except Gone:
                relist = True
            except Exception as error:  # whatever breaks an observer must show in the record, never end it in silence
                if self._stopping.is_set():
                    return
                if isinstance(error, ApiError) and error.code == 410:
                    relist = True
                elif isinstance(error, ApiError) and error.code in _FINAL:
                    self._note("failed", f"{_FINAL[error.code]}: {error}")
                    return
                else:
                    self._lose(error)
                    self._stopping.wait(RETRY_PAUSE_S)

    def stop(self) -> None:
        """End the watch; `run` comes back."""
        self._stopping.set()
        with self._lock:
            if self._stream is not None:
                self._stream.close()

    def objects(self) -> list[KubeObject]:
        """The objects as last seen."""
        with self._lock:
            return self._reflector.objects

    def _list(self) -> None:
        asked_ns = self._now_ns()
        listing = self._cluster.list(self._watches)
        answered_ns = self._now_ns()
        with self._lock:
            changes = self._reflector.replace(listing["items"], listing["metadata"]["resourceVersion"])
        for change in changes:
            self._write(change, earliest_ns=self._contact_ns or asked_ns, latest_ns=answered_ns)
        self._contact_ns = asked_ns

    def _follow(self) -> None:
        with self._cluster.watch(self._watches, self._reflector.resource_version, STREAM_TIMEOUT_S) as stream:
            with self._lock:
                if self._stopping.is_set():
                    return
                self._stream = stream
            # What a new stream brings first may have happened while none was open: everything up to the version that
            # the server is at now.
            asked_ns = self._now_ns()
            backlog = Version.of(self._cluster.list(self._watches, limit=1))
            if not self.synced.is_set():
                self._note("connected")
                self.synced.set()
            elif self._lost:
                self._note("resumed")
            self._lost = False
            for message in stream:
                received_ns = self._now_ns()
                with self._lock:
                    change = self._reflector.apply(message)
                certain_ns = max(asked_ns, received_ns - self._lateness_ns())
                if change is not None:
                    old = Version.of(change.obj) <= backlog
                    self._write(change, earliest_ns=self._contact_ns if old else certain_ns, latest_ns=received_ns)
                    if not old:
                        self._contact_ns = certain_ns
        self._contact_ns = max(asked_ns, self._now_ns() - self._lateness_ns())

    def _lose(self, error: Exception) -> None:
        if not self._lost:
            self._lost = True
            self._note("lost", f"{type(error).__name__}: {error}")

    def _write(self, change: Change, *, earliest_ns: int, latest_ns: int) -> None:
        self._record(
            entry_of(
                change,
                watches=self._watches,
                context=self._cluster.context,
                earliest_ns=earliest_ns,
                latest_ns=latest_ns,
            )
        )

    def _note(self, event: str, error: str = "") -> None:
        now_ns = self._now_ns()
        # a loss is noticed late: nothing is certain since the last contact
        earliest_ns = (self._contact_ns or now_ns) if event == "lost" else now_ns
        self._record(
            Entry(
                kind="observer",
                event=event,
                earliest_ns=earliest_ns,
                latest_ns=now_ns,
                context=self._cluster.context,
                source="watch",
                attributes={"watches": self._watches, "error": error},
            )
        )
