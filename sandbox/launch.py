"""`sandbox up`: from nothing, or from the remains of a dead sandbox, to every pod ready in three regions."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from sandbox.apiserver.ports import holder_of
from sandbox.client import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    HORIZONTAL_POD_AUTOSCALERS,
    NAMESPACES,
    SECRETS,
    SERVICES,
    ApiClient,
    Conflict,
    KubeObject,
    Unreachable,
)
from sandbox.credentials import write_credentials
from sandbox.errors import AddressInUse, AlreadyRunning, SandboxBroken
from sandbox.manners import manifests
from sandbox.network import Address, Network
from sandbox.periods import Periods
from sandbox.readiness import answers, connected, look
from sandbox.remains import is_alive, supervisor_of, sweep
from sandbox.state import MARKER, Record, State

RESOURCES = {
    each.kind: each for each in (NAMESPACES, CONFIG_MAPS, SECRETS, DEPLOYMENTS, SERVICES, HORIZONTAL_POD_AUTOSCALERS)
}
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
POLL_S = 0.1
ENDING_S = 5.0
"""How long an address may be held by a process that can't be seen before it is called taken."""

Progress = Callable[[str], None]
"""Told in a few words what is being waited for, each time that changes."""


@dataclass(frozen=True)
class Plan:
    """What is wanted: where, on which addresses, in which manner, how long to wait for it, and how it is tuned."""

    state: State
    network: Network
    manner: str
    timeout_s: float
    prometheus: Path | None = None
    """The program, to have one too for each region."""
    periods: Periods = field(default_factory=Periods)


def launch(plan: Plan, progress: Progress) -> bool:
    """Bring the sandbox up and wait until it serves; False where the same one runs already.

    Raises `AlreadyRunning` where another one runs in this directory, `AddressInUse`, and `SandboxBroken` where it fails
    or isn't ready in time; in the last case it is left as it is, to be looked at.
    """
    running = supervisor_of(plan.state)
    if running is not None:
        _refuse_another(plan)
        # Whatever an `up` that was killed has not created yet is created now.
        asyncio.run(_fill(plan, running, progress))
        return False
    progress("starting")
    plan.state.refuse_foreign()
    sweep(plan.state)
    _refuse_taken_addresses(plan.network)
    plan.state.create()
    write_credentials(plan.state, plan.network)
    supervisor = _start_supervisor(plan)
    with_prometheus = plan.prometheus is not None
    plan.state.write_record(
        Record(plan.manner, plan.network.prefix, supervisor.pid, time.time_ns(), with_prometheus, plan.periods)
    )
    asyncio.run(_fill(plan, psutil.Process(supervisor.pid), progress))
    return True


def _refuse_another(plan: Plan) -> None:
    record = plan.state.record()
    wanted = (plan.manner, plan.network.prefix, plan.periods)
    if record and (record.manner, record.network, record.periods) != wanted:
        tuned = "" if record.periods == plan.periods else ", with other periods of the autoscaler"
        raise AlreadyRunning(
            f"a {record.manner} sandbox runs already on {record.network}{tuned}",
            where=str(plan.state.root),
            do="run `gameday sandbox down` first, or give another --state and --network",
        )


def _refuse_taken_addresses(network: Network) -> None:
    deadline_s = time.monotonic() + ENDING_S
    regional = [address for region in network.regions for address in (region.api, region.agent, region.prometheus)]
    for address in (network.entry, network.envoy_admin, *regional):
        while (error := _taken(address)) is not None:
            holder = holder_of(address.host, address.port)
            # A process that is just ending shows neither its mark nor its sockets, and holds them a little longer.
            if not holder and time.monotonic() < deadline_s:
                time.sleep(POLL_S)
                continue
            raise AddressInUse(
                f"the address is held by {holder or 'a process that can not be seen'}",
                where=str(address),
                do="stop that, or choose other addresses with --network 127.N",
            ) from error


def _taken(address: Address) -> OSError | None:
    with socket.socket() as probe:
        # As servers do: an earlier sandbox's closed connections must not look like a listener.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
        except OSError as error:
            return error
    return None


def _start_supervisor(plan: Plan) -> subprocess.Popen[bytes]:
    import_path = [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ,
        MARKER: str(plan.state.root),
        # Its directory isn't ours, so what was importable by the current directory has to be told.
        "PYTHONPATH": os.pathsep.join(filter(None, import_path)),
    }
    command = [sys.executable, "-m", "sandbox.supervisor"]
    command += [] if plan.prometheus is None else ["--prometheus", str(plan.prometheus)]
    with (plan.state.logs / "supervisor.log").open("ab") as log:
        return subprocess.Popen(
            [*command, "--state", str(plan.state.root), "--network", plan.network.prefix, *plan.periods.arguments()],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=environment,
            start_new_session=True,
        )


async def _fill(plan: Plan, supervisor: psutil.Process, progress: Progress) -> None:
    deadline_s = time.monotonic() + plan.timeout_s
    async with connected(plan.state) as clients:
        for client in clients.values():
            for obj in manifests(plan.manner):
                while not await _created(client, obj):
                    _check(plan, supervisor, deadline_s, "the API servers do not answer")
                    await asyncio.sleep(POLL_S)
        await _until_ready(plan, clients, supervisor, deadline_s, progress)


async def _created(client: ApiClient, obj: KubeObject) -> bool:
    # As `kubectl apply` leaves it, so that a later `kubectl apply` of another manner finds what to remove.
    annotations = {**(obj["metadata"].get("annotations") or {}), LAST_APPLIED: json.dumps(obj)}
    try:
        await client.create(
            RESOURCES[obj["kind"]], {**obj, "metadata": {**obj["metadata"], "annotations": annotations}}
        )
    except Unreachable:
        return False
    except Conflict:
        # It is there already: by an earlier `up`, or by a try whose answer was lost.
        return True
    return True


async def _until_ready(
    plan: Plan, clients: Mapping[str, ApiClient], supervisor: psutil.Process, deadline_s: float, progress: Progress
) -> None:
    while True:
        try:
            seen = await look(clients)
            progress(f"{seen.up} of {seen.wanted} pods ready")
            missing = list(seen.missing)
        except Unreachable as error:
            missing = [f"an API server ({error.message})"]
        if not missing and not await answers(f"http://{plan.network.entry}/health"):
            missing = [f"the entry http://{plan.network.entry}"]
        for region in plan.network.regions if plan.prometheus and not missing else ():
            if not await answers(f"http://{region.prometheus}/-/ready"):
                missing = [f"Prometheus in {region.name}"]
        if not missing:
            return
        more = " and more" if len(missing) > 5 else ""
        _check(plan, supervisor, deadline_s, f"not ready: {', '.join(missing[:5])}{more}")
        await asyncio.sleep(POLL_S)


def _check(plan: Plan, supervisor: psutil.Process, deadline_s: float, missing: str) -> None:
    if not is_alive(supervisor):
        why = plan.state.failure() or "the supervisor ended"
        raise SandboxBroken(why, where=str(plan.state.logs), do="then run `gameday sandbox up` again")
    if time.monotonic() > deadline_s:
        raise SandboxBroken(
            f"{missing} after {plan.timeout_s:g} s",
            where=str(plan.state.root),
            do=f"see the pods' logs in {plan.state.pods} and the parts' in {plan.state.logs}, "
            "then run `gameday sandbox down`",
        )
