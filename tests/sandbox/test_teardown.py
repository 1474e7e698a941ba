"""Sandboxes that end as they shouldn't, and what is left of them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.client import PODS
from sandbox.network import NAMESPACE, Network
from sandbox.readiness import connected, look
from sandbox.remains import members, supervisor_of
from sandbox.state import State
from tests.sandbox.command import assert_nothing_is_left, run, start
from tests.sandbox.load import Tally, load

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("sandbox-127.93")]

NETWORK = Network("127.93")


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    made = State(tmp_path / "state")
    yield made
    run(made, "down")


def up(state: State, manner: str) -> None:
    done = run(state, "up", "--network", NETWORK.prefix, "--manner", manner, "--timeout", "90")
    assert done.returncode == 0, done.stderr


def kill_supervisor(state: State) -> None:
    supervisor = supervisor_of(state)
    assert supervisor is not None
    supervisor.kill()
    supervisor.wait(10)


async def kill_a_pod_under_load(state: State) -> Tally:
    """One orchestration-agent pod deleted without grace; the load runs until another serves in its place."""
    async with connected(state) as clients, load(NETWORK.entry) as tally, asyncio.timeout(60):
        await asyncio.sleep(0.5)
        east = {"us-east-1": clients["us-east-1"]}
        victim = next(pod.name for pod in (await look(east)).pods if pod.name.startswith("orchestration-agent"))
        await clients["us-east-1"].delete(PODS, victim, NAMESPACE, grace_period_s=0)
        while True:
            seen = await look(east)
            if not seen.missing and victim not in {pod.name for pod in seen.pods}:
                return tally
            await asyncio.sleep(0.05)


def test_naive_loses_requests_and_a_killed_supervisor_leaves_what_up_and_down_clean(state: State) -> None:
    """One sandbox for both, since each takes seconds to start."""
    up(state, "naive")
    tally = asyncio.run(kill_a_pod_under_load(state))
    assert 0 < len(tally.failed) < tally.sent / 4
    # By its own faults: requests to a pod that is gone, or isn't listening yet.
    assert {failure[0] for failure in tally.failed} <= {"502", "503"}

    kill_supervisor(state)
    assert members(state), "the pods outlive the supervisor, else this test shows nothing"
    done = run(state, "status", "--json")
    assert done.returncode == 3
    assert "supervisor was killed" in json.loads(done.stdout)["trouble"]

    remains = {member.process.pid for member in members(state)}
    up(state, "hardened")
    assert not remains & {member.process.pid for member in members(state)}

    kill_supervisor(state)
    done = run(state, "down")
    assert (done.returncode, done.stderr) == (0, "down\n")
    assert_nothing_is_left(state, NETWORK)

    done = run(state, "down")
    assert (done.returncode, done.stderr) == (0, "nothing was running\n")
    done = run(state, "status")
    assert (done.returncode, done.stdout) == (3, "no sandbox runs\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_up_takes_everything_down(state: State, number: signal.Signals) -> None:
    with start(state, "up", "--network", NETWORK.prefix) as process:
        assert process.stderr is not None
        while "pods ready" not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 5
    assert "interrupted: taking everything down" in errors
    assert "Traceback" not in errors
    assert_nothing_is_left(state, NETWORK)


def test_a_part_that_dies_ends_everything_and_status_says_why(state: State) -> None:
    up(state, "naive")
    supervisor = supervisor_of(state)
    assert supervisor is not None
    [manager] = [member.process for member in members(state) if member.what == "manager"]
    os.kill(manager.pid, signal.SIGKILL)
    supervisor.wait(30)
    assert members(state) == []
    done = run(state, "status")
    assert done.returncode == 3
    assert "trouble: manager was ended by signal 9" in done.stdout
    assert run(state, "down").returncode == 0
    assert_nothing_is_left(state, NETWORK)
