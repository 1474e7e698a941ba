"""`sandbox status` as a person reads it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

import click
from rich.console import Console
from rich.table import Table

from sandbox.overview import Overview

MIB = 1024 * 1024


def print_status(seen: Overview, variables: Mapping[str, str]) -> None:
    """Print it, with the variables as lines for a shell."""
    if not seen.manner:
        click.echo(seen.trouble)
        return
    click.echo(
        f"{seen.manner} on {seen.network}, up for {seen.uptime_s:.0f} s, {seen.memory_bytes / MIB:.0f} MiB, "
        f"entry {seen.entry}"
    )
    for name, value in variables.items():
        click.echo(f"export {name}={shlex.quote(value)}")
    console = Console(highlight=False)
    regions = Table("region", "pods ready")
    for region in dict.fromkeys(pod.region for pod in seen.pods):
        own = [pod.up for pod in seen.pods if pod.region == region]
        regions.add_row(region, f"{sum(own)}/{len(own)}")
    console.print(regions)
    processes = Table("pid", "part", "MiB")
    for process in sorted(seen.processes, key=lambda process: (process.what == "pod", process.pid)):
        processes.add_row(str(process.pid), process.what, f"{process.memory_bytes / MIB:.0f}")
    console.print(processes)
    if seen.trouble:
        click.echo(f"trouble: {seen.trouble}")
