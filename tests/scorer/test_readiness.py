"""Recovery as Kubernetes sees it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bundle.reader import Bundle
from bundle.timeline import Entry
from scorer.facts import read_facts
from scorer.planted import APP, CONTEXT, NAMESPACE, Plan
from scorer.readiness import recovery_ready

PlantedBundle = Callable[..., Bundle]


@pytest.mark.parametrize("ready_s", [0.5, 6.0, 15.0])
def test_the_interval_holds_the_planted_moment(planted: PlantedBundle, ready_s: float) -> None:
    taken = recovery_ready(read_facts(planted(Plan(ready_s=ready_s))))
    assert taken.low is not None
    assert taken.high is not None
    assert taken.low <= ready_s <= taken.high
    assert taken.high - taken.low == pytest.approx(0.04 + 0.02, abs=0.001)  # the fault's span and the watch's delay
    assert [stage.name for stage in taken.stages] == ["detect", "reschedule", "start", "ready", "replicas back"]
    assert [stage.name for stage in taken.stages if stage.dominant] == ["ready"]


def test_a_replacement_that_never_gets_ready_leaves_recovery_open(planted: PlantedBundle) -> None:
    taken = recovery_ready(read_facts(planted(Plan(ready_s=None))))
    assert (taken.value, taken.high) == (None, None)
    assert taken.low == pytest.approx(22, abs=0.1)


def test_each_pod_that_went_needs_its_own_replacement(planted: PlantedBundle) -> None:
    lame = planted(Plan(pods_killed=2), keep=lambda entry: entry.name != "agent-new-1")
    assert recovery_ready(read_facts(lame)).high is None


def test_a_deployment_short_of_replicas_is_not_back(planted: PlantedBundle) -> None:
    bundle = planted()
    at = bundle.manifest.phases[3].end_ns or 0
    short, whole = (
        Entry(
            "deployment",
            "modified",
            at + 1,
            at + 2,
            CONTEXT,
            NAMESPACE,
            APP,
            "deployment",
            "watch",
            {"labels": {"app": APP}, "desired": 3, "ready": ready},
        )
        for ready in (2, 3)
    )
    assert recovery_ready(read_facts(planted(extra=(short,)))).high is None
    again = recovery_ready(read_facts(planted(extra=(short, whole))))
    assert again.value == pytest.approx(20, abs=0.1)


def test_another_deployment_of_the_namespace_does_not_count(planted: PlantedBundle) -> None:
    other = Entry(
        "deployment",
        "present",
        1,
        2,
        CONTEXT,
        NAMESPACE,
        "other",
        "o",
        "watch",
        {"labels": {"app": "other"}, "desired": 3, "ready": 0},
    )
    assert recovery_ready(read_facts(planted(extra=(other,)))).value == pytest.approx(6, abs=0.05)


@pytest.mark.parametrize("kind", ["pod", "deployment"])
def test_what_was_not_watched_is_not_back(planted: PlantedBundle, kind: str) -> None:
    taken = recovery_ready(read_facts(planted(keep=lambda entry: entry.kind != kind)))
    assert taken.high is None


def test_without_a_fault_that_replaces_pods_there_is_nothing_to_measure(planted: PlantedBundle) -> None:
    with pytest.raises(LookupError, match="no fault was recorded that replaces pods"):
        recovery_ready(read_facts(planted(effects=())))
