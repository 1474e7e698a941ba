"""Pod addresses of a node: each pod its own, and none handed out again soon."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

from sandbox.errors import SandboxBroken


class PodAddresses:
    """Walks round the pod network, so that an address rests as long as possible before its next use.

    A client that still holds a dead pod's address must meet a refused connection, not a stranger.
    """

    def __init__(self, network: IPv4Network) -> None:
        self._network = network
        self._used: set[int] = set()
        self._last = 0

    def take(self) -> str:
        """The next free address; raises `SandboxBroken` where all are in use."""
        # The first and the last address name the network and its broadcast.
        usable = self._network.num_addresses - 2
        for step in range(usable):
            number = (self._last + step) % usable + 1
            if number not in self._used:
                self._used.add(number)
                self._last = number
                return str(self._network[number])
        raise SandboxBroken(f"all {usable} pod addresses are in use", where=str(self._network), do="delete some pods")

    def give_back(self, address: str) -> None:
        """The pod is gone."""
        self._used.discard(int(IPv4Address(address)) - int(self._network.network_address))
