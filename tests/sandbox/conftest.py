from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.sandbox.world import World, running_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A region with its controllers and node agent, and an empty namespace `tars`."""
    async with running_world(tmp_path) as made:
        yield made
