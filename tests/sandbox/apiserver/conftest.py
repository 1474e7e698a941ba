from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox.apiserver.cluster import Cluster, running


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A server of one region, for the tests of a module."""
    with running(tmp_path_factory.mktemp("apiserver")) as served:
        yield served
