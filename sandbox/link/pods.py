"""The node agent's end: which faults each pod of a region has, and whether its processes have put them in force.

As in a pod's network namespace they outlive the container: a process that is started anew gets them from the start.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field

from sandbox.link.channel import ADDRESS, FILE
from sandbox.link.fault import Fault, encode

PATIENCE_S = 2.0


class NotImposed(Exception):
    """Faults that a pod has not been shown to be under; the message says why."""


class Channel:
    """The agent's end of the channel to one process."""

    def __init__(self, ours: socket.socket) -> None:
        self.speaks = False
        """Whether the process has ever answered: one that knows nothing of links never does."""
        self.addresses: set[str] = set()
        self.closed = False
        self._socket = ours
        self._loop = asyncio.get_running_loop()
        self._received = b""
        self._applied = 0
        self._news = asyncio.Event()
        ours.setblocking(False)
        self._loop.add_reader(ours, self._read)

    def say(self, number: int, faults: Sequence[Fault]) -> None:
        """Tell the process what is wrong from now on."""
        if not self.closed:
            try:
                self._socket.sendall(f"{number} {encode(faults)}\n".encode())
            except OSError:
                self.close()  # gone, or so stuck that it has not read 200 kB

    def in_force(self, number: int) -> bool:
        """Whether the process runs and has confirmed that."""
        return self._applied >= number and not self.closed

    async def applied(self, number: int) -> None:
        """Wait until that is in force, or the process has ended."""
        while self._applied < number and not self.closed:
            self._news.clear()
            await self._news.wait()

    def close(self) -> None:
        """Let the process go."""
        if not self.closed:
            self.closed = True
            self._loop.remove_reader(self._socket)
            self._socket.close()
            self._news.set()

    def _read(self) -> None:
        try:
            received = self._socket.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            received = b""
        if not received:
            self.close()
            return
        *lines, self._received = (self._received + received).split(b"\n")
        for line in lines:
            number, _, addresses = line.partition(b" ")
            self.speaks = True
            self._applied = max(self._applied, int(number))
            self.addresses = set(json.loads(addresses))
        self._news.set()


@dataclass
class PodLink:
    """What is known of one pod's link."""

    faults: dict[str, tuple[Fault, ...]] = field(default_factory=dict)
    """By whoever wants them."""
    channels: dict[str, Channel] = field(default_factory=dict)
    """By container."""
    number: int = 0

    def all(self) -> list[Fault]:
        """Every fault, in the order in which they came."""
        return [fault for faults in self.faults.values() for fault in faults]


class PodLinks:
    """The links of the pods of one region, by the pod's UID."""

    def __init__(self) -> None:
        self._pods: dict[str, PodLink] = {}

    def open(self, uid: str, container: str, address: str) -> tuple[socket.socket, dict[str, str]]:
        """Make the channel for a container's process that is about to start: its end, and what its environment says."""
        pod = self._pods.setdefault(uid, PodLink())
        ours, theirs = socket.socketpair()
        if container in pod.channels:
            pod.channels[container].close()
        channel = pod.channels[container] = Channel(ours)
        if pod.faults:
            channel.say(pod.number, pod.all())
        return theirs, {FILE: str(theirs.fileno()), ADDRESS: address}

    def forget(self, uid: str) -> None:
        """The pod is gone."""
        pod = self._pods.pop(uid, PodLink())
        for channel in pod.channels.values():
            channel.close()

    def addresses(self, uid: str) -> set[str]:
        """Where the pod takes connections, besides the address that its status shows."""
        pod = self._pods.get(uid, PodLink())
        return {address for channel in pod.channels.values() for address in channel.addresses}

    async def impose(self, uid: str, source: str, faults: Sequence[Fault]) -> None:
        """Put a pod under these faults in place of those that `source` wanted before; none lifts them.

        Returns once every process of the pod has them in force; raises NotImposed where one doesn't or there is none.
        That they are lifted need not be confirmed by a process that has ended, nor by one that has yet to speak: it
        reads the faults and that they are lifted in one go.
        """
        pod = self._pods.get(uid)
        if pod is None:
            if faults:
                raise NotImposed("no process of the pod runs")
            return
        running = {name: each for name, each in pod.channels.items() if not each.closed}
        mute = [name for name, each in running.items() if not each.speaks]
        if faults and not running:
            raise NotImposed("no process of the pod runs")
        if faults and mute:
            why = "runs a program that the sandbox can't slow down, or one that has only just started"
            raise NotImposed(f"container {', '.join(mute)} {why}")
        without = await self._tell(pod, source, faults)
        if faults and without:
            await self._tell(pod, source, ())
            raise NotImposed(f"container {', '.join(without)} has ended or does not answer")
        stuck = [name for name, each in without.items() if not each.closed]
        if stuck:
            raise NotImposed(f"container {', '.join(stuck)} does not answer")

    async def _tell(self, pod: PodLink, source: str, faults: Sequence[Fault]) -> dict[str, Channel]:
        """Say it to every process; returns those that have ever spoken and don't confirm it, by container."""
        pod.faults.pop(source, None)
        if faults:
            pod.faults[source] = tuple(faults)
        pod.number += 1
        number, told = pod.number, {name: each for name, each in pod.channels.items() if not each.closed}
        for channel in told.values():
            channel.say(number, pod.all())
        asked = {name: each for name, each in told.items() if each.speaks}
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                for channel in asked.values():
                    await channel.applied(number)
        return {name: each for name, each in asked.items() if not each.in_force(number)}
