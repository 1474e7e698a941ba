"""Where Prometheus is, and how one is started for a region."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from sandbox.network import Network, Region
from sandbox.prometheus.configuration import configuration
from sandbox.state import State

CHECKOUT = Path(__file__).parents[2]
ENVIRONMENT = {"GOMEMLIMIT": "96MiB", "GOGC": "50", "GOMAXPROCS": "1"}
"""It collects garbage sooner and leaves a core to the pods: three run beside everything else."""


def find(environment: Mapping[str, str]) -> Path | None:
    """The program on PATH, else the one that `make tools` has fetched; None where there is none."""
    path = os.pathsep.join([environment.get("PATH", os.defpath), str(CHECKOUT / ".tools" / "bin")])
    found = shutil.which("prometheus", path=path)
    return None if found is None else Path(found)


def directory(state: Path, region: Region) -> Path:
    """Where a region's Prometheus keeps its configuration, its targets and its data."""
    return state / "prometheus" / region.name


def targets_file(state: Path, region: Region) -> Path:
    """The list of pods to scrape, which the manager keeps."""
    return directory(state, region) / "pods.json"


def command(program: Path, state: State, network: Network, region: Region) -> list[str]:
    """Write the configuration; returns the command that starts the region's Prometheus."""
    own = directory(state.root, region)
    own.mkdir(parents=True, exist_ok=True, mode=0o700)
    rules = CHECKOUT / "deploy" / "prometheus" / "*.yaml"
    file = own / "prometheus.yaml"
    state.write_private(file, configuration(network, region, targets_file(state.root, region), rules))
    return [
        str(program),
        f"--config.file={file}",
        f"--storage.tsdb.path={own / 'data'}",
        "--storage.tsdb.retention.size=512MB",
        f"--web.listen-address={region.prometheus}",
        "--log.level=warn",
    ]
