from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.apiserver.objects import KubeObject
from sandbox.apiserver.usage import Batch, Point, Usage
from sandbox.clock import timestamp
from tests.sandbox.apiserver.bodies import NOW_NS, SECOND_NS, pod

MEBIBYTE = 2**20
KEY = ("tars", "web")


def point(at_s: float, cpu_s: float, started_s: float = 0, memory: int = 20 * MEBIBYTE) -> Point:
    def moment(seconds: float) -> int:
        return NOW_NS + int(seconds * SECOND_NS)

    return Point(moment(at_s), int(cpu_s * SECOND_NS), memory, moment(started_s))


def running(phase: str = "Running") -> KubeObject:
    made = pod()
    made["metadata"]["namespace"] = "tars"
    return {**made, "status": {"phase": phase}}


def after(*points: Point, resolution_s: float = 15, phase: str = "Running") -> list[KubeObject]:
    """The pod's metrics after scrapes that found these points of its only container."""
    usage = Usage(int(resolution_s * SECOND_NS))
    for each in points:
        usage.store(Batch(pods={KEY: {"main": each}}))
    return usage.pod_metrics([running(phase)], NOW_NS)


def test_cpu_is_what_was_used_between_the_last_two_scrapes_and_memory_what_is_in_use_now() -> None:
    (found,) = after(point(100, 5), point(115, 6.5, memory=64 * MEBIBYTE))
    assert found["containers"] == [{"name": "main", "usage": {"cpu": "100m", "memory": "64Mi"}}]
    assert found["timestamp"] == timestamp(NOW_NS + 115 * SECOND_NS)
    assert found["window"] == "15s"
    assert found["metadata"]["labels"] == {"app": "web"}


@pytest.mark.parametrize(
    ("why", "points"),
    [
        ("one scrape shows no rate", [point(100, 5)]),
        ("restarted between the scrapes", [point(100, 5), point(115, 0.2, started_s=107)]),
        ("CPU time never goes back", [point(100, 5), point(115, 4)]),
        ("too young to be rated over its life", [point(109, 0.2, started_s=100)]),
    ],
)
def test_what_can_not_be_rated_has_no_metrics(why: str, points: list[Point]) -> None:
    assert after(*points) == [], why


def test_a_young_container_is_rated_over_its_whole_life() -> None:
    (found,) = after(point(112, 0.6, started_s=100))
    assert (found["containers"][0]["usage"]["cpu"], found["window"]) == ("50m", "12s")


def test_below_ten_seconds_between_scrapes_a_new_container_waits_for_its_second_point() -> None:
    assert after(point(104, 0.6, started_s=100), resolution_s=5) == []
    (found,) = after(point(104, 0.6, started_s=100), point(109, 0.7, started_s=100), resolution_s=5)
    assert found["containers"][0]["usage"]["cpu"] == "20m"


def test_a_reading_that_is_not_newer_leaves_the_rate_as_it_was() -> None:
    (found,) = after(point(100, 5), point(115, 6.5), point(115, 6.5))
    assert found["containers"][0]["usage"]["cpu"] == "100m"


def test_a_pod_that_a_scrape_does_not_find_is_forgotten() -> None:
    usage = Usage(15 * SECOND_NS)
    for batch in (Batch(pods={KEY: {"main": point(100, 5)}}), Batch(), Batch(pods={KEY: {"main": point(130, 6)}})):
        usage.store(batch)
    assert usage.pod_metrics([running()], NOW_NS) == []


def test_a_pod_needs_metrics_of_all_its_containers() -> None:
    usage = Usage(15 * SECOND_NS)
    usage.store(Batch(pods={KEY: {"main": point(100, 5)}}))
    usage.store(Batch(pods={KEY: {"main": point(115, 6), "side": point(115, 1)}}))
    assert usage.pod_metrics([running()], NOW_NS) == []


def test_a_pod_that_does_not_run_has_no_metrics() -> None:
    assert after(point(100, 5), point(115, 6), phase="Succeeded") == []


def test_a_node_has_metrics_from_its_second_scrape_on() -> None:
    usage = Usage(15 * SECOND_NS)
    node = {"metadata": {"name": "node-1"}}
    usage.store(Batch(nodes={"node-1": point(100, 50)}))
    assert usage.node_metrics([node], NOW_NS) == []
    usage.store(Batch(nodes={"node-1": point(175, 125)}))
    (found,) = usage.node_metrics([node], NOW_NS)
    assert (found["usage"], found["window"]) == ({"cpu": "1", "memory": "20Mi"}, "1m15s")
    assert "namespace" not in found["metadata"]


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 100)), max_size=12))
def test_no_sequence_of_readings_makes_a_negative_rate_or_an_empty_window(readings: list[tuple[int, int]]) -> None:
    for found in after(*(point(at_s, cpu_s) for at_s, cpu_s in readings)):
        assert not found["containers"][0]["usage"]["cpu"].startswith("-")
        assert found["window"] != "0s"
