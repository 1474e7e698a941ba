"""Serve the API of every region from one process until SIGTERM.

python -m sandbox.apiserver --region us-east-1=127.64.1.1:6443 --service-cidr us-east-1=127.64.48.0/20
                            --cert server.crt --key server.key --token-file token
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import ssl
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from random import SystemRandom

from aiohttp import web

from sandbox.apiserver.addresses import AddressPool
from sandbox.apiserver.catalogue import Catalogue
from sandbox.apiserver.ports import holder_of
from sandbox.apiserver.registry import Registry
from sandbox.apiserver.scraper import Scraper
from sandbox.apiserver.server import ApiServer
from sandbox.apiserver.store import Store
from sandbox.clock import NS_PER_S, timestamp
from sandbox.errors import AddressInUse, BadNetwork, SandboxError
from sandbox.periods import Periods

_EVENT_LIFE_NS = 3600 * NS_PER_S
_EVENT_SWEEP_S = 60.0


@dataclass(frozen=True, slots=True)
class Region:
    """One region to serve: its name, where, and the network of its ClusterIPs."""

    name: str
    host: str
    port: int
    services: IPv4Network


def parse_regions(listen: Sequence[str], service_cidrs: Sequence[str]) -> list[Region]:
    """Return the regions of `NAME=HOST:PORT` and `NAME=CIDR` arguments; raises BadNetwork."""
    networks = dict(each.partition("=")[::2] for each in service_cidrs)
    regions = []
    for argument in listen:
        name, _, address = argument.partition("=")
        host, _, port = address.rpartition(":")
        if name not in networks:
            raise BadNetwork("the region has no service network", where=name, do=f"give --service-cidr {name}=CIDR")
        try:
            loopback = IPv4Address(host).is_loopback
            regions.append(Region(name, host, int(port), IPv4Network(networks[name])))
        except ValueError as error:
            raise BadNetwork(str(error), where=argument, do="give NAME=HOST:PORT and NAME=CIDR") from error
        if not loopback:
            raise BadNetwork(f"{host} is no loopback address", where=name, do="give one within 127.0.0.0/8")
    return regions


async def serve(regions: Sequence[Region], tls: ssl.SSLContext, token: str, metric_resolution_s: float) -> None:
    """Serve `regions` until SIGTERM or SIGINT; raises AddressInUse."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    registries = [_registry(region) for region in regions]
    runners = []
    try:
        for region, registry in zip(regions, registries, strict=True):
            runner = ApiServer(registry, token).runner()
            await runner.setup()
            runners.append(runner)
            await _listen(runner, region, tls)
        print("ready", flush=True)
        async with asyncio.TaskGroup() as tasks:
            scraping = [
                tasks.create_task(Scraper(registry, token, metric_resolution_s).run()) for registry in registries
            ]
            await _until(stop, registries)
            for task in scraping:
                task.cancel()
    finally:
        await asyncio.gather(*(runner.cleanup() for runner in runners))


async def _listen(runner: web.AppRunner, region: Region, tls: ssl.SSLContext) -> None:
    try:
        await web.TCPSite(runner, region.host, region.port, ssl_context=tls).start()
    except OSError as error:
        where = f"{region.name} at {region.host}:{region.port}"
        holder = holder_of(region.host, region.port)
        raise AddressInUse(
            f"the port is held by {holder}" if holder else error.strerror or str(error),
            where=where,
            do="stop it, or choose another network",
        ) from error


async def _until(stop: asyncio.Event, registries: Sequence[Registry]) -> None:
    while not stop.is_set():
        for registry in registries:
            registry.forget_events_before(timestamp(time.time_ns() - _EVENT_LIFE_NS))
        try:
            await asyncio.wait_for(stop.wait(), _EVENT_SWEEP_S)
        except TimeoutError:
            continue


def _registry(region: Region) -> Registry:
    # Versions begin at the time in milliseconds, so that they always exceed those of an earlier process.
    store = Store(first_version=time.time_ns() // 1_000_000)
    return Registry(region.name, Catalogue(), store, AddressPool(region.services), time.time_ns, SystemRandom())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.apiserver", description=__doc__)
    parser.add_argument("--region", action="append", required=True, metavar="NAME=HOST:PORT")
    parser.add_argument("--service-cidr", action="append", required=True, metavar="NAME=CIDR")
    parser.add_argument("--cert", type=Path, required=True)
    parser.add_argument("--key", type=Path, required=True)
    parser.add_argument("--token-file", type=Path, required=True)
    Periods.add_to(parser)
    given = parser.parse_args(arguments)
    try:
        regions = parse_regions(given.region, given.service_cidr)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(given.cert, given.key)
        token = given.token_file.read_text().strip()
        if not token:
            raise SandboxError("the file is empty", where=str(given.token_file), do="write the bearer token into it")
        asyncio.run(serve(regions, tls, token, Periods.of(vars(given)).metric_resolution_s))
    except SandboxError as error:
        print(error.line(), file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"{error.filename or given.cert}: {error.strerror or error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
