from __future__ import annotations

import asyncio

import pytest

from sandbox.client import Key, Unreachable
from sandbox.controllers.queue import WorkQueue, retry_delay_s

KEY = ("tars", "web")


async def at_once() -> None:
    """Nothing to wait for."""


@pytest.mark.parametrize(("failures", "delay_s"), [(1, 0.005), (2, 0.01), (5, 0.08), (11, 5.0), (99999, 5.0)])
def test_each_failure_doubles_the_wait_up_to_five_seconds(failures: int, delay_s: float) -> None:
    assert retry_delay_s(failures) == pytest.approx(delay_s)


async def test_a_key_added_during_its_reconciliation_is_reconciled_once_more_and_never_twice_at_a_time() -> None:
    running, most, runs = 0, 0, 0

    async def reconcile(key: Key) -> None:
        nonlocal running, most, runs
        running, runs = running + 1, runs + 1
        most = max(most, running)
        if runs == 1:
            queue.add(key)
            queue.add(key)
        await asyncio.sleep(0)
        running -= 1

    async with asyncio.TaskGroup() as tasks:
        queue = WorkQueue("test", reconcile, tasks, at_once)
        queue.add(KEY)
    assert (runs, most) == (2, 1)


async def test_a_failure_of_the_api_is_retried() -> None:
    runs = 0

    async def reconcile(_: Key) -> None:
        nonlocal runs
        runs += 1
        if runs < 3:
            raise Unreachable("refused")

    async with asyncio.TaskGroup() as tasks:
        WorkQueue("test", reconcile, tasks, at_once).add(KEY)
    assert runs == 3


async def test_a_bug_ends_the_task_group_with_its_exception() -> None:
    async def reconcile(_: Key) -> None:
        raise ZeroDivisionError("a bug")

    async def work() -> None:
        async with asyncio.TaskGroup() as tasks:
            WorkQueue("test", reconcile, tasks, at_once).add(KEY)
            await asyncio.sleep(60)

    with pytest.raises(ExceptionGroup) as caught:
        await work()
    assert caught.group_contains(ZeroDivisionError)


async def test_a_key_can_be_looked_at_again_later() -> None:
    runs = 0

    async def reconcile(_: Key) -> float | None:
        nonlocal runs
        runs += 1
        return 0.001 if runs < 3 else None

    async with asyncio.TaskGroup() as tasks:
        WorkQueue("test", reconcile, tasks, at_once).add(KEY)
    assert runs == 3


async def test_nothing_is_reconciled_before_the_caches_are_filled() -> None:
    ready, runs = asyncio.Event(), 0

    async def wait() -> None:
        await ready.wait()

    async def reconcile(_: Key) -> None:
        nonlocal runs
        runs += 1

    async with asyncio.TaskGroup() as tasks:
        WorkQueue("test", reconcile, tasks, wait).add(KEY)
        for _ in range(5):
            await asyncio.sleep(0)
        assert runs == 0
        ready.set()
    assert runs == 1
