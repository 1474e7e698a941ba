from __future__ import annotations

from typing import Any

import pytest

from sandbox.prometheus.targets import targets


def pod(name: str = "agent-1", *, scrape: str | None = "true", **status: Any) -> dict[str, Any]:
    annotations = {} if scrape is None else {"prometheus.io/scrape": scrape}
    return {
        "metadata": {"name": name, "namespace": "tars", "labels": {"app": "agent"}, "annotations": annotations},
        "spec": {"containers": [{"name": "service", "ports": [{"name": "http", "containerPort": 8094}]}]},
        "status": {"phase": "Running", "podIP": "127.95.32.1", **status},
    }


def test_a_pod_that_asks_for_it_is_scraped_at_its_port_under_its_name() -> None:
    assert targets([pod()]) == [
        {"targets": ["127.95.32.1:8094"], "labels": {"namespace": "tars", "pod": "agent-1", "app": "agent"}}
    ]


def test_a_pod_that_is_leaving_is_still_scraped() -> None:
    leaving = pod()
    leaving["metadata"]["deletionTimestamp"] = "2026-11-27T10:00:00Z"
    assert targets([leaving]) == targets([pod()])


@pytest.mark.parametrize(
    "left_out",
    [pod(scrape=None), pod(scrape="false"), pod(podIP=None), pod(phase="Failed"), pod(phase="Succeeded")],
    ids=["does not ask", "refuses", "has no address yet", "failed", "succeeded"],
)
def test_a_pod_is_left_out_that(left_out: dict[str, Any]) -> None:
    assert targets([left_out]) == []


def test_the_list_does_not_change_with_the_order_of_the_pods() -> None:
    one, other = pod("agent-1"), pod("agent-2", podIP="127.95.32.2")
    assert targets([one, other]) == targets([other, one])
