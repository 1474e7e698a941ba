"""The code that makes a load: the profile, and the files of its own that it imports."""

from __future__ import annotations

import hashlib
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

OURS = ("gameday", "bundle", "scorer", "report")
"""Packages of this project, which have a version of their own."""
AT_START = ("__main__", "sitecustomize", "usercustomize")
"""What Python loads before any profile; Debian has a `sitecustomize` beside its configuration."""


def imported(profile: Path, modules: Mapping[str, ModuleType] | None = None) -> dict[str, Path]:
    """The files of a loaded profile's own modules, by the modules' names: neither Python's, nor installed, nor ours.

    modules: what is loaded; None: what this process has loaded. A module that a task imports later is not among them.
    """
    folders = _installed_in()
    found = {}
    for name, module in sorted((sys.modules if modules is None else modules).items()):
        origin = getattr(module, "__file__", None)
        if origin is None or name in AT_START or name.partition(".")[0] in OURS:
            continue
        path = Path(origin).resolve()
        if path != profile.resolve() and path.is_file() and not folders.intersection(path.parents):
            found[name] = path
    return found


def _installed_in() -> set[Path]:
    """Where Python's own modules lie, and what was installed: also by a way that `sysconfig` knows nothing of."""
    records = {record.parent for entry in sys.path for record in Path(entry).glob("*.dist-info")}
    return {folder.resolve() for folder in [*map(Path, sysconfig.get_paths().values()), *records]}


def digest(profile: Path, modules: Mapping[str, Path]) -> str:
    """The SHA-256 of a profile and of the modules that it imports: the same wherever they lie. Raises OSError."""
    whole = hashlib.sha256(hashlib.sha256(profile.read_bytes()).digest())
    for name, path in sorted(modules.items()):
        whole.update(hashlib.sha256(name.encode()).digest() + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()
