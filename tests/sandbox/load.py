"""An open-loop load for tests: a request is sent when it is due, however long the others take."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from sandbox.network import Address


@dataclass
class Tally:
    """What came back: how many were sent, and (status or error, region, body) of each that failed."""

    sent: int = 0
    failed: list[tuple[str, str, str]] = field(default_factory=list)


@asynccontextmanager
async def load(entry: Address, rate: float = 100.0) -> AsyncIterator[Tally]:
    """Mixed traffic through the global entry for as long as the block runs; every answer is in when it ends."""
    tally, stop = Tally(), asyncio.Event()
    async with aiohttp.ClientSession(f"http://{entry}", connector=aiohttp.TCPConnector(limit=0)) as session:
        sending = asyncio.create_task(_send(session, rate, tally, stop))
        try:
            yield tally
        finally:
            stop.set()
            await sending


async def _send(session: aiohttp.ClientSession, rate: float, tally: Tally, stop: asyncio.Event) -> None:
    began_s = time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        while not stop.is_set():
            await asyncio.sleep(max(0.0, began_s + tally.sent / rate - time.monotonic()))
            tasks.create_task(_one(session, tally.sent, tally))
            tally.sent += 1


async def _one(session: aiohttp.ClientSession, number: int, tally: Tally) -> None:
    requests = [
        ("GET", "/api/v1/agents"),
        ("POST", "/api/v1/agents/analyst/tasks"),
        ("GET", "/api/v1/dashboard"),
        ("POST", "/api/v1/agents/reviewer/tasks"),
        ("POST", "/api/v1/evaluations"),
    ]
    method, path = requests[number % len(requests)]
    headers = {"Idempotency-Key": f"key-{number}"}
    body = {} if method == "POST" else None
    try:
        async with session.request(
            method, path, json=body, headers=headers, timeout=aiohttp.ClientTimeout(total=5)
        ) as response:
            text = await response.text()
            if response.status >= 400:
                tally.failed.append((str(response.status), response.headers.get("x-gameday-region", ""), text[:200]))
    except (aiohttp.ClientError, TimeoutError) as error:
        tally.failed.append((repr(error), "", path))
