"""The address plan of a sandbox: one loopback /16 (127.N), everything else follows from it. Pure, no sockets.

Region r of `REGIONS` (counted from 1) owns

    127.N.r.1:6443          API server
    127.N.r.2:10250         node agent
    127.N.r.3:9090          Prometheus, where it is installed
    127.N.r.11 to .13:8097  seats of the reference service's Raft
    127.N.(32 r).0/20       pods
    127.N.(32 r + 16).0/20  services (ClusterIPs)

and 127.N.0.1 belongs to no region: the global entry and Envoy's admin page. Two sandboxes with different N never
meet, which is how tests run side by side. Linux answers on all of 127.0.0.0/8 without any set-up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Network

from sandbox.errors import BadNetwork

REGIONS = ("us-east-1", "us-west-2", "eu-central-1")
NAMESPACE = "tars"
API_PORT = 6443
AGENT_PORT = 10250
PROMETHEUS_PORT = 9090
ENTRY_PORT = 8080
ADMIN_PORT = 9901
SEAT_PORT = 8097
SEATS = range(11, 14)
DEFAULT_PREFIX = "127.64"


@dataclass(frozen=True)
class Address:
    """An IPv4 host and TCP port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Region:
    """One region's share of the network."""

    name: str
    api: Address
    agent: Address
    prometheus: Address
    seats: tuple[Address, ...]
    pods: IPv4Network
    services: IPv4Network

    @property
    def node_name(self) -> str:
        """The name of the region's only node."""
        return f"{self.name}-node-1"

    @property
    def api_url(self) -> str:
        """Base URL of the region's API server."""
        return f"https://{self.api}"


@dataclass(frozen=True)
class Network:
    """The address plan below one prefix `127.N`, with N from 1 to 255 (127.0 belongs to the host itself)."""

    prefix: str = DEFAULT_PREFIX

    def __post_init__(self) -> None:
        match = re.fullmatch(r"127\.(\d{1,3})", self.prefix)
        if match is None or not 1 <= int(match[1]) <= 255 or match[1] != str(int(match[1])):
            raise BadNetwork(
                f"{self.prefix!r} is not a network prefix of a sandbox", do="give 127.N with N from 1 to 255"
            )

    @cached_property
    def regions(self) -> tuple[Region, ...]:
        """All regions, in the order of `REGIONS`."""
        return tuple(self._region(name, number) for number, name in enumerate(REGIONS, start=1))

    def region(self, name: str) -> Region:
        """The region of that name; KeyError where there is none."""
        return {region.name: region for region in self.regions}[name]

    @property
    def entry(self) -> Address:
        """The one address that serves all regions."""
        return Address(f"{self.prefix}.0.1", ENTRY_PORT)

    @property
    def prometheus(self) -> str:
        """Where each region's Prometheus is, as gameday reads it: `us-east-1=http://127.64.1.3:9090 ...`."""
        return " ".join(f"{region.name}=http://{region.prometheus}" for region in self.regions)

    @property
    def envoy_admin(self) -> Address:
        """Where Envoy answers questions about itself."""
        return Address(f"{self.prefix}.0.1", ADMIN_PORT)

    def _region(self, name: str, number: int) -> Region:
        return Region(
            name=name,
            api=Address(f"{self.prefix}.{number}.1", API_PORT),
            agent=Address(f"{self.prefix}.{number}.2", AGENT_PORT),
            prometheus=Address(f"{self.prefix}.{number}.3", PROMETHEUS_PORT),
            seats=tuple(Address(f"{self.prefix}.{number}.{seat}", SEAT_PORT) for seat in SEATS),
            pods=IPv4Network(f"{self.prefix}.{32 * number}.0/20"),
            services=IPv4Network(f"{self.prefix}.{32 * number + 16}.0/20"),
        )
