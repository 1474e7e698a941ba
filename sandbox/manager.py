"""`python -m sandbox.manager`: controllers, scheduler and node agent of every region, and the traffic's configuration.

One process and one event loop; towards the API servers a client like any other. A bug in any part ends the process with
its traceback: a sandbox that limps would make every measurement doubtful.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from sandbox import kubeconfig
from sandbox.client import ApiClient, ApiError
from sandbox.clock import SystemClock
from sandbox.controllers.cluster import Cluster
from sandbox.controllers.deployment import DeploymentController
from sandbox.controllers.endpointslice import EndpointSliceController
from sandbox.controllers.garbage import GarbageCollector
from sandbox.controllers.horizontal import HorizontalController
from sandbox.controllers.namespace import NamespaceController
from sandbox.controllers.networkchaos import network_chaos
from sandbox.controllers.podchaos import pod_chaos
from sandbox.controllers.replicaset import ReplicaSetController
from sandbox.controllers.scheduler import Scheduler
from sandbox.errors import SandboxError
from sandbox.network import Network
from sandbox.node.agent import NodeAgent
from sandbox.node.environment import raft_environment
from sandbox.periods import Periods
from sandbox.prometheus.program import targets_file
from sandbox.prometheus.targets import ScrapeTargets
from sandbox.traffic.traffic import Traffic

CONTROLLERS = (
    DeploymentController,
    ReplicaSetController,
    Scheduler,
    EndpointSliceController,
    GarbageCollector,
    NamespaceController,
    network_chaos,
    pod_chaos,
)


async def manage(
    access: dict[str, kubeconfig.Access],
    state: Path,
    network: Network,
    periods: Periods,
    stop: asyncio.Event,
    *,
    scraped: bool,
) -> None:
    """Run all regions until `stop` is set, then end all pods. Prints `ready` once every node is registered.

    scraped: whether there is a Prometheus to tell of the pods.
    """
    agents: list[NodeAgent] = []
    async with contextlib.AsyncExitStack() as stack:
        clients = {
            region.name: await stack.enter_async_context(_client(access[region.name])) for region in network.regions
        }

        async def work() -> None:
            async with asyncio.TaskGroup() as tasks:
                for region in network.regions:
                    cluster = Cluster(clients[region.name], tasks, SystemClock())
                    for controller in CONTROLLERS:
                        controller(cluster)
                    HorizontalController(cluster, periods)
                    if scraped:
                        ScrapeTargets(cluster, targets_file(state, region))
                    environment = {**os.environ, **raft_environment(network, region, state)}
                    agent = NodeAgent(cluster, region, state, access[region.name].token, own_environment=environment)
                    agents.append(agent)
                    cluster.start()
                    tasks.create_task(agent.run(), name=f"node agent {region.name}")
                tasks.create_task(Traffic(clients, state, network).run(), name="traffic")
                for agent in agents:
                    await agent.registered.wait()
                print("ready", flush=True)

        working = asyncio.create_task(work())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not working.done():
            await asyncio.gather(*(agent.shutdown() for agent in agents))
            working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.manager", description=__doc__)
    parser.add_argument("--kubeconfig", type=Path, required=True, help="one context for each region, by its name")
    parser.add_argument("--state", type=Path, required=True, help="directory for pod logs and Envoy's files")
    parser.add_argument("--network", default=Network().prefix, help="address prefix, 127.N (default %(default)s)")
    parser.add_argument("--scraped", action="store_true", help="there is a Prometheus to tell of the pods")
    Periods.add_to(parser)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        network = Network(options.network)
        access = kubeconfig.load(options.kubeconfig)
        missing = [region.name for region in network.regions if region.name not in access]
        if missing:
            raise kubeconfig.BadKubeconfig(f"no context {', '.join(missing)}", where=str(options.kubeconfig))
        periods = Periods.of(vars(options))
        asyncio.run(_until_signalled(access, options.state.absolute(), network, periods, scraped=options.scraped))
    except (SandboxError, BaseExceptionGroup) as error:
        failures = list(_leaves(error))
        for failure in failures:
            # Anything else is a bug, and so is a refused request: where that came from matters more than a short line.
            if not isinstance(failure, SandboxError) or isinstance(failure, ApiError):
                raise
        for failure in failures:
            print(failure, file=sys.stderr)
        return 2
    return 0


async def _until_signalled(
    access: dict[str, kubeconfig.Access], state: Path, network: Network, periods: Periods, *, scraped: bool
) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await manage(access, state, network, periods, stop, scraped=scraped)


def _client(access: kubeconfig.Access) -> ApiClient:
    return ApiClient(access.server, access.token, access.ca_file, ca_pem=access.ca_pem)


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _leaves(each)
    else:
        yield error


if __name__ == "__main__":
    sys.exit(main())
