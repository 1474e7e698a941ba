"""The command line and environment of a container's process, from its pod. Pure.

The image isn't used. A process gets, in this order: the agent's base environment, one set of variables for each Service
of its namespace, then its own `env`, in which `$(NAME)` stands for a variable defined before.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from sandbox.client import KubeObject
from sandbox.network import Network, Region
from sandbox.state import MARKER

INHERITED = ("LANG", "LC_ALL", "TZ", "TMPDIR", "HOME", "PYTHONPATH", "VIRTUAL_ENV", "RAFT_MEMBERS", "RAFT_DIRECTORY")
REFERENCE = re.compile(r"\$\$|\$\(([^)]*)\)")
KEYED_FIELD = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")


class CannotCreate(Exception):
    """The container can't be made from its spec; `reason` is what its waiting state shows."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def base_environment(own: Mapping[str, str], state: Path) -> dict[str, str]:
    """What every process of the sandbox gets.

    The directory of the running interpreter comes first in PATH, so that `python3` in a manifest's command is the one
    that the sandbox runs in, with the packages installed there.
    """
    passed_on = {name: own[name] for name in INHERITED if name in own}
    path = os.pathsep.join([str(Path(sys.executable).parent), own.get("PATH", os.defpath)])
    return {**passed_on, "PATH": path, MARKER: str(state)}


def raft_environment(network: Network, region: Region, state: Path) -> dict[str, str]:
    """What a pod of `region` must know to take part in the Raft over all regions: everybody's seat, and where its own
    region's seats keep their journals."""
    members = " ".join(f"{each.name}={','.join(map(str, each.seats))}" for each in network.regions)
    return {"RAFT_MEMBERS": members, "RAFT_DIRECTORY": str(state / "regions" / region.name / "raft")}


def service_environment(services: Iterable[KubeObject]) -> dict[str, str]:
    """`X_SERVICE_HOST`, `X_SERVICE_PORT` and `X_SERVICE_PORT_<NAME>` for each Service that has an address."""
    variables: dict[str, str] = {}
    for service in services:
        address, ports = service["spec"].get("clusterIP"), service["spec"].get("ports") or []
        if not address or address == "None" or not ports:
            continue
        prefix = _variable_name(service["metadata"]["name"])
        variables[f"{prefix}_SERVICE_HOST"] = address
        variables[f"{prefix}_SERVICE_PORT"] = str(ports[0]["port"])
        for port in ports:
            if port.get("name"):
                variables[f"{prefix}_SERVICE_PORT_{_variable_name(port['name'])}"] = str(port["port"])
    return variables


def expand(text: str, variables: Mapping[str, str]) -> str:
    """`$(NAME)` by its value, left as it is where there is no such variable; `$$` is a dollar sign."""

    def value(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        return variables.get(match[1], match[0])

    return REFERENCE.sub(value, text)


def field_value(path: str, pod: KubeObject, *, pod_ip: str, host_ip: str) -> str:
    """The value of a `fieldRef`; raises `CannotCreate` for a path that the downward API doesn't know."""
    meta, spec = pod["metadata"], pod["spec"]
    keyed = KEYED_FIELD.fullmatch(path)
    if keyed is not None:
        return str((meta.get(keyed[1]) or {}).get(keyed[2], ""))
    values = {
        "metadata.name": meta["name"],
        "metadata.namespace": meta["namespace"],
        "metadata.uid": meta["uid"],
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", "default"),
        "status.hostIP": host_ip,
        "status.hostIPs": host_ip,
        "status.podIP": pod_ip,
        "status.podIPs": pod_ip,
    }
    if path not in values:
        raise CannotCreate("CreateContainerConfigError", f"unsupported fieldPath: {path}")
    return str(values[path])


def container_environment(
    pod: KubeObject, container: KubeObject, inherited: Mapping[str, str], *, pod_ip: str, host_ip: str
) -> dict[str, str]:
    """`inherited` (base and Services) with HOSTNAME and the container's own `env`."""
    variables = {**inherited, "HOSTNAME": pod["metadata"]["name"]}
    if container.get("envFrom"):
        raise CannotCreate("CreateContainerConfigError", "envFrom is not supported by the sandbox")
    for entry in container.get("env") or []:
        source = entry.get("valueFrom")
        if not source:
            variables[entry["name"]] = expand(entry.get("value", ""), variables)
        elif "fieldRef" in source:
            path = source["fieldRef"]["fieldPath"]
            variables[entry["name"]] = field_value(path, pod, pod_ip=pod_ip, host_ip=host_ip)
        else:
            kind = next(iter(source))
            message = f"env {entry['name']}: valueFrom.{kind} is not supported by the sandbox, only fieldRef"
            raise CannotCreate("CreateContainerConfigError", message)
    return variables


def command_line(container: KubeObject, variables: Mapping[str, str]) -> list[str]:
    """The command and its arguments, expanded; raises `CannotCreate` where no command is given."""
    if not container.get("command"):
        raise CannotCreate(
            "CreateContainerError", "no command specified: the sandbox runs no images, so give `command`"
        )
    words = [*container["command"], *(container.get("args") or [])]
    return [expand(word, variables) for word in words]


def _variable_name(name: str) -> str:
    return name.upper().replace("-", "_")
