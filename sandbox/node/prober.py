"""Carries out one probe: HTTP request, TCP connection or command."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp

from sandbox.client import KubeObject
from sandbox.node.probe import ProbeSpec
from sandbox.node.process import Launch, Spawn, run_command


@dataclass(frozen=True)
class Outcome:
    """The result of one probe and what to say about it."""

    success: bool
    output: str


def port_number(container: KubeObject, port: int | str) -> int:
    """A port given by number or by the name of one of the container's ports; raises ValueError for an unknown name."""
    if isinstance(port, int):
        return port
    for declared in container.get("ports") or []:
        if declared.get("name") == port:
            return int(declared["containerPort"])
    if port.isdigit():
        return int(port)
    raise ValueError(f"couldn't find port: {port}")


class Prober:
    """Makes probes; the HTTP session is given, so that its owner can close it."""

    def __init__(self, session: aiohttp.ClientSession, spawn: Spawn) -> None:
        self._session = session
        self._spawn = spawn

    async def probe(self, spec: ProbeSpec, container: KubeObject, pod_ip: str, launch: Launch) -> Outcome:
        """One probe of a running container; it takes `timeoutSeconds` at most."""
        try:
            if "httpGet" in spec.handler:
                return await self._http(spec, container, pod_ip)
            if "tcpSocket" in spec.handler:
                return await self._tcp(spec, container, pod_ip)
            if "exec" in spec.handler:
                return await self._command(spec, launch)
        except ValueError as error:
            return Outcome(False, str(error))
        return Outcome(False, "missing probe handler: the sandbox knows httpGet, tcpSocket and exec")

    async def _http(self, spec: ProbeSpec, container: KubeObject, pod_ip: str) -> Outcome:
        get = spec.handler["httpGet"]
        host, port = get.get("host") or pod_ip, port_number(container, get["port"])
        url = f"{get.get('scheme', 'HTTP').lower()}://{host}:{port}/{get.get('path', '/').lstrip('/')}"
        headers = {header["name"]: header["value"] for header in get.get("httpHeaders") or []}
        try:
            async with self._session.get(
                url,
                headers={"User-Agent": "kube-probe/1.34", "Connection": "close", **headers},
                timeout=aiohttp.ClientTimeout(total=spec.timeout_s),
                allow_redirects=False,
                ssl=False,
            ) as response:
                if 200 <= response.status < 400:
                    return Outcome(True, "")
                return Outcome(False, f"HTTP probe failed with statuscode: {response.status}")
        except TimeoutError:
            return Outcome(False, f'Get "{url}": context deadline exceeded (Client.Timeout exceeded)')
        except aiohttp.ClientConnectorError as error:
            return Outcome(False, f'Get "{url}": {_refusal(host, port, error.os_error)}')
        except aiohttp.ClientError as error:
            return Outcome(False, f'Get "{url}": {error or type(error).__name__}')

    async def _tcp(self, spec: ProbeSpec, container: KubeObject, pod_ip: str) -> Outcome:
        socket = spec.handler["tcpSocket"]
        host, port = socket.get("host") or pod_ip, port_number(container, socket["port"])
        try:
            async with asyncio.timeout(spec.timeout_s):
                _, writer = await asyncio.open_connection(host, port)
        except TimeoutError:
            return Outcome(False, f"dial tcp {host}:{port}: i/o timeout")
        except OSError as error:
            return Outcome(False, _refusal(host, port, error))
        writer.close()
        return Outcome(True, "")

    async def _command(self, spec: ProbeSpec, launch: Launch) -> Outcome:
        command = spec.handler["exec"].get("command") or []
        try:
            code = await run_command(self._spawn, replace(launch, argv=command, log=Path("/dev/null")), spec.timeout_s)
        except OSError as error:
            return Outcome(False, f"{' '.join(command)}: {error.strerror}")
        if code is None:
            return Outcome(False, f'command timed out: "{" ".join(command)}" timed out after {spec.timeout_s}s')
        return Outcome(code == 0, f"command exited with code {code}")


def _refusal(host: str, port: int, error: OSError) -> str:
    """In Go's words; asyncio replaces the system's text by its own, so that is looked up again."""
    text = os.strerror(error.errno) if error.errno else str(error)
    return f"dial tcp {host}:{port}: connect: {text.lower()}"
