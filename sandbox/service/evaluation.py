"""eval-engine: an evaluation costs a set amount of CPU time."""

from __future__ import annotations

import hashlib
import itertools
import time
from http import HTTPStatus

from sandbox.service.server import HttpError, Request, Response, Route

MAX_WORK_MS = 60_000


def burn(work_s: float) -> int:
    """Use `work_s` seconds of this thread's CPU time; returns the rounds of hashing done."""
    deadline_s = time.thread_time() + work_s
    rounds, block = 0, b"evaluation"
    while time.thread_time() < deadline_s:
        block = hashlib.sha256(block * 64).digest()
        rounds += 1
    return rounds


def routes(work_s: float) -> list[Route]:
    """The service's routes; `work_s` is the CPU time of an evaluation that asks for none."""
    numbers = itertools.count(1)
    latest: dict[str, int] = {"completed": 0}

    def evaluate(request: Request) -> Response:
        work_ms = request.body.get("work_ms", work_s * 1000)
        if isinstance(work_ms, bool) or not isinstance(work_ms, int | float) or not 0 <= work_ms <= MAX_WORK_MS:
            raise HttpError(HTTPStatus.BAD_REQUEST, f"work_ms must be a number from 0 to {MAX_WORK_MS}")
        rounds = burn(work_ms / 1000)
        number = next(numbers)
        latest["completed"] = number
        return Response({"id": number, "rounds": rounds}, HTTPStatus.CREATED)

    def list_evaluations(_: Request) -> Response:
        return Response(latest)

    return [
        Route("POST", "/api/v1/evaluations", evaluate),
        Route("GET", "/api/v1/evaluations", list_evaluations),
    ]
