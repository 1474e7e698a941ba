"""A container under a clock that the test moves, with processes that end when the test says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from sandbox.client import KubeObject
from sandbox.clock import NS_PER_S
from sandbox.node.container import Container, ContainerTools
from sandbox.node.environment import CannotCreate
from sandbox.node.probe import ProbeSpec
from sandbox.node.prober import Outcome
from sandbox.node.process import Launch
from tests.sandbox.builders import T0_NS, container, pod


class ManualClock:
    """Time passes only in `pass_time`."""

    def __init__(self) -> None:
        self._now_ns = T0_NS
        self._sleepers: list[tuple[int, asyncio.Event]] = []

    def now_ns(self) -> int:
        return self._now_ns

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            return
        woken = asyncio.Event()
        self._sleepers.append((self._now_ns + int(seconds * NS_PER_S), woken))
        await woken.wait()

    async def pass_time(self, seconds: float) -> None:
        """Let time pass in steps of 100 ms, and after each let everyone act who is due."""
        for _ in range(round(seconds * 10)):
            self._now_ns += NS_PER_S // 10
            for due_ns, woken in self._sleepers:
                if due_ns <= self._now_ns:
                    woken.set()
            self._sleepers = [(due_ns, woken) for due_ns, woken in self._sleepers if not woken.is_set()]
            await settle()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


class FakeProcess:
    def __init__(self, pid: int, *, obedient: bool) -> None:
        self.pid = pid
        self.signals: list[str] = []
        self._obedient = obedient
        self._code: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def wait(self) -> int:
        return await asyncio.shield(self._code)

    def end(self, code: int) -> None:
        if not self._code.done():
            self._code.set_result(code)

    def terminate(self) -> None:
        self.signals.append("TERM")
        if self._obedient:
            self.end(143)

    def kill(self) -> None:
        if not self._code.done():
            self.signals.append("KILL")
        self.end(137)


class World:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.processes: list[FakeProcess] = []
        self.events: list[tuple[str, str]] = []
        self.healthy: dict[str, bool] = {"Readiness": True, "Liveness": True, "Startup": True}
        self.probed: list[tuple[str, float]] = []
        self.obedient = True
        self.broken = False

    def spawn(self, _launch: Launch) -> FakeProcess:
        if self.broken:
            raise FileNotFoundError(2, "No such file or directory")
        self.processes.append(FakeProcess(1000 + len(self.processes), obedient=self.obedient))
        return self.processes[-1]

    async def probe(self, spec: ProbeSpec, _container: KubeObject, _pod_ip: str, _launch: Launch) -> Outcome:
        self.probed.append((spec.kind.value, (self.clock.now_ns() - T0_NS) / NS_PER_S))
        return Outcome(self.healthy[spec.kind], "sick")

    def record(self, _container: str, reason: str, message: str, _warning: bool) -> None:
        self.events.append((reason, message))

    @property
    def process(self) -> FakeProcess:
        return self.processes[-1]

    def reasons(self) -> list[str]:
        return [reason for reason, _ in self.events]

    @asynccontextmanager
    async def running(
        self, spec: KubeObject, prepare: Callable[[KubeObject], Launch] | None = None, **pod_spec: Any
    ) -> AsyncIterator[Container]:
        owner = pod()
        owner["spec"] |= {"terminationGracePeriodSeconds": 30, **pod_spec}
        tools = ContainerTools(self.clock, self.spawn, self, self.record, lambda: None)
        made = Container(
            owner,
            spec,
            tools,
            pod_ip="127.92.32.1",
            prepare=prepare or (lambda _: Launch(["app"], {}, Path(), Path())),
            log=lambda name, run: Path(f"{name}/{run}.log"),
        )
        task = asyncio.create_task(made.run())
        await settle()
        yield made
        self.obedient = True
        made.stop(0)
        for process in self.processes:
            process.end(143)
        await settle()
        await task


@pytest.fixture
def world() -> World:
    return World()


async def test_a_container_without_probes_is_ready_as_soon_as_it_runs(world: World) -> None:
    async with world.running(container()) as app:
        assert app.state.started
        assert app.state.ready
        assert app.state.container_id.startswith("process://1000-")
        assert world.reasons() == ["Pulled", "Created", "Started"]


async def test_a_crash_restarts_at_once_and_the_next_one_waits(world: World) -> None:
    async with world.running(container()) as app:
        world.process.end(137)
        await settle()
        assert app.state.restarts == 1
        assert "running" in app.state.state
        assert app.state.last_state["terminated"]["exitCode"] == 137
        assert app.state.last_state["terminated"]["reason"] == "Error"
        world.process.end(1)
        await settle()
        assert app.state.state["waiting"]["reason"] == "CrashLoopBackOff"
        assert app.state.state["waiting"]["message"] == (
            "back-off 10s restarting failed container=app pod=web-1_tars(uid-web-1)"
        )
        assert app.state.restarts == 1
        assert world.reasons()[-1] == "BackOff"
        await world.clock.pass_time(9.9)
        assert len(world.processes) == 2
        await world.clock.pass_time(0.1)
        assert len(world.processes) == 3
        assert app.state.restarts == 2
        assert app.state.last_state["terminated"]["exitCode"] == 1


@pytest.mark.parametrize(
    ("policy", "code", "restarts"), [("Always", 0, 1), ("OnFailure", 0, 0), ("OnFailure", 1, 1), ("Never", 1, 0)]
)
async def test_the_restart_policy(policy: str, code: int, restarts: int, world: World) -> None:
    async with world.running(container(), restartPolicy=policy) as app:
        world.process.end(code)
        await settle()
        assert app.state.restarts == restarts


async def test_readiness_comes_and_goes_with_its_probe(world: World) -> None:
    world.healthy["Readiness"] = False
    probe = {"httpGet": {"port": 80}, "periodSeconds": 2, "failureThreshold": 2}
    async with world.running(container(readinessProbe=probe)) as app:
        assert not app.state.ready
        assert world.events[-1] == ("Unhealthy", "Readiness probe failed: sick")
        world.healthy["Readiness"] = True
        await world.clock.pass_time(2)
        assert app.state.ready
        world.healthy["Readiness"] = False
        await world.clock.pass_time(2)
        assert app.state.ready, "one failure of two"
        await world.clock.pass_time(2)
        assert not app.state.ready
    assert world.process.signals == ["TERM"], "an unready container isn't killed"


async def test_a_container_that_fails_its_liveness_probe_is_terminated_and_restarted(world: World) -> None:
    world.healthy["Liveness"] = False
    async with world.running(container(livenessProbe={"exec": {}, "periodSeconds": 5, "failureThreshold": 2})) as app:
        await world.clock.pass_time(9.9)
        assert app.state.restarts == 0
        await world.clock.pass_time(0.1)
        assert world.processes[0].signals == ["TERM"]
        assert ("Killing", "Container app failed liveness probe, will be restarted") in world.events
        assert app.state.restarts == 1
        assert app.state.last_state["terminated"]["exitCode"] == 143


async def test_a_container_that_ignores_sigterm_is_killed_when_the_pod_s_grace_is_over(world: World) -> None:
    world.obedient, world.healthy["Liveness"] = False, False
    async with world.running(container(livenessProbe={"exec": {}, "periodSeconds": 1, "failureThreshold": 1})):
        await world.clock.pass_time(1)
        world.healthy["Liveness"] = True
        await world.clock.pass_time(29.9)
        assert world.processes[0].signals == ["TERM"]
        await world.clock.pass_time(0.1)
        assert world.processes[0].signals == ["TERM", "KILL"]


async def test_no_other_probe_is_made_before_the_startup_probe_succeeded(world: World) -> None:
    world.healthy["Startup"] = False
    probes = {kind: {"exec": {}, "periodSeconds": 2} for kind in ("startupProbe", "readinessProbe", "livenessProbe")}
    async with world.running(container(**probes)) as app:
        await world.clock.pass_time(2)
        assert not app.state.started
        world.healthy["Startup"] = True
        await world.clock.pass_time(2)
        assert app.state.started
        assert app.state.ready
        await world.clock.pass_time(2)
        assert world.probed == [
            ("Startup", 2),
            ("Startup", 4),
            ("Readiness", 4),
            ("Liveness", 4),
            ("Readiness", 6),
            ("Liveness", 6),
        ]


async def test_a_container_that_does_not_start_up_in_time_is_restarted(world: World) -> None:
    world.healthy["Startup"] = False
    async with world.running(container(startupProbe={"exec": {}, "periodSeconds": 1, "failureThreshold": 3})) as app:
        await world.clock.pass_time(3)
        assert app.state.restarts == 1
        assert ("Killing", "Container app failed startup probe, will be restarted") in world.events


@pytest.mark.parametrize(("grace_s", "killed_after_s"), [(30.0, 30.0), (5.0, 5.0), (1.0, 2.0), (0.0, 2.0)])
async def test_even_a_pod_deleted_with_grace_zero_gets_two_seconds(
    grace_s: float, killed_after_s: float, world: World
) -> None:
    """The kubelet's minimum between SIGTERM and SIGKILL."""
    world.obedient = False
    async with world.running(container()) as app:
        app.stop(grace_s)
        await settle()
        assert world.process.signals == ["TERM"]
        await world.clock.pass_time(killed_after_s - 0.1)
        assert world.process.signals == ["TERM"]
        await world.clock.pass_time(0.1)
        assert world.process.signals == ["TERM", "KILL"]
        assert len(world.processes) == 1, "a stopped container isn't restarted"


