"""orchestration-agent: knows the agents and takes tasks for them, each write once by its Idempotency-Key."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from http import HTTPStatus

from sandbox.service.server import HttpError, Json, Request, Response, Route

AGENTS = ("navigator", "analyst", "reviewer")
REMEMBERED_TASKS = 10_000


@dataclass(frozen=True)
class Task:
    """An accepted write."""

    key: str
    agent: str
    payload: Json

    def as_json(self) -> Json:
        """As answered to the client."""
        return {"id": self.key, "agent": self.agent, "payload": self.payload}


class TaskBook:
    """Accepted tasks by key, in this pod's memory, the newest `REMEMBERED_TASKS` of them."""

    def __init__(self) -> None:
        self._tasks: OrderedDict[str, Task] = OrderedDict()
        self._lock = threading.Lock()

    def accept(self, task: Task) -> tuple[Task, bool]:
        """(the task as first accepted, whether this call was the first): a repeated key changes nothing."""
        with self._lock:
            known = self._tasks.setdefault(task.key, task)
            if len(self._tasks) > REMEMBERED_TASKS:
                self._tasks.popitem(last=False)
            return known, known is task

    def count(self, agent: str) -> int:
        """How many remembered tasks an agent has."""
        with self._lock:
            return sum(task.agent == agent for task in self._tasks.values())


def routes() -> list[Route]:
    """The service's routes, with a task book of their own."""
    book = TaskBook()

    def list_agents(_: Request) -> Response:
        return Response({"agents": [{"id": agent, "tasks": book.count(agent)} for agent in AGENTS]})

    def accept_task(request: Request) -> Response:
        agent, key = request.params["agent"], request.headers.get("idempotency-key", "")
        if agent not in AGENTS:
            raise HttpError(HTTPStatus.NOT_FOUND, f"no agent {agent!r}")
        if not key:
            raise HttpError(HTTPStatus.BAD_REQUEST, "a write needs an Idempotency-Key header")
        task, first = book.accept(Task(key, agent, request.body))
        return Response(task.as_json(), HTTPStatus.CREATED if first else HTTPStatus.OK)

    return [
        Route("GET", "/api/v1/agents", list_agents),
        Route("POST", "/api/v1/agents/{agent}/tasks", accept_task),
    ]
