"""The work queue of a controller: each key is reconciled by one task at a time, and again if it changed meanwhile."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from sandbox.client import ApiError, Key

logger = logging.getLogger(__name__)

FIRST_RETRY_S = 0.005
LAST_RETRY_S = 5.0

Reconcile = Callable[[Key], Awaitable[float | None]]
"""Bring one object closer to its spec; returns after how many seconds to look again, None for not before it changes."""


def retry_delay_s(failures: int) -> float:
    """Exponential back-off as client-go's (5 ms, doubling), but with a lower ceiling: a stand-in is restarted often."""
    return min(FIRST_RETRY_S * 2.0 ** min(failures - 1, 20), LAST_RETRY_S)


class WorkQueue:
    """Runs `reconcile` for the keys that are added, in tasks of `tasks`.

    Failures of the API are logged and retried with back-off; any other exception is a bug and ends the task group.
    """

    def __init__(
        self, name: str, reconcile: Reconcile, tasks: asyncio.TaskGroup, ready: Callable[[], Awaitable[None]]
    ) -> None:
        self._name = name
        self._reconcile = reconcile
        self._tasks = tasks
        self._ready = ready
        self._running: set[Key] = set()
        self._dirty: set[Key] = set()
        self._timers: dict[Key, asyncio.Task[None]] = {}

    def add(self, key: Key) -> None:
        """Reconcile this key soon; keys added twice before that are reconciled once."""
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
        self._dirty.add(key)
        if key not in self._running:
            self._running.add(key)
            self._tasks.create_task(self._work(key), name=f"{self._name} {'/'.join(key)}")

    async def _work(self, key: Key) -> None:
        # Before the caches are filled every object would look like an orphan.
        await self._ready()
        failures = 0
        again_s: float | None = None
        while key in self._dirty:
            self._dirty.discard(key)
            try:
                again_s = await self._reconcile(key)
                failures = 0
            except ApiError as error:
                failures += 1
                level = logging.DEBUG if error.transient and failures < 3 else logging.WARNING
                logger.log(level, "%s %s: %s (try %d)", self._name, "/".join(key), error, failures)
                self._dirty.add(key)
                await asyncio.sleep(retry_delay_s(failures))
        self._running.discard(key)
        if again_s is not None:
            self._timers[key] = self._tasks.create_task(self._add_later(key, again_s))

    async def _add_later(self, key: Key, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        # Not its own timer any more: `add` would cancel the very task that calls it.
        del self._timers[key]
        self.add(key)
