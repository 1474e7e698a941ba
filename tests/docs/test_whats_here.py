"""The walk through every module leaves none out and invents none."""

from __future__ import annotations

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PACKAGES = ("benchmarks", "bundle", "gameday", "loadprofiles", "report", "sandbox", "scorer")
TEXT = (REPOSITORY / "docs" / "whats-here.md").read_text()


def modules() -> set[str]:
    """Every module of ours; a package's `__init__` says what the package is and nothing else."""
    paths = [path for package in PACKAGES for path in (REPOSITORY / package).rglob("*.py")]
    return {str(path.relative_to(REPOSITORY)) for path in paths if path.name != "__init__.py"}


def test_every_module_is_walked_through() -> None:
    assert {module for module in modules() if f"`{module}`" not in TEXT} == set()


def test_every_module_that_is_named_is_there() -> None:
    named = set(re.findall(r"`([a-z_/]+\.py)`", TEXT))
    assert named - modules() == set()
