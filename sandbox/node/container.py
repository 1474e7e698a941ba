"""One container of a pod: a process that is started, probed, restarted with back-off and stopped.

Facts from Kubernetes 1.34 pkg/kubelet/kuberuntime (kuberuntime_container.go, kuberuntime_manager.go).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from sandbox.client import KubeObject
from sandbox.clock import NS_PER_S, Clock, timestamp
from sandbox.node.backoff import Backoff
from sandbox.node.environment import CannotCreate
from sandbox.node.probe import ProbeKind, ProbeSpec, ProbeState
from sandbox.node.prober import Outcome
from sandbox.node.process import Launch, Process, Spawn, run_command
from sandbox.node.status import ContainerState

MINIMUM_GRACE_S = 2.0
"""The kubelet gives no container less between SIGTERM and SIGKILL, not even one whose pod is deleted with grace 0."""

START_ERROR_CODE = 128


class Probes(Protocol):
    """Makes probes."""

    async def probe(self, spec: ProbeSpec, container: KubeObject, pod_ip: str, launch: Launch) -> Outcome:
        """One probe of a running container."""
        ...


@dataclass(frozen=True)
class ContainerTools:
    """What a container needs from its surroundings."""

    clock: Clock
    spawn: Spawn
    prober: Probes
    record: Callable[[str, str, str, bool], None]
    """Record an event: container name, reason, message, whether it is a warning."""
    changed: Callable[[], None]
    """Called after each change of the container's state."""


