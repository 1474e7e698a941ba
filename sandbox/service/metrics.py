"""What a pod tells Prometheus at `GET /metrics`: its requests by method, path template and status, and their times."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from http import HTTPStatus

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from sandbox.service.server import HttpError, Request, Response, Route

# 0.15 and 0.2 are the runbook's target and threshold: an SLO can be counted exactly only where a bucket ends.
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2.5, 5, 10)
CODES = ("200", "201", "202", "400", "404", "500", "502", "503")
"""The statuses that the services give. Each is told from the first moment, as a 0: of a counter that appears with a
number, Prometheus can't know that it rose to that."""


class Metrics:
    """The counts of one process. Safe to use from many threads."""

    def __init__(self, clock_s: Callable[[], float] = time.perf_counter) -> None:
        """clock_s: a clock that only goes forward, in seconds."""
        disable_created_metrics()
        self._clock_s = clock_s
        # A registry of its own: the default one also tells of the interpreter, for which nobody asks every second.
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "http_requests", "Requests by status.", ["method", "path", "code"], registry=self._registry
        )
        self._durations = Histogram(
            "http_request_duration_seconds",
            "From when a request was read until its answer was ready, where that was no server error.",
            ["method", "path"],
            buckets=BUCKETS_S,
            registry=self._registry,
        )

    def routes(self, served: Iterable[Route]) -> list[Route]:
        """`served`, each request counted from now on, and behind them `/metrics` itself, which is not."""
        return [*map(self._counted, served), Route("GET", "/metrics", self._expose)]

    def _counted(self, route: Route) -> Route:
        of = route.method, route.path
        durations = self._durations.labels(*of)
        for code in CODES:
            self._requests.labels(*of, code)

        def answer(request: Request) -> Response:
            began_s = self._clock_s()
            # What a handler that breaks amounts to: its connection ends without an answer.
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            try:
                response = route.handler(request)
                status = response.status
                return response
            except HttpError as error:
                status = error.status
                raise
            finally:
                took_s = self._clock_s() - began_s
                self._requests.labels(*of, str(status.value)).inc()
                if status < HTTPStatus.INTERNAL_SERVER_ERROR:
                    durations.observe(took_s)

        return replace(route, handler=answer)

    def _expose(self, _: Request) -> Response:
        return Response(generate_latest(self._registry).decode(), content_type=CONTENT_TYPE_PLAIN_0_0_4)
