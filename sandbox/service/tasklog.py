"""The task book of all regions: each write goes through the Raft's log, and each member carries the log out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from sandbox.service.raft import Command, Member, RaftStatus
from sandbox.service.seat import Seat, TakenSeat, take_seat
from sandbox.service.settings import Settings
from sandbox.service.tasks import Task, TaskBook

PATIENCE_S = 8.0
"""How long a write may wait for a majority: less than a client's usual ten seconds, more than an election takes."""
SEAT_POLL_S = 0.1


class TaskLog:
    """Tasks that outlive pods and regions. `committed`: whether a write is acknowledged once a majority has it, or as
    soon as it is sent on its way, which loses those that were sent to a leader that is dead already."""

    def __init__(self, settings: Settings, taken: TakenSeat | None, say: Callable[[str], None]) -> None:
        """taken: this member's seat; None: a Raft of one, in memory."""
        self._book = TaskBook()
        self._committed = settings.acknowledge_committed
        seat = Seat(settings.region, f"{settings.host}:{settings.raft_port}") if taken is None else taken.seat
        others = tuple(each for each in settings.seats if each != seat) if taken is not None else ()
        journal = None if taken is None else taken.journal
        self.member = Member(seat, others, journal, settings.timing, self._apply, say)
        self.member.start()

    @property
    def status(self) -> RaftStatus:
        """This member's role and term."""
        return self.member.status

    def accept(self, task: Task) -> tuple[Task, bool]:
        """(the task as first accepted, whether this was the first time). Raises NotCommitted."""
        command = ("task", task.key, task.agent, json.dumps(task.payload))
        if self._committed:
            first = bool(self.member.commit(command, PATIENCE_S))
            return self._book.find(task.key) or task, first
        self.member.propose(command)
        known = self._book.find(task.key)
        return known or task, known is None

    def find(self, key: str) -> Task | None:
        """The task of that key; None where no member has it. Raises NotCommitted where that can't be told.

        What isn't here may be on its way here. So something is put into the log behind it, and waited for.
        """
        task = self._book.find(key)
        if task is None:
            self.member.commit(("nothing",), PATIENCE_S)
            task = self._book.find(key)
        return task

    def count(self, agent: str) -> int:
        """How many tasks of an agent this member knows of."""
        return self._book.count(agent)

    def _apply(self, command: Command) -> object:
        if command[0] != "task":
            return None
        _, key, agent, payload = command
        _, first = self._book.accept(Task(str(key), str(agent), json.loads(str(payload))))
        return first


def wait_for_seat(settings: Settings, sleep: Callable[[float], None] = time.sleep) -> TakenSeat | None:
    """Take a seat of the pod's own region, waiting until one is free; None where the environment names none at all.

    Raises ValueError where other regions have seats and this one hasn't, and OSError.
    """
    if not settings.seats:
        return None
    if settings.raft_directory is None or all(seat.region != settings.region for seat in settings.seats):
        raise ValueError(f"RAFT_MEMBERS has no seat in {settings.region!r}, or RAFT_DIRECTORY is not set")
    while (taken := take_seat(settings.seats, settings.region, settings.raft_directory)) is None:
        sleep(SEAT_POLL_S)
    return taken
