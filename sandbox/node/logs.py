"""The kubelet's endpoints, over HTTP with the cluster's token: `/containerLogs/{namespace}/{pod}/{container}`, and
`/metrics/resource`, whose text is made in `resources`."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol

from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox.errors import AddressInUse
from sandbox.network import Address

CHUNK_BYTES = 64 * 1024
FOLLOW_S = 0.1
"""How often a followed file is looked at, and only while someone follows it."""

UNSERVED = ("timestamps", "sinceSeconds", "sinceTime", "limitBytes")
"""Processes write their logs themselves, without times, so what needs these is refused instead of made up."""


@dataclass(frozen=True)
class LogFile:
    """The log of one run of a container; `live` while the process still runs."""

    path: Path
    live: bool


class FindLog(Protocol):
    """Finds a container's log."""

    def __call__(self, namespace: str, pod: str, container: str, *, previous: bool) -> LogFile | None:
        """The log, None where there is none."""
        ...


def tail_offset(path: Path, lines: int) -> int:
    """Where in the file its last `lines` lines begin."""
    with path.open("rb") as file:
        position = file.seek(0, 2)
        # The newline at the very end closes the last line and separates nothing.
        needed, data = lines + 1, b""
        while position > 0 and data.count(b"\n") < needed:
            step = min(CHUNK_BYTES, position)
            position -= step
            file.seek(position)
            data = file.read(step) + data
    if lines == 0:
        return position + len(data)
    kept = data.splitlines(keepends=True)[-lines:]
    return position + len(data) - sum(map(len, kept))


class LogServer:
    """Serves the logs of one node's containers, and what they use. Use as an async context manager."""

    def __init__(self, address: Address, token: str, find: FindLog, resources: Callable[[], str] = str) -> None:
        self._address = address
        self._token = token
        self._find = find
        self._resources = resources
        application = web.Application(middlewares=[self._authorize])
        application.router.add_get("/containerLogs/{namespace}/{pod}/{container}", self._logs)
        application.router.add_get("/metrics/resource", self._usage)
        # Followers are cut off at once when the node shuts down.
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)

    async def __aenter__(self) -> LogServer:
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._address.host, self._address.port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise AddressInUse(
                f"can't listen: {error.strerror}", where=str(self._address), do="end the process that holds the port"
            ) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    @web.middleware
    async def _authorize(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
            return web.Response(status=401, text="Unauthorized\n")
        return await handler(request)

    async def _usage(self, _: web.Request) -> web.Response:
        return web.Response(text=self._resources())

    async def _logs(self, request: web.Request) -> web.StreamResponse:
        query, where = request.query, request.match_info
        for option in UNSERVED:
            if query.get(option) not in (None, "", "false"):
                return web.Response(status=400, text=f"the sandbox does not serve logs with {option}\n")
        previous = query.get("previous") == "true"
        log = self._find(where["namespace"], where["pod"], where["container"], previous=previous)
        if log is None:
            kind = "previous terminated container" if previous else "container"
            return web.Response(status=404, text=f'{kind} "{where["container"]}" in pod "{where["pod"]}" not found\n')
        tail = query.get("tailLines")
        if tail is not None and not tail.isdigit():
            return web.Response(status=400, text=f"tailLines {tail!r} is not a number\n")
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        with log.path.open("rb") as file:
            if tail is not None:
                file.seek(tail_offset(log.path, int(tail)))
            while True:
                # Asked before reading, so that what a process wrote just before its end is still sent.
                newest = self._find(where["namespace"], where["pod"], where["container"], previous=previous)
                while chunk := file.read(CHUNK_BYTES):
                    await response.write(chunk)
                if query.get("follow") != "true" or newest != log or not log.live:
                    break
                await asyncio.sleep(FOLLOW_S)
        await response.write_eof()
        return response
