from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.client import KubeObject
from sandbox.controllers.selection import NothingSelected, chosen, selected

NODES = [
    {"metadata": {"name": "node-1", "labels": {"zone": "a"}}},
    {"metadata": {"name": "node-2", "labels": {"zone": "b"}}},
    {"metadata": {"name": "node-3"}},
]


def pod(name: str, namespace: str = "tars", node: str = "node-1", phase: str = "Running", **meta: Any) -> KubeObject:
    metadata = {"name": name, "namespace": namespace, "labels": {"app": name[:3]}, **meta}
    return {"metadata": metadata, "spec": {"nodeName": node}, "status": {"phase": phase}}


PODS = [
    pod("web-2", node="node-2"),
    pod("web-1", annotations={"team": "blue"}),
    pod("web-3", node="node-3", phase="Pending"),
    pod("api-1"),
    pod("web-1", namespace="other"),
]


def names(spec: KubeObject) -> list[str]:
    found = selected({"namespaces": ["tars"], **spec}, PODS, NODES)
    return [f"{each['metadata']['namespace']}/{each['metadata']['name']}" for each in found]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, ["tars/api-1", "tars/web-1", "tars/web-2", "tars/web-3"]),
        ({"namespaces": ["other", "tars"], "labelSelectors": {"app": "web"}},
         ["other/web-1", "tars/web-1", "tars/web-2", "tars/web-3"]),
        ({"labelSelectors": {"app": "api"}}, ["tars/api-1"]),
        ({"expressionSelectors": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}, ["tars/api-1"]),
        ({"annotationSelectors": {"team": "blue"}}, ["tars/web-1"]),
        ({"fieldSelectors": {"metadata.name": "web-2", "spec.nodeName": "node-2"}}, ["tars/web-2"]),
        ({"podPhaseSelectors": ["Pending", "Failed"]}, ["tars/web-3"]),
        ({"nodes": ["node-3"]}, ["tars/web-3"]),
        ({"nodeSelectors": {"zone": "b"}}, ["tars/web-2"]),
        ({"nodeSelectors": {"zone": "b"}, "nodes": ["node-3"]}, ["tars/web-2", "tars/web-3"]),
        ({"nodeSelectors": {"zone": "z"}}, []),
        # Pods that are named are taken whatever else is asked for; those that are not there are passed over.
        ({"pods": {"other": ["web-1", "gone"]}, "labelSelectors": {"app": "api"}}, ["other/web-1"]),
    ],
)  # fmt: skip
def test_a_selector_selects_what_it_selects_in_chaos_mesh(spec: KubeObject, expected: list[str]) -> None:
    assert names(spec) == expected


@pytest.mark.parametrize(
    ("mode", "value", "number"),
    [("one", "", 1), ("all", "", 5), ("fixed", "2", 2), ("fixed", "9", 5), ("fixed-percent", "100", 5),
     ("fixed-percent", "41", 3), ("fixed-percent", "1", 1)],
)  # fmt: skip
def test_a_mode_picks_as_many_as_it_says(mode: str, value: str, number: int) -> None:
    picked = chosen(mode, value, PODS, Random(1))
    assert len(picked) == number
    assert len({id(each) for each in picked}) == number


@given(st.integers(0, 2**32), st.integers(1, 100))
def test_a_greatest_percentage_is_never_exceeded(seed: int, percentage: int) -> None:
    picked = chosen("random-max-percent", str(percentage), PODS, Random(seed))
    assert len(picked) <= -(-len(PODS) * percentage // 100)


def test_one_pod_is_chosen_by_chance() -> None:
    picked = {chosen("one", "", PODS, Random(seed))[0]["metadata"]["name"] for seed in range(50)}
    assert picked == {"web-1", "web-2", "web-3", "api-1"}


def test_nothing_can_be_chosen_from_nothing() -> None:
    with pytest.raises(NothingSelected, match="no pod is selected"):
        chosen("all", "", [], Random(1))