async def test_a_grace_can_be_shortened_but_not_prolonged(world: World) -> None:
    world.obedient = False
    async with world.running(container()) as app:
        app.stop(30)
        await world.clock.pass_time(1)
        app.stop(5)
        app.stop(60)
        await world.clock.pass_time(4.9)
        assert "KILL" not in world.process.signals
        await world.clock.pass_time(0.2)
        assert "KILL" in world.process.signals
        assert world.reasons().count("Killing") == 1


async def test_readiness_is_still_probed_while_a_container_stops_and_liveness_is_not(world: World) -> None:
    world.obedient = False
    probes = {kind: {"exec": {}, "periodSeconds": 1} for kind in ("readinessProbe", "livenessProbe")}
    async with world.running(container(**probes)) as app:
        app.stop(30)
        await settle()
        world.probed.clear()
        world.healthy = {"Readiness": False, "Liveness": False}
        await world.clock.pass_time(5)
        assert {kind for kind, _ in world.probed} == {"Readiness"}
        assert not app.state.ready


async def test_a_pre_stop_hook_runs_before_sigterm_and_within_the_grace(world: World) -> None:
    world.obedient = False
    async with world.running(container(lifecycle={"preStop": {"sleep": {"seconds": 3}}})) as app:
        app.stop(10)
        await settle()
        await world.clock.pass_time(2.9)
        assert world.process.signals == []
        await world.clock.pass_time(0.1)
        assert world.process.signals == ["TERM"]
        await world.clock.pass_time(7)
        assert world.process.signals == ["TERM", "KILL"]


