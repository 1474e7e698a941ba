"""From Services and EndpointSlices to backends: an address to listen on, and the endpoints behind it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sandbox.client import KubeObject
from sandbox.network import Address
from sandbox.traffic.policy import ENTRY_LABEL, Policy

SERVICE_NAME_LABEL = "kubernetes.io/service-name"


@dataclass(frozen=True, order=True)
class Endpoint:
    """A pod's address and the region it is in."""

    region: str
    address: str
    port: int


@dataclass(frozen=True)
class Backend:
    """One port of one Service in one region.

    `ready` endpoints get the traffic. `leaving` ones (terminating, but still serving) get it only while none is ready,
    as kube-proxy does it since Kubernetes 1.28.
    """

    region: str
    namespace: str
    service: str
    port_name: str
    listen: Address
    http: bool
    policy: Policy
    ready: tuple[Endpoint, ...]
    leaving: tuple[Endpoint, ...]

    @property
    def cluster(self) -> str:
        """The name that Envoy knows it by."""
        return f"{self.region}/{self.namespace}/{self.service}/{self.port_name or self.listen.port}"


def is_entry(service: KubeObject) -> bool:
    """Whether a Service stands for the global entry: it is in front of all regions and has no endpoints of its own."""
    labels = service["metadata"].get("labels") or {}
    return labels.get(ENTRY_LABEL) == "true"


def backends_of(region: str, service: KubeObject, slices: Iterable[KubeObject]) -> list[Backend]:
    """A Service's TCP ports with their endpoints; `BadManifest` where its annotations can't be honoured.

    A Service without a ClusterIP (headless, or not allocated yet) has none.
    """
    meta, spec = service["metadata"], service.get("spec", {})
    cluster_ip = spec.get("clusterIP")
    if not cluster_ip or cluster_ip == "None" or is_entry(service):
        return []
    policy = Policy.from_annotations(
        meta.get("annotations") or {}, f"Service {meta['namespace']}/{meta['name']} in {region}"
    )
    own = [
        each
        for each in slices
        if each["metadata"]["namespace"] == meta["namespace"]
        and (each["metadata"].get("labels") or {}).get(SERVICE_NAME_LABEL) == meta["name"]
    ]
    return [
        Backend(
            region=region,
            namespace=meta["namespace"],
            service=meta["name"],
            port_name=port.get("name") or "",
            listen=Address(cluster_ip, port["port"]),
            http=port.get("appProtocol") == "http",
            policy=policy,
            ready=_endpoints(region, own, port.get("name") or "", _is_ready),
            leaving=_endpoints(region, own, port.get("name") or "", _is_leaving),
        )
        for port in spec.get("ports") or []
        if port.get("protocol", "TCP") == "TCP"
    ]


def _endpoints(
    region: str, slices: Iterable[KubeObject], port_name: str, wanted: Callable[[KubeObject], bool]
) -> tuple[Endpoint, ...]:
    return tuple(
        sorted(
            {
                Endpoint(region, address, port["port"])
                for each in slices
                for port in each.get("ports") or []
                if (port.get("name") or "") == port_name
                for endpoint in each.get("endpoints") or []
                if wanted(endpoint.get("conditions") or {})
                for address in endpoint["addresses"]
            }
        )
    )


def _is_ready(conditions: KubeObject) -> bool:
    # The API: an unknown (absent) state is to be read as ready.
    return conditions.get("ready") is not False


def _is_leaving(conditions: KubeObject) -> bool:
    return bool(conditions.get("serving")) and bool(conditions.get("terminating"))
