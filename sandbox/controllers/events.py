"""Recording of Kubernetes Events: what controllers and node agents tell the people who run `kubectl describe`."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from sandbox.client import EVENTS, ApiClient, ApiError, KubeObject, NotFound
from sandbox.clock import Clock, timestamp

logger = logging.getLogger(__name__)

TRIES = 4
REMEMBERED = 4096


@dataclass(frozen=True)
class Event:
    """One thing that happened to an object; equal ones are counted in one Event object."""

    source: str
    kind: str
    api_version: str
    namespace: str
    name: str
    uid: str
    type: str
    reason: str
    message: str
    field_path: str = ""

    def body(self, count: int, first_ns: int, now_ns: int, host: str) -> KubeObject:
        """The Event object; its name is the involved object's with the time appended, as client-go names them."""
        namespace = self.namespace or "default"
        involved = {"kind": self.kind, "apiVersion": self.api_version, "name": self.name, "uid": self.uid}
        if self.namespace:
            involved["namespace"] = self.namespace
        if self.field_path:
            involved["fieldPath"] = self.field_path
        return {
            "metadata": {"name": f"{self.name}.{first_ns:x}", "namespace": namespace},
            "involvedObject": involved,
            "reason": self.reason,
            "message": self.message,
            "type": self.type,
            "count": count,
            "firstTimestamp": timestamp(first_ns),
            "lastTimestamp": timestamp(now_ns),
            "source": {"component": self.source, **({"host": host} if host else {})},
            "reportingComponent": self.source,
            "reportingInstance": host,
        }


class EventRecorder:
    """Writes events in the background, in order; repeats are counted up instead of written anew.

    Events are best effort as in Kubernetes: one that can't be written in a few tries is logged and dropped.
    """

    def __init__(self, client: ApiClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._waiting: asyncio.Queue[tuple[Event, str, int]] = asyncio.Queue()
        self._seen: dict[Event, tuple[int, int]] = {}
        """event -> (count, when it was first seen)"""

    def record(
        self,
        source: str,
        obj: KubeObject,
        reason: str,
        message: str,
        *,
        warning: bool = False,
        host: str = "",
        container: str = "",
    ) -> None:
        """Note that something happened to `obj`; `container` names the one within a pod."""
        meta = obj["metadata"]
        event = Event(
            source,
            obj["kind"],
            obj["apiVersion"],
            meta.get("namespace", ""),
            meta["name"],
            meta.get("uid", ""),
            "Warning" if warning else "Normal",
            reason,
            message,
            f"spec.containers{{{container}}}" if container else "",
        )
        self._waiting.put_nowait((event, host, self._clock.now_ns()))

    async def run(self) -> None:
        """Write what is recorded, until cancelled."""
        while True:
            event, host, now_ns = await self._waiting.get()
            for attempt in range(1, TRIES + 1):
                try:
                    await self._write(event, host, now_ns)
                    break
                except ApiError as error:
                    if attempt == TRIES or not error.transient:
                        logger.warning("event dropped: %s %s: %s", event.reason, event.message, error)
                        break
                    await self._clock.sleep(0.1 * 2**attempt)

    async def _write(self, event: Event, host: str, now_ns: int) -> None:
        count, first_ns = self._seen.get(event, (0, now_ns))
        body = event.body(count + 1, first_ns, now_ns, host)
        name, namespace = body["metadata"]["name"], body["metadata"]["namespace"]
        if count:
            try:
                patch = {"count": count + 1, "lastTimestamp": body["lastTimestamp"]}
                await self._client.patch(EVENTS, name, patch, namespace)
            except NotFound:
                count, first_ns = 0, now_ns
                body = event.body(1, now_ns, now_ns, host)
        if not count:
            await self._client.create(EVENTS, body, namespace=namespace)
        self._seen.pop(event, None)
        self._seen[event] = (count + 1, first_ns)
        while len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]
