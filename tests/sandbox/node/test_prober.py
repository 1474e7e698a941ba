from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from sandbox.node.probe import ProbeKind, ProbeSpec
from sandbox.node.prober import Outcome, Prober
from sandbox.node.process import Launch, spawn

HOST = "127.92.7.1"


async def answer(request: web.Request) -> web.Response:
    if request.headers["User-Agent"] != "kube-probe/1.34":
        return web.Response(status=400)
    return web.Response(status=int(request.match_info["status"]))


@pytest.fixture
async def port() -> AsyncIterator[int]:
    application = web.Application()
    application.router.add_get("/{status}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, HOST, 0)
    await site.start()
    assert site._server is not None
    yield site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    await runner.cleanup()


async def probe(handler: dict[str, Any], tmp_path: Path, **container: Any) -> Outcome:
    spec = ProbeSpec.of({"readinessProbe": {**handler, "timeoutSeconds": 1}}, ProbeKind.READINESS)
    assert spec is not None
    launch = Launch(["unused"], {"PATH": "/usr/bin:/bin"}, tmp_path, tmp_path / "log")
    async with aiohttp.ClientSession() as session:
        return await Prober(session, spawn).probe(spec, container, HOST, launch)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, Outcome(True, "")),
        (302, Outcome(True, "")),
        (404, Outcome(False, "HTTP probe failed with statuscode: 404")),
        (503, Outcome(False, "HTTP probe failed with statuscode: 503")),
    ],
)
async def test_an_http_probe_succeeds_below_400(status: int, expected: Outcome, port: int, tmp_path: Path) -> None:
    assert await probe({"httpGet": {"path": f"/{status}", "port": port}}, tmp_path) == expected


async def test_a_port_can_be_given_by_its_name(port: int, tmp_path: Path) -> None:
    ports = [{"name": "http", "containerPort": port}]
    assert (await probe({"httpGet": {"path": "/200", "port": "http"}}, tmp_path, ports=ports)).success
    assert (await probe({"tcpSocket": {"port": "http"}}, tmp_path, ports=ports)).success
    unknown = await probe({"tcpSocket": {"port": "grpc"}}, tmp_path, ports=ports)
    assert unknown == Outcome(False, "couldn't find port: grpc")


async def test_a_refused_connection_is_a_failure_that_says_so(tmp_path: Path) -> None:
    refused = f"dial tcp {HOST}:9: connect: connection refused"
    assert await probe({"tcpSocket": {"port": 9}}, tmp_path) == Outcome(False, refused)
    url = f"http://{HOST}:9/x"
    assert await probe({"httpGet": {"path": "/x", "port": 9}}, tmp_path) == Outcome(False, f'Get "{url}": {refused}')


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["true"], Outcome(True, "command exited with code 0")),
        (["sh", "-c", "exit 3"], Outcome(False, "command exited with code 3")),
        (["no-such-command"], Outcome(False, "no-such-command: No such file or directory")),
        (["sleep", "9"], Outcome(False, 'command timed out: "sleep 9" timed out after 1s')),
    ],
)
async def test_a_command_is_a_probe_by_its_exit_code(command: list[str], expected: Outcome, tmp_path: Path) -> None:
    assert await probe({"exec": {"command": command}}, tmp_path) == expected


async def test_a_handler_that_the_sandbox_does_not_know_fails(tmp_path: Path) -> None:
    outcome = await probe({"grpc": {"port": 1}}, tmp_path)
    assert not outcome.success
    assert "grpc" not in outcome.output
    assert "httpGet" in outcome.output
