"""What orchestration-agent keeps: the tasks that were accepted, each once by its key."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from sandbox.service.server import Json

AGENTS = ("navigator", "analyst", "reviewer")
REMEMBERED_TASKS = 100_000


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
    """Accepted tasks by key, the newest `REMEMBERED_TASKS` of them. Written by the Raft member, read by requests."""

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

    def find(self, key: str) -> Task | None:
        """The task of that key, if it is remembered."""
        with self._lock:
            return self._tasks.get(key)

    def count(self, agent: str) -> int:
        """How many remembered tasks an agent has."""
        with self._lock:
            return sum(task.agent == agent for task in self._tasks.values())
