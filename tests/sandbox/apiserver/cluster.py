"""A real API server in a process of its own, and the unmodified clients that talk to it."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme
import yaml

HOST = "127.91.1.1"
SERVICES = "127.91.48.0/20"
TOKEN = "let-me-in"
ROOT = Path(__file__).parents[3]


def kubectls() -> list[str]:
    """The kubectl of the environment and, where it is another one, that of the machine."""
    found = (Path(sys.executable).with_name("kubectl"), Path("/usr/bin/kubectl"))
    return [str(path) for path in found if path.exists()]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])


@dataclass
class Cluster:
    """A running server of one region."""

    directory: Path
    port: int
    process: subprocess.Popen[str]

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.port}"

    @property
    def ca_file(self) -> Path:
        return self.directory / "ca.crt"

    @property
    def kubeconfig(self) -> Path:
        return self.directory / "kubeconfig"

    def request(self, method: str, path: str, body: Any = None) -> None:
        """Make a request without a client in between, for what a test only prepares."""
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        trust = ssl.create_default_context(cafile=str(self.ca_file))
        with urllib.request.urlopen(request, context=trust, timeout=10) as answer:
            answer.read()

    def environment(self) -> dict[str, str]:
        home = {"KUBECONFIG": str(self.kubeconfig), "HOME": str(self.directory)}
        return {**os.environ, **home}

    def run(self, kubectl: str, *arguments: str, given: Any = None) -> subprocess.CompletedProcess[str]:
        """Run kubectl; `given` goes to its standard input as JSON."""
        return subprocess.run(
            [kubectl, *arguments],
            input=None if given is None else json.dumps(given),
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    def kubectl(self, kubectl: str, *arguments: str, given: Any = None) -> str:
        """Run kubectl and return what it printed; it has to succeed."""
        done = self.run(kubectl, *arguments, given=given)
        assert done.returncode == 0, done.stderr
        return done.stdout


def command(directory: Path, *regions: str, services: str = SERVICES) -> list[str]:
    """The command line that serves `regions`, each `NAME=HOST:PORT`, with the credentials in `directory`."""
    named = [argument for region in regions for argument in ("--region", region)]
    networks = [argument for region in regions for argument in ("--service-cidr", f"{region.split('=')[0]}={services}")]
    files = ("--cert", "server.crt", "--key", "server.key", "--token-file", "token")
    paths = [part if part.startswith("--") else str(directory / part) for part in files]
    # The nodes of these tests have no agents to scrape.
    scraping = ("--metric-resolution", "1h")
    return [sys.executable, "-m", "sandbox.apiserver", *named, *networks, *paths, *scraping]


def write_credentials(directory: Path, port: int) -> None:
    authority = trustme.CA()
    server = authority.issue_cert(HOST)
    authority.cert_pem.write_to_path(str(directory / "ca.crt"))
    server.private_key_pem.write_to_path(str(directory / "server.key"))
    server.cert_chain_pems[0].write_to_path(str(directory / "server.crt"))
    (directory / "token").write_text(f"{TOKEN}\n")
    address = {"server": f"https://{HOST}:{port}", "certificate-authority": str(directory / "ca.crt")}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "us-east-1", "cluster": address}],
        "users": [{"name": "me", "user": {"token": TOKEN}}],
        "contexts": [{"name": "us-east-1", "context": {"cluster": "us-east-1", "user": "me"}}],
        "current-context": "us-east-1",
    }
    (directory / "kubeconfig").write_text(yaml.safe_dump(config))


@contextmanager
def running(directory: Path) -> Iterator[Cluster]:
    """Serve until the block ends."""
    port = free_port()
    write_credentials(directory, port)
    line = command(directory, f"us-east-1={HOST}:{port}")
    with subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            assert process.stdout.readline() == "ready\n", process.stderr.read()
            yield Cluster(directory, port, process)
        finally:
            process.terminate()
            process.wait(10)
        assert process.stderr.read() == ""
