"""What `kubectl get pods` says of a pod: containers ready, the STATUS column, and restarts."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.apiserver.objects import KubeObject, dig


@dataclass(slots=True)
class PodCells:
    """Containers ready of `total`, the status in a word, restarts, and when the last of them ended."""

    ready: int
    total: int
    reason: str
    restarts: int = 0
    last_restart: str = ""


def pod_cells(pod: KubeObject) -> PodCells:
    """Summarise a pod by the rules of the real server's printer, which looks at containers before the phase."""
    spec, status = pod["spec"], pod["status"]
    sidecars = {each["name"] for each in spec.get("initContainers", []) if each.get("restartPolicy") == "Always"}
    shown = PodCells(0, len(spec["containers"]) + len(sidecars), status.get("reason") or status.get("phase", ""))
    if _is_true(status, "PodScheduled", reason="SchedulingGated"):
        shown.reason = "SchedulingGated"
    initialising = _look_at_init_containers(spec, status, sidecars, shown)
    if not initialising or _is_true(status, "Initialized"):
        _look_at_containers(status, shown)
    if "deletionTimestamp" in pod["metadata"]:
        if status.get("reason") == "NodeLost":
            shown.reason = "Unknown"
        elif status.get("phase") not in ("Failed", "Succeeded"):
            shown.reason = "Terminating"
    return shown


def _look_at_init_containers(spec: KubeObject, status: KubeObject, sidecars: set[str], shown: PodCells) -> bool:
    """Return whether the pod is still initialising, with the reason for that in `shown`."""
    for index, container in enumerate(status.get("initContainerStatuses", [])):
        state, sidecar = container.get("state", {}), container["name"] in sidecars
        _count_restarts(container, shown)
        ended = state.get("terminated")
        if ended and ended.get("exitCode") == 0:
            continue
        if sidecar and container.get("started"):
            shown.ready += bool(container.get("ready"))
            continue
        waiting = dig(state, "waiting.reason", "")
        if ended:
            shown.reason = f"Init:{_ending(ended)}"
        elif waiting and waiting != "PodInitializing":
            shown.reason = f"Init:{waiting}"
        else:
            shown.reason = f"Init:{index}/{len(spec['initContainers'])}"
        return True
    return False


def _look_at_containers(status: KubeObject, shown: PodCells) -> None:
    shown.restarts, shown.last_restart = 0, ""
    running = False
    for container in reversed(status.get("containerStatuses", [])):
        state = container.get("state", {})
        _count_restarts(container, shown)
        if waiting := dig(state, "waiting.reason", ""):
            shown.reason = waiting
        elif "terminated" in state:
            shown.reason = _ending(state["terminated"])
        elif container.get("ready") and "running" in state:
            running = True
            shown.ready += 1
    if shown.reason == "Completed" and running:
        shown.reason = "Running" if _is_true(status, "Ready") else "NotReady"


def _count_restarts(container: KubeObject, shown: PodCells) -> None:
    shown.restarts += container.get("restartCount", 0)
    shown.last_restart = max(shown.last_restart, dig(container, "lastState.terminated.finishedAt", ""))


def _ending(terminated: KubeObject) -> str:
    if reason := terminated.get("reason"):
        return str(reason)
    signal = terminated.get("signal")
    return f"Signal:{signal}" if signal else f"ExitCode:{terminated.get('exitCode', 0)}"


def _is_true(status: KubeObject, condition: str, reason: str = "") -> bool:
    return any(
        each["type"] == condition and (each.get("reason") == reason if reason else each["status"] == "True")
        for each in status.get("conditions", [])
    )
