"""`python -m sandbox.service NAME`: one pod of the reference service."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable

from sandbox.service import dashboard, evaluation, orchestration
from sandbox.service.server import Request, Response, Route, Server
from sandbox.service.settings import Settings


def routes_of(name: str, settings: Settings) -> list[Route]:
    """The routes of a service by its name, its health check included; KeyError for a name that is none."""
    makers: dict[str, Callable[[], list[Route]]] = {
        "orchestration-agent": orchestration.routes,
        "eval-engine": lambda: evaluation.routes(settings.work_s),
        "dashboard-api": lambda: dashboard.routes(os.environ),
    }
    own = makers[name]()

    def health(_: Request) -> Response:
        return Response({"status": "ok", "service": name, "region": settings.region, "pod": settings.pod})

    return [Route("GET", "/health", health), *own]


def main(name: str) -> None:
    """Warm up, then serve until SIGTERM."""
    settings = Settings.from_environment(os.environ)
    routes = routes_of(name, settings)
    time.sleep(settings.warmup_s)
    server = Server(settings.host, settings.port, routes)
    if settings.drain_s is not None:
        drain_s: float = settings.drain_s
        signal.signal(signal.SIGTERM, lambda *_: server.start_drain(drain_s))
    print(f"{name} serves on {settings.host}:{settings.port}", flush=True)
    server.serve_forever(poll_interval=0.05)
    server.finish()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m sandbox.service orchestration-agent|eval-engine|dashboard-api")
    main(sys.argv[1])
