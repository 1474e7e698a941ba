"""What is ready in a sandbox and what isn't yet."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import aiohttp

from sandbox import kubeconfig
from sandbox.client import PODS, SERVICES, ApiClient, KubeObject
from sandbox.network import NAMESPACE, Address
from sandbox.objects import is_ready
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


async def pod_states(clients: Mapping[str, ApiClient]) -> list[PodState]:
    """All pods of the reference service, region by region."""
    return [state for region, client in clients.items() for state in await _of_region(region, client)]


async def _of_region(region: str, client: ApiClient) -> list[PodState]:
    pods = (await client.list(PODS, NAMESPACE))["items"]
    listening = await asyncio.gather(*(_listens(pod) for pod in pods))
    return [
        PodState(region, pod["metadata"]["name"], is_ready(pod), listens)
        for pod, listens in zip(pods, listening, strict=True)
    ]


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


async def unserved(clients: Mapping[str, ApiClient]) -> list[str]:
    """The Services of the reference service whose address can't be connected to, each as `NAME in REGION`."""
    found = []
    for region, client in clients.items():
        for service in (await client.list(SERVICES, NAMESPACE))["items"]:
            ports = [Address(service["spec"]["clusterIP"], port["port"]) for port in service["spec"]["ports"]]
            if not is_entry(service) and not all([await _connects(port) for port in ports]):
                found.append(f"Service {service['metadata']['name']} in {region}")
    return found


async def entry_answers(entry: Address) -> bool:
    """Whether the global entry passes on a health check."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session,
            session.get(f"http://{entry}/health") as response,
        ):
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False
