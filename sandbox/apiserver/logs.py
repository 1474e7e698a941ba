"""Container logs: which container is meant, and where its node's agent serves them."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address

from sandbox.apiserver.objects import KubeObject, containers, dig
from sandbox.apiserver.status import BadRequest, StatusError

_DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
_PASSED_ON = ("follow", "previous", "timestamps", "sinceSeconds", "sinceTime", "tailLines", "limitBytes")


def container_of(pod: KubeObject, asked: str) -> str:
    """Return the container whose log is wanted; raises BadRequest where the pod has several and none was named."""
    name, spec = pod["metadata"]["name"], pod["spec"]
    names = [each["name"] for each in containers(spec)]
    if asked:
        if asked not in names:
            raise BadRequest(f"container {asked} is not valid for pod {name}")
        return asked
    preferred: str = pod["metadata"].get("annotations", {}).get(_DEFAULT_CONTAINER, "")
    if preferred in names:
        return preferred
    if len(spec["containers"]) > 1:
        choice = " ".join(each["name"] for each in spec["containers"])
        raise BadRequest(f"a container name must be specified for pod {name}, choose one of: [{choice}]")
    only: str = spec["containers"][0]["name"]
    return only


def agent_url(node: KubeObject) -> str:
    """Return the base URL of a node's agent, as its status announces it; raises StatusError where it does not.

    Only a loopback address will do, since the server's token goes there unencrypted.
    """
    name = node["metadata"]["name"]
    addresses = {each["type"]: each["address"] for each in dig(node, "status.addresses", [])}
    port = dig(node, "status.daemonEndpoints.kubeletEndpoint.Port")
    if "InternalIP" not in addresses or port is None:
        raise StatusError(f"node {name} announces no address of its agent")
    address = addresses["InternalIP"]
    if not ip_address(address).is_loopback:
        raise StatusError(f"node {name} has its agent at {address}, which is not on loopback")
    return f"http://{address}:{port}"


def log_path(pod: KubeObject, container: str) -> str:
    """Return the path under which an agent serves a container's log, which is the kubelet's."""
    return f"/containerLogs/{pod['metadata']['namespace']}/{pod['metadata']['name']}/{container}"


def agent_query(query: Mapping[str, str]) -> dict[str, str]:
    """Return the options of a log request that go on to the agent."""
    return {name: query[name] for name in _PASSED_ON if name in query}
