from __future__ import annotations

import pytest

from sandbox.service import tasks
from sandbox.service.tasks import Task, TaskBook


def test_a_repeated_key_changes_nothing() -> None:
    book = TaskBook()
    assert book.accept(Task("k", "analyst", {"n": 1})) == (Task("k", "analyst", {"n": 1}), True)
    assert book.accept(Task("k", "analyst", {"n": 2})) == (Task("k", "analyst", {"n": 1}), False)
    assert (book.count("analyst"), book.count("reviewer")) == (1, 0)


def test_the_oldest_tasks_are_forgotten_so_that_memory_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "REMEMBERED_TASKS", 2)
    book = TaskBook()
    for key in "abc":
        book.accept(Task(key, "analyst", {}))
    assert (book.find("a"), book.count("analyst")) == (None, 2)
    assert book.find("c") == Task("c", "analyst", {})
