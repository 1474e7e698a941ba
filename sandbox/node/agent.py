"""The node agent of one region: registers its node, keeps its lease, and runs the pods that are bound to it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
from collections.abc import Callable, Mapping
from pathlib import Path

import aiohttp

from sandbox.client import (
    LEASES,
    NAMESPACES,
    NODES,
    PODS,
    SERVICES,
    AlreadyExists,
    EventType,
    KubeObject,
    NotFound,
    key_of,
    persist,
)
from sandbox.clock import micro_timestamp, timestamp
from sandbox.controllers.cluster import Cluster
from sandbox.network import Region
from sandbox.node import resources
from sandbox.node.addresses import PodAddresses
from sandbox.node.container import ContainerTools
from sandbox.node.environment import base_environment, command_line, container_environment, service_environment
from sandbox.node.logs import LogFile, LogServer
from sandbox.node.pod import PodWorker
from sandbox.node.prober import Prober
from sandbox.node.process import Launch, Spawn, spawn
from sandbox.node.status import PodPlace

LEASE_NAMESPACE = "kube-node-lease"
LEASE_PERIOD_S = 10
LEASE_DURATION_S = 40
SHUTDOWN_S = 3.0


def node_object(region: Region, now_ns: int) -> KubeObject:
    """The Node as the agent registers it: this machine, reachable at the agent's address."""
    memory_kib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1024
    capacity = {"cpu": str(os.cpu_count() or 1), "memory": f"{memory_kib}Ki", "pods": "110"}
    now = timestamp(now_ns)

    def condition(kind: str, status: str, reason: str, message: str) -> KubeObject:
        times = {"lastHeartbeatTime": now, "lastTransitionTime": now}
        return {"type": kind, "status": status, "reason": reason, "message": message, **times}

    return {
        "metadata": {
            "name": region.node_name,
            "labels": {
                "kubernetes.io/hostname": region.node_name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": platform.machine(),
                "topology.kubernetes.io/region": region.name,
                "topology.kubernetes.io/zone": f"{region.name}a",
            },
        },
        "spec": {"podCIDR": str(region.pods), "podCIDRs": [str(region.pods)]},
        "status": {
            "capacity": capacity,
            "allocatable": capacity,
            "addresses": [
                {"type": "InternalIP", "address": region.agent.host},
                {"type": "Hostname", "address": region.node_name},
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": region.agent.port}},
            "nodeInfo": {
                "machineID": "",
                "systemUUID": "",
                "bootID": "",
                "kernelVersion": platform.release(),
                "osImage": "gameday sandbox",
                "containerRuntimeVersion": "process://1",
                "kubeletVersion": "v1.34.4-sandbox",
                "kubeProxyVersion": "",
                "operatingSystem": "linux",
                "architecture": platform.machine(),
            },
            "conditions": [
                condition(
                    "MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"
                ),
                condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
                condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
                condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
            ],
        },
    }


class NodeAgent:
    """Runs the pods of one node as processes."""

    def __init__(
        self,
        cluster: Cluster,
        region: Region,
        state: Path,
        token: str,
        *,
        own_environment: Mapping[str, str] = os.environ,
        start: Spawn = spawn,
    ) -> None:
        self._cluster = cluster
        self._region = region
        self._pods_directory = state / "regions" / region.name / "pods"
        self._base_environment = base_environment(own_environment, state)
        self._spawn = start
        self._addresses = PodAddresses(region.pods)
        self._workers: dict[str, PodWorker] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._serving = asyncio.Event()
        self.registered = asyncio.Event()
        self._closing = False
        self._server = LogServer(region.agent, token, self.log_of, self.resources)
        cluster.informers[PODS].add_handler(self._pod_changed)

    async def run(self) -> None:
        """Serve the node's HTTP address, register, and renew the lease until cancelled."""
        cluster = self._cluster
        # No keep-alive: each probe has to show that the process still accepts connections.
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        async with self._server, aiohttp.ClientSession(connector=connector) as session:
            self._prober = Prober(session, self._spawn)
            self._serving.set()
            await self._register()
            self.registered.set()
            while True:
                await persist(self._renew_lease, cluster.clock)
                await cluster.clock.sleep(LEASE_PERIOD_S)

    async def shutdown(self) -> None:
        """End all pods: SIGTERM, a short grace, SIGKILL; the API isn't told."""
        self._closing = True
        for worker in self._workers.values():
            worker.abandon()
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=SHUTDOWN_S)

    def log_of(self, namespace: str, pod: str, container: str, *, previous: bool) -> LogFile | None:
        """The log of a container's present (or previous) run; None where there is none."""
        for worker in self._workers.values():
            meta = worker.pod["metadata"]
            if (meta["namespace"], meta["name"]) != (namespace, pod):
                continue
            for state in (each.state for each in worker.containers):
                # While a container waits for its restart, the run that ended last is its present and its previous one.
                run = state.restarts - (1 if previous and "waiting" not in state.state else 0)
                path = self._log_path(worker.pod)(container, run)
                if state.name == container and path.exists():
                    return LogFile(path, live="running" in state.state and not previous)
        return None

    def resources(self) -> str:
        """What the node's running containers and the node use now, as Prometheus reads it."""
        consumers = [
            resources.Consumer(meta["namespace"], meta["name"], container.state.name, *running)
            for worker in self._workers.values()
            for container in worker.containers
            if (meta := worker.pod["metadata"]) and (running := container.running)
        ]
        used = resources.by_session(each.pid for each in consumers)
        return resources.exposition(consumers, used, resources.of_machine(), self._cluster.clock.now_ns())

    async def _register(self) -> None:
        cluster, wanted = self._cluster, node_object(self._region, self._cluster.clock.now_ns())
        try:
            node = await persist(lambda: cluster.client.create(NODES, wanted), cluster.clock)
        except AlreadyExists:
            name = wanted["metadata"]["name"]
            patch = {"status": wanted["status"]}
            node = await persist(lambda: cluster.client.patch(NODES, name, patch, subresource="status"), cluster.clock)
        cluster.events.record("kubelet", node, "Starting", "Starting kubelet.", host=self._region.node_name)

    async def _renew_lease(self) -> None:
        client, name = self._cluster.client, self._region.node_name
        spec = {
            "holderIdentity": name,
            "leaseDurationSeconds": LEASE_DURATION_S,
            "renewTime": micro_timestamp(self._cluster.clock.now_ns()),
        }
        try:
            await client.patch(LEASES, name, {"spec": spec}, LEASE_NAMESPACE)
        except NotFound:
            with contextlib.suppress(AlreadyExists):
                await client.create(NAMESPACES, {"metadata": {"name": LEASE_NAMESPACE}})
            await client.create(LEASES, {"metadata": {"name": name}, "spec": spec}, namespace=LEASE_NAMESPACE)

    def _pod_changed(self, kind: EventType, pod: KubeObject, _old: KubeObject | None) -> None:
        if pod["spec"].get("nodeName") != self._region.node_name:
            return
        uid = pod["metadata"]["uid"]
        worker = self._workers.get(uid)
        if kind is EventType.DELETED:
            if worker is not None:
                worker.remove()
        elif worker is not None:
            worker.update(pod)
        elif uid not in self._tasks and pod.get("status", {}).get("phase") not in ("Succeeded", "Failed"):
            self._tasks[uid] = self._cluster.tasks.create_task(self._run(pod), name=f"pod {pod['metadata']['name']}")

    async def _run(self, pod: KubeObject) -> None:
        """A pod's whole life on this node."""
        uid = pod["metadata"]["uid"]
        try:
            await self._serving.wait()
            await self._cluster.synced()
            newest = self._cluster.get(PODS, key_of(pod))
            if newest is None or newest["metadata"]["uid"] != uid or self._closing:
                return
            place = PodPlace(self._addresses.take(), self._region.agent.host, self._cluster.clock.now_ns())
            log = self._log_path(pod)
            for container in pod["spec"]["containers"]:
                log(container["name"], 0).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            worker = self._workers[uid] = PodWorker(
                newest, self._cluster.client, place, self._tools(newest), prepare=self._preparer(newest, place), log=log
            )
            worker.update(newest)
            await worker.run()
            self._addresses.give_back(place.pod_ip)
        finally:
            self._workers.pop(uid, None)
            self._cluster.links.forget(uid)
            del self._tasks[uid]

    def _log_path(self, pod: KubeObject) -> Callable[[str, int], Path]:
        meta = pod["metadata"]
        directory = self._pods_directory / f"{meta['namespace']}_{meta['name']}_{meta['uid']}"
        return lambda container, run: directory / container / f"{run}.log"

    def _tools(self, pod: KubeObject) -> Callable[[Callable[[], None]], ContainerTools]:
        def record(container: str, reason: str, message: str, warning: bool) -> None:
            host = self._region.node_name
            self._cluster.events.record(
                "kubelet", pod, reason, message, warning=warning, host=host, container=container
            )

        return lambda changed: ContainerTools(self._cluster.clock, self._spawn, self._prober, record, changed)

    def _preparer(self, pod: KubeObject, place: PodPlace) -> Callable[[KubeObject], Launch]:
        namespace = pod["metadata"]["namespace"]

        def prepare(container: KubeObject) -> Launch:
            inherited = dict(self._base_environment)
            if pod["spec"].get("enableServiceLinks", True):
                inherited |= service_environment(self._cluster.all(SERVICES, namespace))
            variables = container_environment(pod, container, inherited, pod_ip=place.pod_ip, host_ip=place.host_ip)
            own_directory = self._log_path(pod)(container["name"], 0).parent
            command = command_line(container, variables)
            channel, named = self._cluster.links.open(pod["metadata"]["uid"], container["name"], place.pod_ip)
            return Launch(
                command,
                variables | named,
                Path(container.get("workingDir") or own_directory),
                own_directory / "0.log",
                (channel,),
            )

        return prepare
