"""`python -m sandbox.service NAME`: one pod of the reference service."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.link import channel
from sandbox.service.metrics import Metrics
from sandbox.service.server import Json, Request, Response, Route, Server
from sandbox.service.settings import Settings


@dataclass(frozen=True)
class Service:
    """Its routes, what it does when it is asked to go, and at its end."""

    routes: list[Route]
    leave: Callable[[], None] = lambda: None
    close: Callable[[], None] = lambda: None


def _orchestration(settings: Settings, identity: Json) -> Service:
    from sandbox.service import orchestration
    from sandbox.service.tasklog import TaskLog, wait_for_seat

    log = TaskLog(settings, wait_for_seat(settings), lambda line: print(line, flush=True))
    return Service(orchestration.routes(log, identity), log.member.leave, log.member.close)


def _evaluation(settings: Settings, _: Json) -> Service:
    from sandbox.service import evaluation

    return Service(evaluation.routes(settings.work_s))


def _dashboard(_: Settings, __: Json) -> Service:
    from sandbox.service import dashboard

    return Service(dashboard.routes(os.environ))


# Each imports what it needs when it is made: 21 processes pay for every import.
SERVICES: dict[str, Callable[[Settings, Json], Service]] = {
    "orchestration-agent": _orchestration,
    "eval-engine": _evaluation,
    "dashboard-api": _dashboard,
}


def main(name: str) -> None:
    """Warm up, then serve until SIGTERM."""
    channel.join(os.environ)
    settings = Settings.from_environment(os.environ)
    identity = {"service": name, "region": settings.region, "pod": settings.pod}
    time.sleep(settings.warmup_s)
    service = SERVICES[name](settings, identity)

    def health(_: Request) -> Response:
        return Response({"status": "ok", **identity})

    # The first route that matches answers: a service's own health check comes before this one.
    routes = Metrics().routes([*service.routes, Route("GET", "/health", health)])
    server = Server(settings.host, settings.port, routes)
    if settings.drain_s is not None:
        drain_s: float = settings.drain_s

        def stop(*_: object) -> None:
            service.leave()
            server.start_drain(drain_s)

        signal.signal(signal.SIGTERM, stop)
    print(f"{name} serves on {settings.host}:{settings.port}", flush=True)
    server.serve_forever(poll_interval=0.05)
    server.finish()
    service.close()


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in SERVICES:
        sys.exit("usage: python -m sandbox.service orchestration-agent|eval-engine|dashboard-api")
    main(sys.argv[1])
