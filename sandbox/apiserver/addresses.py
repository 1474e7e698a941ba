"""The ClusterIPs of a region."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network


class AddressPool:
    """Hands out the addresses of a network in turn, so that one just given back is not at once another service's."""

    def __init__(self, network: IPv4Network) -> None:
        self.network = network
        self._hosts = network.num_addresses - 2
        self._next = 0

    def allocate(self, taken: Collection[str]) -> str | None:
        """Return the next address that is not in `taken`, None where all are."""
        for step in range(self._hosts):
            offset = (self._next + step) % self._hosts
            address = str(self.network.network_address + 1 + offset)
            if address not in taken:
                self._next = offset + 1
                return address
        return None

    def refusal(self, asked: str, taken: Collection[str]) -> str | None:
        """Return why an address that was asked for can't be had, None if it can."""
        try:
            address = IPv4Address(asked)
        except ValueError:
            return "must be a valid IP address"
        if address not in self.network:
            return f"failed to allocate IP {asked}: the provided network does not match the current range"
        return f"failed to allocate IP {asked}: provided IP is already allocated" if asked in taken else None
