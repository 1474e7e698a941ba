"""A real HTTP server on a port of its own, on a thread of its own."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter, defaultdict

from aiohttp import web

REGION = "us-east-1"


class Target:
    """`hits` counts requests by method and path, `keys` keeps the Idempotency-Keys that came, in order,
    `times_ns` when each path was asked for, on CLOCK_MONOTONIC.

    /status/N is answered with status N, /hang never, /dribble with a byte every 50 ms without end, /stuck with one
    byte and no end, /close by breaking the connection, all else with its own path.
    """

    def __init__(self) -> None:
        self.hits: Counter[str] = Counter()
        self.keys: list[str] = []
        self.times_ns: defaultdict[str, list[int]] = defaultdict(list)
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._thread.start()
        assert self._ready.wait(10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self._answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.port = int(runner.addresses[0][1])
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.hits[f"{request.method} {request.path}"] += 1
        self.times_ns[request.path].append(time.monotonic_ns())
        self.keys += request.headers.getall("Idempotency-Key", [])
        _, kind, *rest = request.path.split("/")
        if kind == "hang":
            await asyncio.sleep(3600)
        if kind in ("dribble", "stuck"):
            return await self._begin_and_go_on(request, every_s=0.05 if kind == "dribble" else 3600)
        if kind == "close" and request.transport is not None:
            request.transport.abort()
        status = int(rest[0]) if kind == "status" else 200
        return web.Response(text=request.path, status=status, headers={"x-gameday-region": REGION})

    async def _begin_and_go_on(self, request: web.Request, every_s: float) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        while True:
            await answer.write(b".")
            await asyncio.sleep(every_s)
