"""What is ready in a sandbox and what isn't yet."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import aiohttp

from sandbox import kubeconfig
from sandbox.client import DEPLOYMENTS, PODS, SERVICES, ApiClient, KubeObject
from sandbox.network import NAMESPACE, Address
from sandbox.objects import is_active, is_ready
from sandbox.state import State
from sandbox.traffic.backends import is_entry

CONNECT_TIMEOUT_S = 0.5


@dataclass(frozen=True)
class PodState:
    """One pod: whether Kubernetes calls it ready, and whether it can be connected to."""

    region: str
    name: str
    ready: bool
    listens: bool

    @property
    def up(self) -> bool:
        """Ready in both senses; without a readiness probe the first says nothing."""
        return self.ready and self.listens


@dataclass(frozen=True)
class Readiness:
    """The pods that there are, how many the Deployments want, and what isn't ready, in words."""

    pods: tuple[PodState, ...]
    missing: tuple[str, ...]
    wanted: int

    @property
    def up(self) -> int:
        """How many pods serve."""
        return sum(pod.up for pod in self.pods)


@contextlib.asynccontextmanager
async def connected(state: State) -> AsyncIterator[dict[str, ApiClient]]:
    """A client for each region, by the kubeconfig in the state directory."""
    async with contextlib.AsyncExitStack() as stack:
        yield {
            region: await stack.enter_async_context(
                ApiClient(access.server, access.token, access.ca_file, ca_pem=access.ca_pem)
            )
            for region, access in kubeconfig.load(state.kubeconfig).items()
        }


async def look(clients: Mapping[str, ApiClient]) -> Readiness:
    """Look at every region."""
    regions = await asyncio.gather(*(_look(region, client) for region, client in clients.items()))
    return Readiness(
        pods=tuple(pod for each in regions for pod in each.pods),
        missing=tuple(what for each in regions for what in each.missing),
        wanted=sum(each.wanted for each in regions),
    )


async def _look(region: str, client: ApiClient) -> Readiness:
    deployments = (await client.list(DEPLOYMENTS, NAMESPACE))["items"]
    services = (await client.list(SERVICES, NAMESPACE))["items"]
    active = [pod for pod in (await client.list(PODS, NAMESPACE))["items"] if is_active(pod)]
    pods = [PodState(region, pod["metadata"]["name"], is_ready(pod), await _listens(pod)) for pod in active]
    wanted = sum(deployment["spec"]["replicas"] for deployment in deployments)
    missing = [f"{pod.name} in {region}" for pod in pods if not pod.up]
    if len(pods) < wanted:
        missing.append(f"{wanted - len(pods)} pods in {region}, not created")
    for service in services:
        if not await _is_served(service):
            missing.append(f"Service {service['metadata']['name']} in {region}")
    return Readiness(tuple(pods), tuple(missing), wanted)


async def _is_served(service: KubeObject) -> bool:
    ports = [Address(service["spec"]["clusterIP"], port["port"]) for port in service["spec"]["ports"]]
    return is_entry(service) or all([await _connects(port) for port in ports])


async def _listens(pod: KubeObject) -> bool:
    host = pod.get("status", {}).get("podIP")
    ports = [port["containerPort"] for each in pod["spec"]["containers"] for port in each.get("ports") or []]
    if not host:
        return False
    return all([await _connects(Address(host, port)) for port in ports])


async def _connects(address: Address) -> bool:
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            _, writer = await asyncio.open_connection(address.host, address.port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


async def answers(url: str) -> bool:
    """Whether a GET is answered with 200."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session,
            session.get(url) as response,
        ):
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False
