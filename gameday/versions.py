"""Which version of every tool took part, for the manifest."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

TOOLS = (
    "gameday",
    "chaostoolkit",
    "chaostoolkit-lib",
    "chaostoolkit-kubernetes",
    "locust",
    "kubernetes",
    "numpy",
    "pyarrow",
    "scipy",
)


def tool_versions() -> dict[str, str]:
    """Version by name of Python and of every package that decides what is run and recorded."""
    found = {"python": platform.python_version()}
    for name in TOOLS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
