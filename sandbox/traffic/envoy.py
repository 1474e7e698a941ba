"""From backends to Envoy's configuration, as files for its file-based discovery. Pure.

`render` returns every file below Envoy's directory:

    lds.json         a listener at each ClusterIP:port, and the global entry
    rds.json         the global entry's routes, apart from its listener so that a new route doesn't drain connections
    cds.json         a cluster for each backend, and one over all regions for each routed Service
    eds/NAME.json    one cluster's endpoints; a file each, so that a change wakes only the cluster that it is about
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from sandbox.network import Address, Network
from sandbox.traffic.backends import Backend, Endpoint
from sandbox.traffic.policy import Policy

Config = dict[str, Any]
REGION_HEADER = "x-gameday-region"
METADATA = "gameday"
ENTRY_ROUTES = "entry"
TYPES = "type.googleapis.com/envoy"
CONNECT_TIMEOUT = "0.25s"
# Envoy's default of 3 concurrent retries would turn the failures of a pod's last instant into answers.
MAX_RETRIES = 1024


@dataclass(frozen=True)
class Cluster:
    """A name that requests are routed to, and the endpoints that take turns for it."""

    name: str
    policy: Policy
    endpoints: tuple[Endpoint, ...]

    @property
    def file(self) -> str:
        """Its endpoints' file, relative to Envoy's directory."""
        return f"eds/{self.name.replace('/', '_')}.json"


def bootstrap(network: Network, directory: Path) -> str:
    """Envoy's static configuration: where its admin page is, and where the other files are."""
    return _text(
        {
            "node": {"id": "gameday", "cluster": "gameday"},
            "admin": {"address": _address(network.envoy_admin)},
            "dynamic_resources": {
                "lds_config": _source(directory / "lds.json"),
                "cds_config": _source(directory / "cds.json"),
            },
        }
    )


def render(backends: Sequence[Backend], network: Network, directory: Path) -> dict[str, str]:
    """All discovery files by their path relative to `directory`, in the order in which they are best written.

    Endpoints come before the clusters that read them, clusters before the listeners and routes that send to them.
    """
    routed = _routed(backends)
    clusters = [_local(backend) for backend in backends] + [_global(group) for group in routed]
    files = {cluster.file: _discovery("config.endpoint.v3.ClusterLoadAssignment", [_load(cluster)])
             for cluster in clusters}  # fmt: skip
    files["cds.json"] = _discovery(
        "config.cluster.v3.Cluster", [_cluster(cluster, directory / cluster.file) for cluster in clusters]
    )
    files["rds.json"] = _discovery("config.route.v3.RouteConfiguration", [_entry_routes(routed)])
    listeners = [_listener(backend) for backend in backends]
    listeners.append(_http_listener(ENTRY_ROUTES, network.entry, {"rds": {
        "route_config_name": ENTRY_ROUTES, "config_source": _source(directory / "rds.json")}}))  # fmt: skip
    files["lds.json"] = _discovery("config.listener.v3.Listener", listeners)
    return files


def _routed(backends: Iterable[Backend]) -> list[list[Backend]]:
    """The backends that the global entry knows, grouped over the regions."""

    def key(backend: Backend) -> tuple[str, str, str]:
        return backend.namespace, backend.service, backend.port_name

    wanted = [backend for backend in backends if backend.http and backend.policy.entry_paths]
    return [list(group) for _, group in groupby(sorted(wanted, key=key), key=key)]


def _local(backend: Backend) -> Cluster:
    return Cluster(backend.cluster, backend.policy, backend.ready or backend.leaving)


def _global(group: list[Backend]) -> Cluster:
    first = group[0]
    ready = tuple(endpoint for backend in group for endpoint in backend.ready)
    leaving = tuple(endpoint for backend in group for endpoint in backend.leaving)
    return Cluster(replace(first, region="global").cluster, first.policy, ready or leaving)


def _load(cluster: Cluster) -> Config:
    return {
        "cluster_name": cluster.name,
        "endpoints": [
            {
                "locality": {"region": region},
                "lb_endpoints": [
                    {
                        "endpoint": {"address": _address(Address(each.address, each.port))},
                        "metadata": {"filter_metadata": {METADATA: {"region": region}}},
                    }
                    for each in endpoints
                ],
            }
            for region, endpoints in groupby(sorted(cluster.endpoints), key=lambda endpoint: endpoint.region)
        ],
    }


