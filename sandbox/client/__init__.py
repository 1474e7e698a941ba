"""A thin asyncio client of the Kubernetes API: requests, and informers on top of them."""

from __future__ import annotations

from sandbox.client.api import (
    ApiClient,
)
from sandbox.client.errors import (
    AlreadyExists,
    ApiError,
    Conflict,
    Gone,
    NotFound,
    Unreachable,
    Untrusted,
)
from sandbox.client.informer import (
    EventType,
    Informer,
    OnChange,
)
from sandbox.client.resources import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    ENDPOINT_SLICES,
    EVENTS,
    HORIZONTAL_POD_AUTOSCALERS,
    LEASES,
    NAMESPACES,
    NETWORK_CHAOS,
    NODES,
    POD_CHAOS,
    POD_METRICS,
    PODS,
    REPLICA_SETS,
    SECRETS,
    SERVICES,
    Key,
    KubeObject,
    Resource,
    key_of,
    version_of,
)
from sandbox.client.retry import persist

__all__ = [
    "CONFIG_MAPS",
    "DEPLOYMENTS",
    "ENDPOINT_SLICES",
    "EVENTS",
    "HORIZONTAL_POD_AUTOSCALERS",
    "LEASES",
    "NAMESPACES",
    "NETWORK_CHAOS",
    "NODES",
    "PODS",
    "POD_CHAOS",
    "POD_METRICS",
    "REPLICA_SETS",
    "SECRETS",
    "SERVICES",
    "AlreadyExists",
    "ApiClient",
    "ApiError",
    "Conflict",
    "EventType",
    "Gone",
    "Informer",
    "Key",
    "KubeObject",
    "NotFound",
    "OnChange",
    "Resource",
    "Unreachable",
    "Untrusted",
    "key_of",
    "persist",
    "version_of",
]
