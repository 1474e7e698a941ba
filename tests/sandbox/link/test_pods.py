"""Both ends of the channel: the agent's here, the other in a process of its own, as in a pod."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sandbox.link import pods
from sandbox.link.fault import Fault, decode
from sandbox.link.pods import NotImposed, PodLinks

ROOT = Path(__file__).parents[3]
HERE = "127.92.240.3"
# Says in one byte whether the link is quiet, whenever it is asked.
PROGRAM = f"""
import os, socket, sys
from sandbox.link import channel, sockets
channel.join(os.environ)
listener = socket.create_server(("{HERE}", 0))
for line in sys.stdin:
    print(sockets.LinkSocket.link.quiet, flush=True)
"""
LATE = Fault(latency_ns=1_000_000_000)


class Pod:
    """A process behind a link."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def line(self) -> str:
        """The next line that it prints."""
        assert self._process.stdout is not None
        return (await self._process.stdout.readline()).decode().strip()

    def send_signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    async def stop(self) -> None:
        """Stop it, and wait until its last thread has: until then it may still confirm."""
        self._process.send_signal(signal.SIGSTOP)
        await asyncio.to_thread(os.waitid, os.P_PID, self._process.pid, os.WSTOPPED)

    async def is_quiet(self) -> bool:
        assert self._process.stdin is not None
        self._process.stdin.write(b"?\n")
        return await self.line() == "True"


@asynccontextmanager
async def pod(links: PodLinks, uid: str = "uid", *, program: str = PROGRAM) -> AsyncIterator[Pod]:
    theirs, named = links.open(uid, "app", HERE)
    with theirs:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, cwd=ROOT, env={**os.environ, **named}, pass_fds=[theirs.fileno()],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
    try:
        yield Pod(process)
    finally:
        with contextlib.suppress(ProcessLookupError):  # it may have ended by itself
            process.kill()
        await process.communicate()
        links.forget(uid)


async def spoken(links: PodLinks, uid: str = "uid") -> None:
    """Wait until the process has said where it listens."""
    async with asyncio.timeout(20):
        while not links.addresses(uid):
            await asyncio.sleep(0.01)


async def test_a_fault_is_in_force_once_imposing_it_returns_and_gone_once_lifting_does() -> None:
    links = PodLinks()
    async with pod(links) as running:
        await spoken(links)
        assert links.addresses("uid") == {HERE}
        assert await running.is_quiet()
        await links.impose("uid", "tars/slow", [LATE])
        assert not await running.is_quiet()
        await links.impose("uid", "tars/slow", [])
        assert await running.is_quiet()


async def test_two_experiments_on_one_pod_do_not_lift_each_other_s_faults() -> None:
    links = PodLinks()
    async with pod(links) as running:
        await spoken(links)
        await links.impose("uid", "tars/one", [LATE])
        await links.impose("uid", "tars/two", [LATE])
        await links.impose("uid", "tars/one", [])
        assert not await running.is_quiet()


async def test_a_process_that_is_started_anew_is_under_the_pod_s_faults_from_the_start() -> None:
    links = PodLinks()
    async with pod(links) as first:
        await spoken(links)
        await links.impose("uid", "tars/slow", [LATE])
        assert not await first.is_quiet()
        async with pod(links) as second:
            await spoken(links)
            async with asyncio.timeout(10):
                while await second.is_quiet():
                    await asyncio.sleep(0.01)


async def test_a_process_that_is_only_starting_when_a_fault_is_lifted_is_told_so_too() -> None:
    links = PodLinks()
    async with pod(links):
        await spoken(links)
        await links.impose("uid", "tars/slow", [LATE])
        theirs, _ = links.open("uid", "app", HERE)
        with theirs:
            await links.impose("uid", "tars/slow", [])
            said = theirs.recv(65536).decode().splitlines()
    assert [decode(line.partition(" ")[2]) for line in said] == [(LATE,), ()]


async def test_a_process_that_does_not_confirm_is_not_said_to_be_rid_of_a_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    links = PodLinks()
    async with pod(links) as running:
        await spoken(links)
        await links.impose("uid", "tars/slow", [LATE])
        await running.stop()
        monkeypatch.setattr(pods, "PATIENCE_S", 0.2)
        with pytest.raises(NotImposed, match="container app does not answer"):
            await links.impose("uid", "tars/slow", [])
        running.send_signal(signal.SIGCONT)
        monkeypatch.setattr(pods, "PATIENCE_S", 20)
        await links.impose("uid", "tars/slow", [])
        assert await running.is_quiet()


async def test_a_process_that_ends_before_it_confirms_has_taken_the_fault_with_it() -> None:
    links = PodLinks()
    async with pod(links) as running:
        await spoken(links)
        await links.impose("uid", "tars/slow", [LATE])
        await running.stop()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(links.impose("uid", "tars/slow", []))
            await asyncio.sleep(0)  # it is said, and waited for
            running.send_signal(signal.SIGKILL)


async def test_with_the_agent_goes_what_it_imposed() -> None:
    links = PodLinks()
    async with pod(links) as running:
        await spoken(links)
        await links.impose("uid", "tars/slow", [LATE])
        links.forget("uid")
        async with asyncio.timeout(10):
            while not await running.is_quiet():
                await asyncio.sleep(0.01)


async def test_a_program_that_knows_nothing_of_links_is_never_said_to_be_slow() -> None:
    links = PodLinks()
    async with pod(links, program="import sys; sys.stdin.read()"):
        with pytest.raises(NotImposed, match="container app runs a program that the sandbox can't slow down"):
            await links.impose("uid", "tars/slow", [LATE])
        await links.impose("uid", "tars/slow", [])


async def test_a_process_that_does_not_confirm_is_not_said_to_be_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pods, "PATIENCE_S", 0.2)
    says_once = "import os, socket, sys; s = socket.socket(fileno=int(os.environ['LINK_FILE'])); "
    says_once += f"s.sendall(b'0 [\"{HERE}\"]\\n'); sys.stdin.read()"
    links = PodLinks()
    async with pod(links, program=says_once):
        await spoken(links)
        with pytest.raises(NotImposed, match="has ended or does not answer"):
            await links.impose("uid", "tars/slow", [LATE])


async def test_a_pod_without_a_process_cannot_be_slowed_down_but_has_recovered() -> None:
    links = PodLinks()
    with pytest.raises(NotImposed, match="no process of the pod runs"):
        await links.impose("uid", "tars/slow", [LATE])
    await links.impose("uid", "tars/slow", [])
    assert links.addresses("uid") == set()


async def test_a_process_that_ends_by_itself_has_sent_what_it_said_last() -> None:
    """In a pod the kernel would send it."""
    says_and_ends = f"""
import os, socket
from sandbox.link import channel
channel.join(os.environ)
listener = socket.create_server(("{HERE}", 0))
print(listener.getsockname()[1], flush=True)
connection, _ = listener.accept()
connection.recv(1)
connection.sendall(b"goodbye")
"""
    links = PodLinks()
    async with pod(links, program=says_and_ends) as running:
        await spoken(links)
        await links.impose("uid", "tars/slow", [Fault(latency_ns=100_000_000)])
        reader, writer = await asyncio.open_connection(HERE, int(await running.line()))
        writer.write(b"?")
        async with asyncio.timeout(10):
            assert await reader.read() == b"goodbye"
        writer.close()
