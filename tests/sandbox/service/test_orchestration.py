"""orchestration-agent's answers, asked through its routes, on a Raft of one."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from sandbox.service import orchestration, tasklog
from sandbox.service.raft import NotCommitted
from sandbox.service.server import Response, Route, respond
from sandbox.service.settings import Settings
from sandbox.service.tasklog import TaskLog, wait_for_seat

WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
SETTINGS = Settings.from_environment(
    {
        "POD_IP": f"127.95.{40 + WORKER}.1",
        "REGION": "east",
        "POD_NAME": "agent-1",
        "RAFT_HEARTBEAT_S": "0.02",
        "RAFT_ELECTION_S": "0.1",
        "ACKNOWLEDGE": "committed",
    }
)


@pytest.fixture
def log() -> Iterator[TaskLog]:
    made = TaskLog(SETTINGS, None, lambda _: None)
    yield made
    made.member.close()


@pytest.fixture
def routes(log: TaskLog) -> list[Route]:
    return orchestration.routes(log, {"pod": "agent-1"})


def ask(routes: Sequence[Route], method: str, path: str, raw: bytes = b"", **headers: str) -> Response:
    return respond(routes, method, path, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


def test_a_write_is_taken_once_by_its_key_and_can_be_read_back(routes: list[Route]) -> None:
    first = ask(routes, "POST", "/api/v1/agents/analyst/tasks", b'{"n": 1}', idempotency_key="k")
    again = ask(routes, "POST", "/api/v1/agents/analyst/tasks", b'{"n": 2}', idempotency_key="k")
    assert (first.status, again.status) == (201, 200)
    assert first.body == again.body == {"id": "k", "agent": "analyst", "payload": {"n": 1}}
    assert ask(routes, "GET", "/api/v1/tasks/k") == Response(first.body)
    agents: Any = ask(routes, "GET", "/api/v1/agents").body["agents"]
    assert {"id": "analyst", "tasks": 1} in agents


def test_what_nobody_wrote_is_not_found(routes: list[Route]) -> None:
    assert ask(routes, "GET", "/api/v1/tasks/k").status == 404


def test_a_write_without_key_or_to_an_unknown_agent_is_refused(routes: list[Route]) -> None:
    assert ask(routes, "POST", "/api/v1/agents/analyst/tasks", b"{}").status == 400
    assert ask(routes, "POST", "/api/v1/agents/nobody/tasks", b"{}", idempotency_key="k").status == 404


def test_its_health_tells_its_role_and_is_ready_once_it_has_what_the_others_have(
    routes: list[Route], log: TaskLog
) -> None:
    deadline = time.monotonic() + 8
    while not log.status.caught_up:
        assert ask(routes, "GET", "/health").status in (200, 503)
        assert time.monotonic() < deadline
        time.sleep(0.005)
    answer = ask(routes, "GET", "/health")
    status: Any = answer.body["raft_status"]
    assert (answer.status, answer.body["pod"]) == (200, "agent-1")
    assert {"role", "term", "leader", "region", "commit_index"} <= status.keys()
    assert (status["role"], status["region"]) == ("leader", "east")


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/api/v1/agents/analyst/tasks"), ("GET", "/api/v1/tasks/k"), ("POST", "/api/v1/leader")],
)
def test_without_a_majority_there_is_no_answer_but_503(
    routes: list[Route], log: TaskLog, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    """A 404 would say that a write is lost; nobody knows."""

    def nobody(*_: object) -> object:
        raise NotCommitted("no majority confirmed it within 8 s")

    monkeypatch.setattr(log.member, "commit", nobody)
    assert ask(routes, method, path, b'{"region": "west"}', idempotency_key="k").status == 503


def test_a_wish_for_a_leader_names_a_region(routes: list[Route]) -> None:
    assert ask(routes, "POST", "/api/v1/leader", b"{}").status == 400
    assert ask(routes, "POST", "/api/v1/leader", b'{"region": "east"}').status == 202


def test_the_naive_way_acknowledges_what_no_member_has_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[object] = []
    monkeypatch.setattr(tasklog.Member, "propose", lambda _, command: sent.append(command))
    naive = Settings.from_environment({"POD_IP": f"127.95.{40 + WORKER}.2"})
    log = TaskLog(naive, None, lambda _: None)
    answer = ask(orchestration.routes(log, {}), "POST", "/api/v1/agents/analyst/tasks", b"{}", idempotency_key="k")
    assert (answer.status, len(sent)) == (201, 1)
    log.member.close()


def test_a_pod_waits_for_a_seat_of_its_region(tmp_path: Path) -> None:
    settings = Settings.from_environment(
        {"REGION": "east", "RAFT_MEMBERS": "east=h:1 west=h:2", "RAFT_DIRECTORY": str(tmp_path)}
    )
    held = wait_for_seat(settings)
    assert held is not None
    waited = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        held.release()

    taken = wait_for_seat(settings, sleep)
    assert taken is not None
    assert (taken.seat, len(waited)) == (held.seat, 1)
    taken.release()


@pytest.mark.parametrize(("region", "folder"), [("north", "/tmp"), ("east", "")])
def test_a_pod_with_no_seat_to_wait_for_says_so(region: str, folder: str) -> None:
    settings = Settings.from_environment({"REGION": region, "RAFT_MEMBERS": "east=h:1", "RAFT_DIRECTORY": folder})
    with pytest.raises(ValueError, match=r"no seat in|not set"):
        wait_for_seat(settings)


def test_without_any_seats_a_pod_is_a_raft_of_one() -> None:
    assert wait_for_seat(SETTINGS) is None
