"""The three services' answers, asked through their routes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest

from sandbox.service import dashboard, evaluation, orchestration
from sandbox.service.server import Response, Route, Server, respond
from sandbox.service.settings import Settings

HOST = "127.95.0.10"


def ask(routes: Sequence[Route], method: str, path: str, body: Any = None, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return respond(routes, method, path, named, b"" if body is None else json.dumps(body).encode())


def test_a_write_is_taken_once_by_its_key() -> None:
    routes = orchestration.routes()
    first = ask(routes, "POST", "/api/v1/agents/analyst/tasks", {"n": 1}, idempotency_key="k")
    again = ask(routes, "POST", "/api/v1/agents/analyst/tasks", {"n": 2}, idempotency_key="k")
    assert (first.status, again.status) == (201, 200)
    assert first.body == again.body == {"id": "k", "agent": "analyst", "payload": {"n": 1}}
    agents = ask(routes, "GET", "/api/v1/agents").body["agents"]
    assert {"id": "analyst", "tasks": 1} in agents  # type: ignore[operator]


def test_a_write_without_key_or_to_an_unknown_agent_is_refused() -> None:
    routes = orchestration.routes()
    assert ask(routes, "POST", "/api/v1/agents/analyst/tasks", {}).status == 400
    assert ask(routes, "POST", "/api/v1/agents/nobody/tasks", {}, idempotency_key="k").status == 404


def test_the_oldest_tasks_are_forgotten_so_that_memory_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orchestration, "REMEMBERED_TASKS", 2)
    book = orchestration.TaskBook()
    for key in "abc":
        book.accept(orchestration.Task(key, "analyst", {}))
    assert book.count("analyst") == 2
    assert book.accept(orchestration.Task("a", "analyst", {}))[1]


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
    with Server(HOST, 0, orchestration.routes()) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        answer = ask(dashboard_at(server.server_address[1]), "GET", "/api/v1/dashboard")
        server.shutdown()
    assert answer.status == 200
    assert [agent["id"] for agent in answer.body["agents"]] == list(orchestration.AGENTS)  # type: ignore[attr-defined]


def test_the_dashboard_says_502_where_orchestration_agent_fails() -> None:
    with Server(HOST, 0, []) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        assert ask(dashboard_at(server.server_address[1]), "GET", "/api/v1/dashboard").status == 502
        server.shutdown()
    assert ask(dashboard_at(server.server_address[1]), "GET", "/api/v1/dashboard").status == 502


def test_settings_come_from_the_environment() -> None:
    read = Settings.from_environment({"POD_IP": "127.1.1.1", "PORT": "8094", "DRAIN_S": "1.5", "WORK_MS": "5"})
    assert (read.host, read.port, read.drain_s, read.work_s) == ("127.1.1.1", 8094, 1.5, 0.005)
    assert Settings.from_environment({}).drain_s is None