def _cluster(cluster: Cluster, endpoints_file: Path) -> Config:
    limits = {"max_retries": MAX_RETRIES}
    config: Config = {
        "name": cluster.name,
        "type": "EDS",
        "eds_cluster_config": {"eds_config": _source(endpoints_file)},
        "connect_timeout": CONNECT_TIMEOUT,
        # In turn, not by fewest requests: an endpoint that refuses at once would look the least busy.
        "lb_policy": "ROUND_ROBIN",
        "circuit_breakers": {"thresholds": [limits]},
        "common_lb_config": {
            # Kubernetes says who is ready; Envoy must neither doubt it nor collect changes for a second.
            "healthy_panic_threshold": {"value": 0},
            "update_merge_window": "0s",
        },
    }
    if cluster.policy.outlier_failures:
        config["outlier_detection"] = {
            "consecutive_5xx": cluster.policy.outlier_failures,
            "interval": "1s",
            "base_ejection_time": "2s",
            "max_ejection_percent": 50,
        }
    return config


def _listener(backend: Backend) -> Config:
    if backend.http:
        routes = {
            "name": backend.cluster,
            # Envoy reads the files in no certain order, and would refuse a listener that comes before its cluster.
            "validate_clusters": False,
            "virtual_hosts": [_host([_route("/", backend.cluster, backend.policy)])],
        }
        return _http_listener(backend.cluster, backend.listen, {"route_config": routes})
    proxy = {
        "@type": f"{TYPES}.extensions.filters.network.tcp_proxy.v3.TcpProxy",
        "stat_prefix": backend.cluster,
        "cluster": backend.cluster,
        # kube-proxy tries once, too.
        "max_connect_attempts": 1 + backend.policy.retries,
    }
    return _filtered(backend.cluster, backend.listen, "envoy.filters.network.tcp_proxy", proxy)


def _http_listener(name: str, address: Address, routes: Config) -> Config:
    router = {"@type": f"{TYPES}.extensions.filters.http.router.v3.Router", "suppress_envoy_headers": True}
    manager = {
        "@type": f"{TYPES}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "generate_request_id": False,
        "server_header_transformation": "PASS_THROUGH",
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": router}],
        **routes,
    }
    return _filtered(name, address, "envoy.filters.network.http_connection_manager", manager)


def _filtered(name: str, address: Address, filter_name: str, config: Config) -> Config:
    return {
        "name": name,
        "address": _address(address),
        # With it, two Envoys could listen at one address, each getting half of the requests.
        "enable_reuse_port": False,
        "filter_chains": [{"filters": [{"name": filter_name, "typed_config": config}]}],
    }


def _entry_routes(routed: Iterable[list[Backend]]) -> Config:
    pairs = {path: _global(group) for group in routed for backend in group for path in backend.policy.entry_paths}
    # The longest prefix first: Envoy takes the first that matches.
    routes = [_route(path, pairs[path].name, pairs[path].policy) for path in sorted(pairs, key=lambda p: (-len(p), p))]
    return {"name": ENTRY_ROUTES, "virtual_hosts": [_host(routes)]}


def _host(routes: list[Config]) -> Config:
    region = {"key": REGION_HEADER, "value": f"%UPSTREAM_METADATA({METADATA}:region)%"}
    return {
        "name": "all",
        "domains": ["*"],
        "routes": routes,
        "response_headers_to_add": [{"header": region, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}],
    }


def _route(prefix: str, cluster: str, policy: Policy) -> Config:
    # Unless asked for no limit but the client's: an evaluation may take minutes, and a Service of Kubernetes has none.
    action: Config = {"cluster": cluster, "timeout": f"{policy.timeout_s or 0:g}s"}
    if policy.retries:
        action["retry_policy"] = {
            "retry_on": policy.retry_on,
            "num_retries": policy.retries,
            "retry_host_predicate": [
                {
                    "name": "envoy.retry_host_predicates.previous_hosts",
                    "typed_config": {
                        "@type": f"{TYPES}.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
                    },
                }
            ],
            "host_selection_retry_max_attempts": 5,
            "retry_back_off": {"base_interval": "0.005s", "max_interval": "0.1s"},
        }
        if policy.per_try_timeout_s is not None:
            action["retry_policy"]["per_try_timeout"] = f"{policy.per_try_timeout_s:g}s"
    return {"match": {"prefix": prefix}, "route": action}


def _address(address: Address) -> Config:
    return {"socket_address": {"address": address.host, "port_value": address.port}}


def _source(path: Path) -> Config:
    return {"resource_api_version": "V3", "path_config_source": {"path": str(path)}}


def _discovery(kind: str, resources: list[Config]) -> str:
    return _text({"resources": [{"@type": f"{TYPES}.{kind}", **resource} for resource in resources]})


def _text(config: Config) -> str:
    return json.dumps(config, indent=1) + "\n"