async def test_a_container_in_back_off_stops_at_once(world: World) -> None:
    async with world.running(container()) as app:
        for _ in range(2):
            world.process.end(1)
            await settle()
        assert "waiting" in app.state.state
        app.stop(30)
        await settle()
        assert app.state.state["terminated"]["exitCode"] == 1


async def test_a_command_that_can_not_be_started_is_tried_again_with_back_off(world: World) -> None:
    world.broken = True
    async with world.running(container()) as app:
        ended = app.state.last_state["terminated"]
        assert (ended["reason"], ended["exitCode"]) == ("StartError", 128)
        assert ended["message"] == "failed to start 'app': No such file or directory"
        assert app.state.state["waiting"]["reason"] == "CrashLoopBackOff"
        world.broken = False
        await world.clock.pass_time(10)
        assert "running" in app.state.state


async def test_a_container_that_can_not_be_made_waits_and_says_why(world: World) -> None:
    def prepare(_: KubeObject) -> Launch:
        raise CannotCreate("CreateContainerError", "no command specified")

    async with world.running(container(), prepare) as app:
        assert app.state.state == {"waiting": {"reason": "CreateContainerError", "message": "no command specified"}}
        assert world.events == [("Failed", "Error: no command specified")]
        assert world.processes == []


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 4, 5, 6])
async def test_a_stop_that_comes_as_the_process_ends_starts_no_new_kill(steps: int, world: World) -> None:
    """At whichever step of the event loop it comes."""
    async with world.running(container(readinessProbe={"exec": {}, "periodSeconds": 1}), restartPolicy="Never") as app:
        world.process.end(1)
        for _ in range(steps):
            await asyncio.sleep(0)
        app.stop(30)
        await settle()
        assert app.state.state["terminated"]["exitCode"] == 1
