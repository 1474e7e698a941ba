"""The end of the channel to the node agent that is in the pod's process.

The agent hands it down as an open file. It says once a line what is wrong with the network, as `NUMBER FAULTS`, and is
answered `NUMBER ADDRESSES` once that is in force: the addresses at which the process takes connections. When the agent
is gone, nothing is wrong any more.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import socket
import threading
from collections.abc import Mapping

from sandbox.link import sockets
from sandbox.link.fault import decode
from sandbox.link.link import Link

FILE = "LINK_FILE"
ADDRESS = "LINK_ADDRESS"
PATIENCE_S = 2.0
"""How long the end of the process waits for what is still to be sent: the kernel would send it, so this does."""


def join(environment: Mapping[str, str]) -> None:
    """Send through a link from now on, where the environment has one. Call it before any socket is made."""
    if FILE not in environment:
        return
    link = Link()
    socket_to_agent = socket.socket(fileno=int(environment[FILE]))
    socket_to_agent.set_inheritable(False)
    agent = Agent(socket_to_agent, link)
    sockets.install(link, environment[ADDRESS], agent.tell_address)
    threading.Thread(target=agent.obey, name="link channel", daemon=True).start()
    atexit.register(link.drain, PATIENCE_S)


class Agent:
    """The node agent as the pod's process knows it."""

    def __init__(self, channel: socket.socket, link: Link) -> None:
        self._channel = channel
        self._link = link
        self._addresses: set[str] = set()
        self._in_force = 0
        self._saying = threading.Lock()

    def obey(self) -> None:
        """Put in force what the agent says until it is gone."""
        with self._channel, self._channel.makefile("r", encoding="utf-8") as lines:
            self._answer()
            for line in lines:
                number, _, faults = line.partition(" ")
                self._link.impose(decode(faults))
                self._in_force = int(number)
                self._answer()
        self._link.impose(())

    def tell_address(self, address: str) -> None:
        """The process takes connections there from now on."""
        self._addresses.add(address)
        self._answer()

    def _answer(self) -> None:
        # An agent that is gone takes no answer: `obey` sees the end of the channel by itself.
        with self._saying, contextlib.suppress(OSError):
            self._channel.sendall(f"{self._in_force} {json.dumps(sorted(self._addresses))}\n".encode())
