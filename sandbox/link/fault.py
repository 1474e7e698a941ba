"""What is wrong with the network that a pod sends into."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Fault:
    """One fault of what a pod sends. Probabilities and correlations from 0 to 1.

    `cut`: nothing arrives. `towards`: IPv4 addresses and CIDRs; only what is sent there is concerned, none means all.
    """

    latency_ns: int = 0
    jitter_ns: int = 0
    latency_correlation: float = 0.0
    loss: float = 0.0
    loss_correlation: float = 0.0
    cut: bool = False
    towards: tuple[str, ...] = ()

    def reaches(self, host: str) -> bool:
        """Whether it concerns what is sent to this IPv4 address."""
        return not self.towards or any(_contains(network, host) for network in self.towards)


def encode(faults: Sequence[Fault]) -> str:
    """Faults as one line."""
    return json.dumps([asdict(each) for each in faults])


def decode(text: str) -> tuple[Fault, ...]:
    """The faults of such a line."""
    return tuple(Fault(**{**each, "towards": tuple(each["towards"])}) for each in json.loads(text))


def _contains(network: str, host: str) -> bool:
    # Not `ipaddress`: 21 processes would pay for importing it.
    address, _, length = network.partition("/")
    shift = 32 - int(length or 32)
    return _number(address) >> shift == _number(host) >> shift


def _number(address: str) -> int:
    return int.from_bytes(socket.inet_aton(address), "big")
