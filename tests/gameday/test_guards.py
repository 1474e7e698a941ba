"""What must hold of Chaos Mesh before a fault may be injected by it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from gameday.chaosmesh import ChaosResource
from gameday.cluster import ApiError
from gameday.errors import GuardRefused
from gameday.guards import check_chaos_mesh

SLOW = ChaosResource(activity="a", context="east", namespace="tars", resource="networkchaos", name="slow")


class Cluster:
    """Answers some paths, and refuses the others with 404 or what it is told."""

    def __init__(self, *paths: str, code: int = 404) -> None:
        self._paths, self._code = paths, code

    def get(self, path: str, *, query: Mapping[str, str]) -> dict[str, Any]:
        assert query == {"limit": "1"}
        if path not in self._paths:
            raise ApiError(self._code, "page not found")
        return {}


def check(cluster: Cluster) -> None:
    check_chaos_mesh([SLOW], {"east": cluster})  # type: ignore[dict-item]  # all that is used of it


def test_a_cluster_with_chaos_mesh_and_nothing_of_that_name_is_ready() -> None:
    check(Cluster(SLOW.collection))


@pytest.mark.parametrize(
    ("cluster", "what", "do"),
    [
        (Cluster(), "networkchaos.chaos-mesh.org cannot be used: HTTP 404: page not found", "install Chaos Mesh"),
        (Cluster(code=403), "cannot be used: HTTP 403", "see to it that you may use it"),
        (Cluster(SLOW.collection, SLOW.path), "there is a networkchaos slow already", SLOW.removal),
    ],
)
def test_one_that_could_not_make_the_fault_anew_is_refused(cluster: Cluster, what: str, do: str) -> None:
    with pytest.raises(GuardRefused) as refused:
        check(cluster)
    assert what in refused.value.what
    assert do in refused.value.do
    assert refused.value.where == "context east, namespace tars"
