"""A pod's status from the states of its containers: phase, conditions, container statuses. Pure.

Facts from Kubernetes 1.34 pkg/kubelet/kubelet_pods.go (getPhase) and pkg/kubelet/status/generate.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.client import KubeObject
from sandbox.clock import timestamp
from sandbox.objects import merge_condition

OWN_CONDITIONS = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady")
CREATING: dict[str, Any] = {"waiting": {"reason": "ContainerCreating"}}


@dataclass
class ContainerState:
    """What is known of one container at the moment."""

    name: str
    image: str
    state: dict[str, Any] = field(default_factory=lambda: dict(CREATING))
    last_state: dict[str, Any] = field(default_factory=dict)
    restarts: int = 0
    started: bool = False
    ready: bool = False
    container_id: str = ""

    def to_status(self) -> KubeObject:
        """The entry of `status.containerStatuses`."""
        status: KubeObject = {
            "name": self.name,
            "image": self.image,
            "imageID": "",
            "state": self.state,
            "lastState": self.last_state,
            "ready": self.ready,
            "started": self.started,
            "restartCount": self.restarts,
        }
        if self.container_id:
            status["containerID"] = self.container_id
        return status

    @property
    def exit_code(self) -> int | None:
        """Of its last run, unless it runs now or never did."""
        if "running" in self.state:
            return None
        ended = self.state.get("terminated") or self.last_state.get("terminated")
        return int(ended["exitCode"]) if ended else None


def pod_phase(containers: Sequence[ContainerState], restart_policy: str, *, ended: bool) -> str:
    """The phase; `ended` says that no container will be started again."""
    codes = [container.exit_code for container in containers]
    running = sum("running" in container.state for container in containers)
    if any(code is None for code in codes) and running < codes.count(None):
        return "Pending"
    if running:
        return "Running"
    succeeded = all(code == 0 for code in codes)
    if not ended and (restart_policy == "Always" or (restart_policy == "OnFailure" and not succeeded)):
        return "Running"
    return "Succeeded" if succeeded else "Failed"


@dataclass(frozen=True)
class PodPlace:
    """Where and since when a pod runs."""

    pod_ip: str
    host_ip: str
    started_ns: int


def pod_status(
    pod: KubeObject,
    containers: Sequence[ContainerState],
    place: PodPlace,
    written: Sequence[KubeObject],
    now_ns: int,
    *,
    ended: bool,
) -> KubeObject:
    """The status to write; `written` are the conditions that were written last, whose transition times go on."""
    phase = pod_phase(containers, pod["spec"].get("restartPolicy", "Always"), ended=ended)
    unready = [container.name for container in containers if not container.ready]
    if phase in ("Succeeded", "Failed"):
        ready = {"status": "False", "reason": "PodCompleted" if phase == "Succeeded" else "PodFailed"}
    elif unready:
        message = f"containers with unready status: [{' '.join(unready)}]"
        ready = {"status": "False", "reason": "ContainersNotReady", "message": message}
    else:
        ready = {"status": "True"}
    conditions = list(written)
    for kind, condition in (
        ("PodReadyToStartContainers", {"status": "False" if ended else "True"}),
        ("Initialized", {"status": "True"}),
        ("Ready", ready),
        ("ContainersReady", ready),
    ):
        conditions = merge_condition(conditions, {"type": kind, **condition}, now_ns)
    foreign = pod.get("status", {}).get("conditions") or []
    status: KubeObject = {
        "phase": phase,
        "conditions": [
            *(condition for condition in conditions if condition["type"] in OWN_CONDITIONS),
            *(condition for condition in foreign if condition["type"] not in OWN_CONDITIONS),
        ],
        "containerStatuses": [container.to_status() for container in containers],
        "hostIP": place.host_ip,
        "hostIPs": [{"ip": place.host_ip}],
        "podIP": place.pod_ip,
        "podIPs": [{"ip": place.pod_ip}],
        "startTime": timestamp(place.started_ns),
    }
    return status
