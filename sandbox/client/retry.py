"""Requests that are to succeed in the end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from sandbox.client.errors import ApiError, Conflict
from sandbox.clock import Clock

T = TypeVar("T")


async def persist(call: Callable[[], Awaitable[T]], clock: Clock) -> T:
    """Repeat `call` (from 50 ms, doubling to 2 s) while the API is away or overloaded; other failures are raised.

    A `Conflict` is raised too: to repeat the same request can't solve it.
    """
    delay_s = 0.05
    while True:
        try:
            return await call()
        except Conflict:
            raise
        except ApiError as error:
            if not error.transient:
                raise
            await clock.sleep(delay_s)
            delay_s = min(2 * delay_s, 2.0)
