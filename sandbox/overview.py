"""`sandbox status`: what runs, what is ready, and what it uses."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from sandbox.client import ApiError
from sandbox.network import Network
from sandbox.readiness import PodState, Readiness, connected, look
from sandbox.remains import members, supervisor_of
from sandbox.state import State


@dataclass(frozen=True)
class ProcessUse:
    """One process, what it is there for, and its memory (PSS)."""

    pid: int
    what: str
    memory_bytes: int


@dataclass(frozen=True)
class Overview:
    """A sandbox at one moment. `trouble` says in a line what is wrong, empty where all is well."""

    trouble: str
    manner: str = ""
    network: str = ""
    entry: str = ""
    kubeconfig: str = ""
    uptime_s: float = 0.0
    memory_bytes: int = 0
    pods: tuple[PodState, ...] = ()
    processes: tuple[ProcessUse, ...] = ()


def overview(state: State) -> Overview:
    """Look at everything that belongs to a state directory."""
    record = state.record()
    if record is None:
        return Overview("no sandbox runs")
    processes = tuple(ProcessUse(member.process.pid, member.what, member.memory_bytes) for member in members(state))
    pods: tuple[PodState, ...] = ()
    trouble = state.failure()
    if not trouble and supervisor_of(state) is None:
        trouble = "the supervisor was killed; `gameday sandbox down` cleans up"
    if not trouble:
        try:
            seen = asyncio.run(_look(state))
            pods = seen.pods
            if seen.missing:
                trouble = f"not ready: {', '.join(seen.missing)}"
        except ApiError as error:
            trouble = f"an API server does not answer ({error.message})"
    return Overview(
        trouble=trouble,
        manner=record.manner,
        network=record.network,
        entry=f"http://{Network(record.network).entry}",
        kubeconfig=str(state.kubeconfig),
        uptime_s=round((time.time_ns() - record.started_ns) / 1e9, 1),
        memory_bytes=sum(process.memory_bytes for process in processes),
        pods=pods,
        processes=processes,
    )


async def _look(state: State) -> Readiness:
    async with connected(state) as clients:
        return await look(clients)
