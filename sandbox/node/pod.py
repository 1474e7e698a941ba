"""One pod on a node: its containers, its status in the API, its end.

Facts from Kubernetes 1.34 pkg/kubelet (pod_workers.go, kubelet.go, status/status_manager.go).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from sandbox.client import PODS, ApiClient, Conflict, KubeObject, NotFound, persist
from sandbox.node.container import Container, ContainerTools
from sandbox.node.process import Launch
from sandbox.node.status import PodPlace, pod_status


class PodWorker:
    """Runs a pod from the moment it is bound until it is gone from the node and from the API."""

    def __init__(
        self,
        pod: KubeObject,
        client: ApiClient,
        place: PodPlace,
        tools: Callable[[Callable[[], None]], ContainerTools],
        *,
        prepare: Callable[[KubeObject], Launch],
        log: Callable[[str, int], Path],
    ) -> None:
        self.pod = pod
        self._client = client
        self._place = place
        self._tools = tools(self._changed)
        self._clock = self._tools.clock
        self.containers = [
            Container(pod, spec, self._tools, pod_ip=place.pod_ip, prepare=prepare, log=log)
            for spec in pod["spec"]["containers"]
        ]
        self._stop = asyncio.Event()
        self._removed = False
        self._dirty = asyncio.Event()
        self._written: KubeObject = {}

    def update(self, pod: KubeObject) -> None:
        """The pod changed in the API; when its deletion was asked for, it ends within the grace left to it."""
        self.pod = pod
        if pod["metadata"].get("deletionTimestamp"):
            grace_s = pod["metadata"].get("deletionGracePeriodSeconds")
            self.stop(float(pod["spec"].get("terminationGracePeriodSeconds", 30) if grace_s is None else grace_s))

    def remove(self) -> None:
        """The pod is gone from the API. That happens to a running pod only by a deletion with grace 0."""
        self._removed = True
        self.stop(0.0)

    def abandon(self) -> None:
        """The node shuts down: end the processes, and leave the API alone."""
        self.remove()

    def stop(self, grace_s: float) -> None:
        """End all containers."""
        self._stop.set()
        for container in self.containers:
            container.stop(grace_s)

    async def run(self) -> None:
        """Run the containers; write the pod's status with every change; take the pod out of the API at its end."""
        async with asyncio.TaskGroup() as group:
            runs = [group.create_task(container.run()) for container in self.containers]
            # Started after the containers: the first status that is written is that of started processes.
            writer = group.create_task(self._write_changes())
            self._changed()
            await asyncio.wait(runs)
            # A finished pod stays, for its logs and its status, until someone deletes it.
            self._changed()
            await self._stop.wait()
            writer.cancel()
        if not self._removed:
            await self._write(ended=True)
        if not self._removed:
            await self._delete()

    def _changed(self) -> None:
        self._dirty.set()

    async def _write_changes(self) -> None:
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            if not self._removed:
                await self._write(ended=False)

    async def _write(self, *, ended: bool) -> None:
        status = pod_status(
            self.pod,
            [container.state for container in self.containers],
            self._place,
            self._written.get("conditions", []),
            self._clock.now_ns(),
            ended=ended,
        )
        if status == self._written:
            return
        meta = self.pod["metadata"]
        # The UID makes sure that no other pod of the same name is written to.
        patch = {"metadata": {"uid": meta["uid"]}, "status": status}

        async def write() -> None:
            await self._client.patch(PODS, meta["name"], patch, meta["namespace"], subresource="status")

        try:
            await persist(write, self._clock)
        except (NotFound, Conflict):
            # Deleted, or replaced under its name: the watch brings that news, and with it the end of this worker.
            return
        self._written = status

    async def _delete(self) -> None:
        meta = self.pod["metadata"]

        async def delete() -> None:
            await self._client.delete(PODS, meta["name"], meta["namespace"], grace_period_s=0, uid=meta["uid"])

        try:
            await persist(delete, self._clock)
        except (NotFound, Conflict):
            return
