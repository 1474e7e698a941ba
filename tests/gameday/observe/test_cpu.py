"""How much of the requested CPU is in use."""

from __future__ import annotations

from typing import Any

import pytest

from bundle.timeline import Entry
from gameday.cluster import ApiError
from gameday.observe.cpu import CpuPoll, utilisation


def pod(name: str, *cpu: str | None, owner: str = "eval-6d5f") -> dict[str, Any]:
    """A pod whose containers request so much."""
    requests = [{"resources": {"requests": {} if each is None else {"cpu": each}}} for each in cpu]
    return {
        "metadata": {"name": name, "ownerReferences": [{"kind": "ReplicaSet", "name": owner}]},
        "spec": {"containers": requests},
    }


def metric(name: str, *cpu: str, at: str = "t1") -> dict[str, Any]:
    return {"metadata": {"name": name}, "timestamp": at, "containers": [{"usage": {"cpu": each}} for each in cpu]}


@pytest.mark.parametrize(
    ("metrics", "pods", "percent"),
    [
        ([metric("a", "50m"), metric("b", "100000000n")], [pod("a", "100m"), pod("b", "100m")], 75),
        ([metric("a", "50m", "25m")], [pod("a", "100m", "50m")], 50),
        # one that has no metrics yet says nothing
        ([metric("a", "50m")], [pod("a", "100m"), pod("b", "100m")], 50),
        # nor does one of another deployment
        ([metric("a", "50m"), metric("x", "1")], [pod("a", "0.1"), pod("x", "1", owner="eval-engine-77")], 50),
        ([metric("a", "50m")], [pod("a", None)], None),
        ([metric("a", "50m", "1m")], [pod("a", "100m", None)], None),
        ([], [pod("a", "100m")], None),
        ([metric("a", "50m")], [], None),
    ],
)
def test_it_is_the_use_of_all_pods_together_by_what_they_request(
    metrics: list[dict[str, Any]], pods: list[dict[str, Any]], percent: float | None
) -> None:
    assert utilisation(metrics, pods, "eval") == (None if percent is None else pytest.approx(percent))


class Metrics:
    """A cluster that knows nothing but metrics."""

    context = "east"

    def __init__(self, *answers: list[dict[str, Any]] | ApiError) -> None:
        self.answers = list(answers)

    def list(self, what: str) -> dict[str, Any]:
        assert what == "podmetrics"
        answer = self.answers.pop(0)
        if isinstance(answer, ApiError):
            raise answer
        return {"items": answer}


def poll_of(cluster: Metrics, samples: list[tuple[str, str, int, float]], entries: list[Entry]) -> CpuPoll:
    autoscalers = [
        {"metadata": {"name": name, "namespace": "tars"}, "spec": {"scaleTargetRef": {"name": target}}}
        for name, target in (("eval-hpa", "eval"), ("other", "dashboard"))
    ]
    return CpuPoll(
        cluster,  # type: ignore[arg-type]
        "eval",
        lambda: autoscalers,
        lambda: [pod("a", "100m")],
        entries.append,
        lambda *sample: samples.append(sample),
        lambda: 7,
    )


def test_each_scrape_is_kept_once_under_the_autoscalers_name() -> None:
    samples: list[tuple[str, str, int, float]] = []
    readings = [metric("a", "50m")], [metric("a", "50m")], [metric("a", "90m", at="t2")]
    poll = poll_of(Metrics(*readings), samples, [])
    for _ in readings:
        poll.once()
    assert samples == [("hpa.cpu_percent", "east/tars/eval-hpa", 7, percent) for percent in (50.0, 90.0)]
