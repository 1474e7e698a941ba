from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from gameday.load.sources import digest, imported


def module(name: str, file: Path | None) -> ModuleType:
    made = ModuleType(name)
    made.__file__ = None if file is None else str(file)
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A profile, and a file that it imports."""
    (tmp_path / "profile.py").write_text("import traffic")
    (tmp_path / "traffic.py").write_text("PER_S = 3")
    return tmp_path


def test_what_a_profile_imports_is_its_own_files_and_nothing_else(folder: Path) -> None:
    import json

    import numpy as np

    import gameday.load.sources as ours

    loaded = {
        "traffic": module("traffic", folder / "traffic.py"),
        "profile": module("profile", folder / "profile.py"),
        "sys": sys,
        "made_up": module("made_up", None),
        "gone": module("gone", folder / "gone.py"),
        "sitecustomize": module("sitecustomize", folder / "traffic.py"),
        **{name: module(name, Path(str(m.__file__))) for name, m in (("json", json), ("numpy", np))},
        "gameday.load.sources": ours,
    }
    assert imported(folder / "profile.py", loaded) == {"traffic": folder / "traffic.py"}


def test_what_is_installed_in_a_folder_of_its_own_on_the_path_is_not_a_profile_s(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `pip install --target` and PYTHONPATH have it in an image."""
    site = tmp_path_factory.mktemp("site")
    (site / "library").mkdir()
    (site / "library" / "__init__.py").touch()
    (site / "library-1.0.dist-info").mkdir()
    monkeypatch.syspath_prepend(site)
    loaded = {
        "traffic": module("traffic", folder / "traffic.py"),
        "library": module("library", site / "library" / "__init__.py"),
    }
    assert imported(folder / "profile.py", loaded) == {"traffic": folder / "traffic.py"}


def test_the_digest_is_of_what_the_files_hold_not_of_where_they_lie(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for file in folder.iterdir():
        (elsewhere / file.name).write_bytes(file.read_bytes())
    here, there = ({"traffic": where / "traffic.py"} for where in (folder, elsewhere))
    assert digest(folder / "profile.py", here) == digest(elsewhere / "profile.py", there)


@pytest.mark.parametrize("changed", ["profile.py", "traffic.py"])
def test_a_change_of_either_changes_the_digest(folder: Path, changed: str) -> None:
    modules = {"traffic": folder / "traffic.py"}
    before = digest(folder / "profile.py", modules)
    (folder / changed).write_text("PER_S = 4")
    assert digest(folder / "profile.py", modules) != before


def test_a_module_more_or_of_another_name_changes_the_digest(folder: Path) -> None:
    file = folder / "traffic.py"
    digests = [digest(folder / "profile.py", modules) for modules in ({}, {"traffic": file}, {"other": file})]
    assert len(set(digests)) == 3