class Container:
    """Runs one container until its pod ends or its restart policy says that it is done."""

    def __init__(
        self,
        pod: KubeObject,
        spec: KubeObject,
        tools: ContainerTools,
        *,
        pod_ip: str,
        prepare: Callable[[KubeObject], Launch],
        log: Callable[[str, int], Path],
    ) -> None:
        self.spec = spec
        self.state = ContainerState(spec["name"], spec.get("image", ""))
        self._pod = pod
        self._tools = tools
        self._pod_ip = pod_ip
        self._prepare = prepare
        self._log = log
        self._stop_grace_s: float | None = None
        self._stopping = asyncio.Event()
        self._started = asyncio.Event()
        self._process: Process | None = None
        self._since_ns = 0
        self._launch: Launch | None = None
        self._group: asyncio.TaskGroup | None = None
        self._killing: asyncio.Task[None] | None = None
        self._probes: dict[ProbeKind, asyncio.Task[None]] = {}

    @property
    def running(self) -> tuple[int, int] | None:
        """The id of its process and since when (ns) it runs; None while none does."""
        return (self._process.pid, self._since_ns) if self._process is not None else None

    async def run(self) -> None:
        """Start the process, and again whenever it ends, as long as the restart policy wants that."""
        clock, backoff, finished_ns = self._tools.clock, Backoff(), 0
        while not self._stopping.is_set():
            wait_s = backoff.wait_s(finished_ns, clock.now_ns())
            if wait_s > 0:
                await self._back_off(backoff, wait_s)
                continue
            try:
                launch = self._prepare(self.spec)
            except CannotCreate as error:
                self.state.state = {"waiting": {"reason": error.reason, "message": str(error)}}
                self._tools.record(self.state.name, "Failed", f"Error: {error}", True)
                self._tools.changed()
                await self._stopping.wait()
                return
            if finished_ns:
                self.state.restarts += 1
                self.state.last_state = self._ended_state()
                backoff = backoff.started(finished_ns, clock.now_ns())
            code = await self._run_once(replace(launch, log=self._log(self.state.name, self.state.restarts)))
            finished_ns = clock.now_ns()
            policy = self._pod["spec"].get("restartPolicy", "Always")
            if policy == "Never" or (policy == "OnFailure" and code == 0):
                return

    def stop(self, grace_s: float) -> None:
        """End the container: SIGTERM, after the grace SIGKILL. A later call can only shorten the grace."""
        if self._stop_grace_s is not None and grace_s >= self._stop_grace_s:
            return
        self._stop_grace_s = grace_s
        self._stopping.set()
        # A pod that goes is no longer tested for life, but still for readiness: its endpoints' `serving` depends on it.
        for kind, probe in self._probes.items():
            if kind is not ProbeKind.READINESS:
                probe.cancel()
        self._kill(grace_s, f"Stopping container {self.state.name}")

    def _kill(self, grace_s: float, message: str) -> None:
        if self._process is None or self._group is None:
            return
        if self._killing is not None:
            self._killing.cancel()
        else:
            self._tools.record(self.state.name, "Killing", message, False)
        self._killing = self._group.create_task(self._terminate(self._process, grace_s))

    async def _terminate(self, process: Process, grace_s: float) -> None:
        hook = (self.spec.get("lifecycle") or {}).get("preStop")
        if hook and grace_s > 0:
            began_ns = self._tools.clock.now_ns()
            await self._pre_stop(hook, grace_s)
            grace_s -= (self._tools.clock.now_ns() - began_ns) / NS_PER_S
        process.terminate()
        await self._tools.clock.sleep(max(grace_s, MINIMUM_GRACE_S))
        process.kill()

    async def _pre_stop(self, hook: KubeObject, grace_s: float) -> None:
        if "sleep" in hook:
            await self._tools.clock.sleep(min(hook["sleep"]["seconds"], grace_s))
        elif "exec" in hook and self._launch is not None:
            launch = replace(self._launch, argv=hook["exec"]["command"], log=Path("/dev/null"))
            try:
                code = await run_command(self._tools.spawn, launch, grace_s)
            except OSError as error:
                code = error.errno
            if code != 0:
                self._tools.record(self.state.name, "FailedPreStopHook", "PreStopHook failed", True)
        else:
            message = "PreStopHook failed: the sandbox knows exec and sleep"
            self._tools.record(self.state.name, "FailedPreStopHook", message, True)

    async def _back_off(self, backoff: Backoff, wait_s: float) -> None:
        meta, name = self._pod["metadata"], self.state.name
        pod = f"{meta['name']}_{meta['namespace']}({meta['uid']})"
        message = f"back-off {_duration(backoff.delay_s)} restarting failed container={name} pod={pod}"
        self.state.last_state = self._ended_state()
        self.state.state = {"waiting": {"reason": "CrashLoopBackOff", "message": message}}
        self._tools.record(name, "BackOff", f"Back-off restarting failed container {name} in pod {pod}", True)
        self._tools.changed()
        stopping = asyncio.ensure_future(self._stopping.wait())
        waited = asyncio.ensure_future(self._tools.clock.sleep(wait_s))
        try:
            await asyncio.wait({stopping, waited}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            waited.cancel()
        if self._stopping.is_set():
            self.state.state = self.state.last_state

    async def _run_once(self, launch: Launch) -> int:
        """One life of the process, from start to end; its exit code."""
        tools, state = self._tools, self.state
        image = state.image
        tools.record(state.name, "Pulled", f'Container image "{image}" already present on machine', False)
        tools.record(state.name, "Created", f"Created container: {state.name}", False)
        started_ns = tools.clock.now_ns()
        try:
            process = tools.spawn(launch)
        except OSError as error:
            message = f"failed to start {launch.argv[0]!r}: {error.strerror}"
            tools.record(state.name, "Failed", f"Error: {message}", True)
            self._ended(START_ERROR_CODE, started_ns, reason="StartError", message=message)
            return START_ERROR_CODE
        tools.record(state.name, "Started", f"Started container {state.name}", False)
        state.container_id = f"process://{process.pid}-{started_ns:x}"
        state.state = {"running": {"startedAt": timestamp(started_ns)}}
        state.started = ProbeKind.STARTUP.field not in self.spec
        state.ready = state.started and ProbeKind.READINESS.field not in self.spec
        self._process, self._launch, self._killing = process, replace(launch, handed_down=()), None
        self._since_ns = started_ns
        if state.started:
            self._started.set()
        tools.changed()
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                self._probes = {
                    spec.kind: group.create_task(self._probe(spec, started_ns))
                    for spec in (ProbeSpec.of(self.spec, kind) for kind in ProbeKind)
                    if spec is not None
                }
                try:
                    code = await process.wait()
                finally:
                    # Cleared before the group winds up: whoever stops the container now finds no process to stop.
                    for task in (*self._probes.values(), self._killing):
                        if task is not None:
                            task.cancel()
                    self._process, self._group, self._probes = None, None, {}
                    self._started.clear()
        finally:
            # Also on the way out of a cancelled task: nothing that was started here may outlive it.
            process.kill()
            await process.wait()
        self._ended(code, started_ns)
        return code

    async def _probe(self, spec: ProbeSpec, started_ns: int) -> None:
        """Make one kind of probe for as long as the process lives."""
        clock, state = self._tools.clock, ProbeState()
        if spec.kind is not ProbeKind.STARTUP:
            await self._started.wait()
        passed_s = (clock.now_ns() - started_ns) / NS_PER_S
        due_s = spec.first_due_s()
        while spec.kind is ProbeKind.LIVENESS and due_s < passed_s:
            due_s += spec.period_s
        await clock.sleep(max(0.0, due_s - passed_s))
        while True:
            began_ns = clock.now_ns()
            assert self._launch is not None
            outcome = await self._tools.prober.probe(spec, self.spec, self._pod_ip, self._launch)
            if not outcome.success:
                message = f"{spec.kind} probe failed: {outcome.output}"
                self._tools.record(self.state.name, "Unhealthy", message, True)
            state = state.observe(outcome.success, spec)
            if state.verdict is not None and not self._judge(spec, state.verdict):
                return
            took_s = (clock.now_ns() - began_ns) / NS_PER_S
            await clock.sleep(spec.period_s - took_s % spec.period_s)

    def _judge(self, spec: ProbeSpec, verdict: bool) -> bool:
        """Let a probe's verdict take effect; whether to go on probing."""
        if spec.kind is ProbeKind.READINESS:
            if self.state.ready is not verdict:
                self.state.ready = verdict
                self._tools.changed()
            return True
        if not verdict:
            grace_s = spec.grace_s if spec.grace_s is not None else self._pod["spec"]["terminationGracePeriodSeconds"]
            message = f"Container {self.state.name} failed {spec.kind.lower()} probe, will be restarted"
            self._kill(float(grace_s), message)
            return False
        if spec.kind is ProbeKind.STARTUP:
            self.state.started = True
            self.state.ready = ProbeKind.READINESS.field not in self.spec
            self._started.set()
            self._tools.changed()
            return False
        return True

    def _ended(self, code: int, started_ns: int, *, reason: str = "", message: str = "") -> None:
        finished_ns = self._tools.clock.now_ns()
        ended = {
            "exitCode": code,
            "reason": reason or ("Completed" if code == 0 else "Error"),
            "startedAt": timestamp(started_ns),
            "finishedAt": timestamp(finished_ns),
        }
        if message:
            ended["message"] = message
        if self.state.container_id and not reason:
            ended["containerID"] = self.state.container_id
        self.state.state = {"terminated": ended}
        self.state.ready = self.state.started = False
        self._tools.changed()

    def _ended_state(self) -> KubeObject:
        return self.state.state if "terminated" in self.state.state else self.state.last_state


def _duration(seconds: int) -> str:
    """Seconds as Go prints a duration: 10s, 1m20s, 5m0s."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
