"""One hardened sandbox for all the tests that leave it as they found it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.sandbox import Sandbox, sandbox


@pytest.fixture(scope="session")
def hardened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A hardened sandbox."""
    with sandbox(tmp_path_factory.mktemp("hardened"), "hardened") as running:
        yield running
