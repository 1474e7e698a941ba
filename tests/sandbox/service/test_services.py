"""The three services' answers, asked through their routes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest

from sandbox.service import dashboard, evaluation
from sandbox.service.server import Response, Route, Server, respond

HOST = "127.95.0.10"


def ask(routes: Sequence[Route], method: str, path: str, body: Any = None, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return respond(routes, method, path, named, b"" if body is None else json.dumps(body).encode())


def test_an_evaluation_burns_the_cpu_time_that_was_asked_for() -> None:
    began_s = time.thread_time()
    answer = ask(evaluation.routes(work_s=0.001), "POST", "/api/v1/evaluations", {"work_ms": 20})
    assert answer.status == 201
    assert 0.020 <= time.thread_time() - began_s < 0.040


@pytest.mark.parametrize("work_ms", [-1, "much", True, 1e9, None])
def test_an_evaluation_of_no_sensible_length_is_refused(work_ms: object) -> None:
    assert ask(evaluation.routes(0.001), "POST", "/api/v1/evaluations", {"work_ms": work_ms}).status == 400


def test_evaluations_are_counted() -> None:
    routes = evaluation.routes(work_s=0)
    ask(routes, "POST", "/api/v1/evaluations")
    ask(routes, "POST", "/api/v1/evaluations")
    assert ask(routes, "GET", "/api/v1/evaluations").body == {"completed": 2}


def dashboard_at(port: int) -> list[Route]:
    return dashboard.routes({"ORCHESTRATION_AGENT_SERVICE_HOST": HOST, "ORCHESTRATION_AGENT_SERVICE_PORT": str(port)})


def test_the_dashboard_shows_what_orchestration_agent_answers() -> None:
    agents = Route("GET", "/api/v1/agents", lambda _: Response({"agents": [{"id": "analyst", "tasks": 2}]}))
    with Server(HOST, 0, [agents]) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        answer = ask(dashboard_at(server.server_address[1]), "GET", "/api/v1/dashboard")
        server.shutdown()
    assert answer == Response({"agents": [{"id": "analyst", "tasks": 2}]})


def test_the_dashboard_says_502_where_orchestration_agent_fails() -> None:
    with Server(HOST, 0, []) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        assert ask(dashboard_at(server.server_address[1]), "GET", "/api/v1/dashboard").status == 502
        server.shutdown()
    assert ask(dashboard_at(server.server_address[1]), "GET", "/api/v1/dashboard").status == 502
