"""A real API server of the sandbox, without controllers: objects are exactly what a test makes of them."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
import yaml

from gameday.cluster import Cluster
from sandbox.network import Address, Network
from tests.gameday.kubernetes import NAMESPACE, TOKEN, Objects, kubeconfig_for, use


@pytest.fixture(scope="session")
def network(worker_id: str) -> Network:
    """A loopback network that no other test process uses, of this run of the tests or of another beside it."""
    number = int(worker_id.removeprefix("gw")) if worker_id != "master" else 0
    networks = (Network(f"127.{block + number}") for block in range(100, 250, 10))
    return next(network for network in networks if free(network.regions[0].api))


def free(address: Address) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
        except OSError:
            return False
    return True


@pytest.fixture(scope="session")
def kubeconfig(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of a running API server with one region, us-east-1."""
    folder = tmp_path_factory.mktemp("apiserver")
    region = network.regions[0]
    authority = trustme.CA()
    server = authority.issue_cert(region.api.host)
    authority.cert_pem.write_to_path(folder / "ca.crt")
    server.cert_chain_pems[0].write_to_path(folder / "server.crt")
    server.private_key_pem.write_to_path(folder / "server.key")
    (folder / "token").write_text(TOKEN)
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "sandbox.apiserver",
            "--region",
            f"{region.name}={region.api}",
            "--service-cidr",
            f"{region.name}={region.services}",
            "--cert",
            folder / "server.crt",
            "--key",
            folder / "server.key",
            "--token-file",
            folder / "token",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        path = folder / "kubeconfig"
        path.write_text(yaml.safe_dump(kubeconfig_for(region.api_url, authority.cert_pem.bytes())))
        yield path
    finally:
        process.terminate()
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture
def cluster(kubeconfig: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """A connection to the API server, as `--context us-east-1` makes it."""
    use(kubeconfig, monkeypatch)
    return Cluster.from_kubeconfig("us-east-1")


@pytest.fixture
def objects(cluster: Cluster) -> Iterator[Objects]:
    """An empty namespace to make objects in; emptied again afterwards."""
    made = Objects(cluster)
    if NAMESPACE not in [n["metadata"]["name"] for n in cluster.get("/api/v1/namespaces")["items"]]:
        made.call(
            "POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        )
    yield made
    for what in ("pods", "deployments", "services"):
        for item in cluster.list(what)["items"]:
            base = "/apis/apps/v1" if what == "deployments" else "/api/v1"
            made.call("DELETE", f"{base}/namespaces/{NAMESPACE}/{what}/{item['metadata']['name']}?gracePeriodSeconds=0")
