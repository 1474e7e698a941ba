"""The manager as a process of its own, against API servers in three regions over TLS."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
import yaml

from sandbox.client import DEPLOYMENTS, NAMESPACES, PODS, ApiClient, Informer, KubeObject
from sandbox.kubeconfig import load
from sandbox.manager import main
from sandbox.network import Network
from sandbox.traffic.files import prepare
from tests.sandbox.builders import deployment, on_sigterm
from tests.sandbox.world import alive, is_ready, process_id, worker_number

NETWORK = Network(f"127.{140 + worker_number()}")


def write_access(state: Path) -> Path:
    """Certificates, a token and a kubeconfig."""
    authority = trustme.CA()
    certificate = authority.issue_cert(*(region.api.host for region in NETWORK.regions))
    (state / "crt").write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    (state / "key").write_bytes(certificate.private_key_pem.bytes())
    (state / "token").write_text("token")
    ca_data = base64.b64encode(authority.cert_pem.bytes()).decode()
    config = {
        "clusters": [
            {"name": region.name, "cluster": {"server": region.api_url, "certificate-authority-data": ca_data}}
            for region in NETWORK.regions
        ],
        "users": [{"name": "user", "user": {"token": "token"}}],
        "contexts": [
            {"name": region.name, "context": {"cluster": region.name, "user": "user"}} for region in NETWORK.regions
        ],
    }
    path = state / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path


def manager_command(kubeconfig: Path, state: Path) -> list[str]:
    options = ["--kubeconfig", str(kubeconfig), "--state", str(state), "--network", NETWORK.prefix]
    return [sys.executable, "-m", "sandbox.manager", *options]


@pytest.fixture
def api_servers(tmp_path: Path) -> Iterator[Path]:
    """Three API servers; the path of their kubeconfig."""
    kubeconfig = write_access(tmp_path)
    command = [sys.executable, "-m", "sandbox.apiserver", "--cert", "crt", "--key", "key", "--token-file", "token"]
    for region in NETWORK.regions:
        command = [
            *command,
            "--region",
            f"{region.name}={region.api}",
            "--service-cidr",
            f"{region.name}={region.services}",
        ]
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, env=environment) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        yield kubeconfig
        server.terminate()


async def test_the_manager_serves_three_regions_and_ends_all_pods_when_it_is_told_to(
    api_servers: Path, tmp_path: Path
) -> None:
    prepare(tmp_path, NETWORK)
    with subprocess.Popen(manager_command(api_servers, tmp_path), stdout=subprocess.PIPE) as manager:
        try:
            assert manager.stdout is not None
            assert manager.stdout.readline() == b"ready\n"
            pids = [await start_pod(api_servers, region.name, tmp_path) for region in NETWORK.regions]
            assert all(map(alive, pids))
            began = time.monotonic()
            manager.send_signal(signal.SIGTERM)
            assert manager.wait(10) == 0
            assert time.monotonic() - began < 5.0
            assert not any(map(alive, pids))
        finally:
            manager.kill()


async def start_pod(kubeconfig: Path, region: str, state: Path) -> int:
    """Run a deployment of one pod that ignores SIGTERM; the id of its process."""
    access = load(kubeconfig)[region]
    ready: asyncio.Future[KubeObject] = asyncio.get_running_loop().create_future()

    def look(_kind: str, pod: KubeObject, _old: KubeObject | None) -> None:
        if is_ready(pod) and not ready.done():
            ready.set_result(pod)

    async with ApiClient(access.server, access.token, access.ca_file, ca_pem=access.ca_pem) as client:
        await client.create(NAMESPACES, {"metadata": {"name": "tars"}})
        deaf = on_sigterm("", state / f"set-{region}")
        await client.create(DEPLOYMENTS, deployment(replicas=1, containers=[deaf]))
        watching = asyncio.create_task(Informer(client, PODS, look).run())
        async with asyncio.timeout(20):
            pod = await ready
        watching.cancel()
        return process_id(pod)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "can't be read: No such file or directory"),
        ("{", "no YAML"),
        ("clusters: []\nusers: []\ncontexts: []\n", "no context us-east-1, us-west-2, eu-central-1"),
        ("[]", "no kubeconfig with servers and tokens"),
    ],
)
def test_a_bad_kubeconfig_is_one_line_and_exit_code_2(
    text: str | None, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "kubeconfig"
    if text is not None:
        path.write_text(text)
    assert main(manager_command(path, tmp_path)[3:]) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert f"{path}: " in error
    assert says in error


def test_a_bug_ends_the_manager_with_its_traceback(api_servers: Path, tmp_path: Path) -> None:
    """Traffic finds its directory missing, which stands here for any failure that nobody foresaw."""
    done = subprocess.run(
        manager_command(api_servers, tmp_path), capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "FileNotFoundError" in done.stderr
