"""Finding where load enters a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gameday.cluster import Cluster
from gameday.errors import BadInput
from gameday.plan import find_entry, requests_needed
from scorer.targets import Targets
from tests.gameday.kubernetes import NAMESPACE, Objects

SERVICES = f"/api/v1/namespaces/{NAMESPACE}/services"


def entry(objects: Objects, ingress: list[dict[str, Any]] | None) -> None:
    """A LoadBalancer Service with the entry's label and this status."""
    objects.call(
        "POST",
        SERVICES,
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "entry", "labels": {"gameday.dev/entry": "true"}},
            "spec": {"type": "LoadBalancer", "ports": [{"port": 8080}]},
        },
    )
    if ingress is not None:
        status = {"status": {"loadBalancer": {"ingress": ingress}}}
        objects.cluster.merge_patch(f"{SERVICES}/entry/status", status)


@pytest.mark.parametrize(
    ("ingress", "url"),
    [
        ([{"ip": "127.64.0.1"}], "http://127.64.0.1:8080"),
        ([{"hostname": "entry.example"}], "http://entry.example:8080"),
    ],
)
def test_the_entry_is_the_labelled_service(
    cluster: Cluster, objects: Objects, ingress: list[dict[str, Any]], url: str
) -> None:
    entry(objects, ingress)
    assert find_entry(cluster) == url


def test_a_cluster_without_an_entry_asks_for_the_host(cluster: Cluster, objects: Objects) -> None:
    assert objects
    with pytest.raises(BadInput, match=r"context us-east-1, namespace tars: no Service .* --host"):
        find_entry(cluster)


def test_an_entry_without_an_address_is_told_by_its_name(cluster: Cluster, objects: Objects) -> None:
    entry(objects, None)
    with pytest.raises(BadInput, match="Service entry has no address yet"):
        find_entry(cluster)


REPOSITORY = Path(__file__).parents[2]


def test_the_recovery_phase_lasts_for_as_many_requests_as_the_strictest_promise_needs() -> None:
    """99.5 % with 95 % confidence takes 598 good requests, and a fifth is to spare."""
    targets = Targets.load(REPOSITORY / "runbook" / "targets.yaml")
    assert requests_needed(targets, "pod-kill") == 718
