from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.network import Network
from sandbox.prometheus import program
from sandbox.prometheus.program import command, find
from sandbox.state import State


def planted(folder: Path) -> Path:
    folder.mkdir(parents=True)
    file = folder / "prometheus"
    file.write_text("#!/bin/sh\n")
    file.chmod(0o700)
    return file


def test_the_one_on_path_comes_before_the_one_that_make_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "CHECKOUT", tmp_path)
    fetched, installed = planted(tmp_path / ".tools" / "bin"), planted(tmp_path / "usr")
    assert find({"PATH": str(tmp_path / "usr")}) == installed
    assert find({"PATH": "/nowhere"}) == fetched


def test_there_may_be_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "CHECKOUT", tmp_path)
    assert find({"PATH": "/nowhere"}) is None


def test_it_listens_on_loopback_only_and_keeps_everything_in_the_state_directory(tmp_path: Path) -> None:
    state, network = State(tmp_path / "state"), Network("127.95")
    state.create()
    words = command(Path("/usr/bin/prometheus"), state, network, network.regions[1])
    assert "--web.listen-address=127.95.2.3:9090" in words
    paths = [Path(word.partition("=")[2]) for word in words if "=/" in word]
    assert paths
    assert all(path.is_relative_to(state.root) for path in paths)
    assert (state.root / "prometheus" / "us-west-2" / "prometheus.yaml").stat().st_mode & 0o077 == 0
