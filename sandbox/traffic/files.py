"""Envoy's files on disk: where they lie, what Envoy starts with, and how one is replaced."""

from __future__ import annotations

import os
from pathlib import Path

from sandbox.network import Network
from sandbox.traffic.envoy import bootstrap, render


def envoy_directory(state: Path) -> Path:
    """Where Envoy's files lie in a state directory."""
    return state / "envoy"


def prepare(state: Path, network: Network) -> Path:
    """Write the files that Envoy starts with, when no Service is known yet; returns its bootstrap file."""
    directory = envoy_directory(state)
    (directory / "eds").mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, text in render([], network, directory).items():
        replace_file(directory / name, text)
    path = directory / "bootstrap.json"
    replace_file(path, bootstrap(network, directory))
    return path


def replace_file(path: Path, text: str) -> None:
    """Put `text` in place at once: Envoy reads a file when another is renamed over it."""
    beside = path.with_suffix(".new")
    beside.write_text(text)
    os.replace(beside, path)
