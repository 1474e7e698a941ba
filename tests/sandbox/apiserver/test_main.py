"""The process: how it starts, what it refuses, how it ends."""

from __future__ import annotations

import signal
import socket
import ssl
import subprocess
import time
import urllib.request
from pathlib import Path

import psutil
import pytest

from tests.sandbox.apiserver.cluster import HOST, ROOT, TOKEN, command, free_port, running, write_credentials

GRACE_S = 1.0
MEMORY_LIMIT = 70 * 1024 * 1024


def refused(arguments: list[str]) -> tuple[int, str]:
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    return done.returncode, done.stderr


def test_a_port_in_use_is_named_with_its_holder(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind((HOST, 0))
        holder.listen()
        port = holder.getsockname()[1]
        write_credentials(tmp_path, port)
        code, says = refused(command(tmp_path, f"us-east-1={HOST}:{port}"))
    assert code == 2
    assert f"{HOST}:{port}" in says
    assert f"(pid {psutil.Process().pid})" in says


@pytest.mark.parametrize(
    ("region", "services", "says"),
    [
        ("us-east-1=0.0.0.0:6443", "127.91.48.0/20", "0.0.0.0 is no loopback address"),
        ("us-east-1=10.0.0.1:6443", "127.91.48.0/20", "10.0.0.1 is no loopback address"),
        ("us-east-1=here", "127.91.48.0/20", "give NAME=HOST:PORT and NAME=CIDR"),
        ("us-east-1=127.91.1.1:6443", "127.91.48.7/20", "give NAME=HOST:PORT and NAME=CIDR"),
    ],
)
def test_a_bad_address_is_refused_in_one_line(tmp_path: Path, region: str, services: str, says: str) -> None:
    code, line = refused(command(tmp_path, region, services=services))
    assert code == 2
    assert says in line


def test_missing_credentials_are_named(tmp_path: Path) -> None:
    code, says = refused(command(tmp_path, f"us-east-1={HOST}:{free_port()}"))
    assert code == 2
    assert "server.crt" in says


def test_an_empty_token_lets_nobody_in_and_so_is_refused(tmp_path: Path) -> None:
    write_credentials(tmp_path, 1)
    (tmp_path / "token").write_text("\n")
    code, says = refused(command(tmp_path, f"us-east-1={HOST}:{free_port()}"))
    assert code == 2
    assert "write the bearer token into it" in says


def test_sigterm_ends_it_within_a_second_with_a_watch_open(tmp_path: Path) -> None:
    with running(tmp_path) as cluster:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        request = urllib.request.Request(f"{cluster.url}/api/v1/pods?watch=true", headers=headers)
        trust = ssl.create_default_context(cafile=str(cluster.ca_file))
        with urllib.request.urlopen(request, context=trust, timeout=10) as stream:
            began = time.monotonic()
            cluster.process.send_signal(signal.SIGTERM)
            assert stream.read() == b""
            assert cluster.process.wait(10) == 0
            assert time.monotonic() - began < GRACE_S


def test_it_takes_little_memory(tmp_path: Path) -> None:
    with running(tmp_path) as cluster:
        assert psutil.Process(cluster.process.pid).memory_info().rss < MEMORY_LIMIT
