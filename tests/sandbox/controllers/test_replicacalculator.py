from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.client import KubeObject
from sandbox.clock import NS_PER_S
from sandbox.controllers.replicacalculator import (
    CannotCompute,
    Groups,
    Proposal,
    Reading,
    Sample,
    by_average,
    by_utilization,
    group,
    requests,
)
from sandbox.periods import Periods
from tests.sandbox.builders import T0_NS, container, pod

REQUEST = {"resources": {"requests": {"cpu": "100m"}}}
NOW_S = 1000


def asking(name: str, **more: object) -> KubeObject:
    """A pod that asks for 100 thousandths of a core."""
    return pod(name, containers=[container(**REQUEST)], **more)  # type: ignore[arg-type]


def reading(
    used: list[int | None], *, current: int | None = None, unready: int = 0, ignored: int = 0, tolerance: float = 0.1
) -> Reading:
    """Pods that use so many thousandths of a core (None: not known); first the unready ones, then those to ignore."""
    names = [f"web-{number}" for number in range(len(used))]
    samples = {name: Sample(value) for name, value in zip(names, used, strict=True) if value is not None}
    of_unready, of_ignored = frozenset(names[:unready]), frozenset(names[unready : unready + ignored])
    missing = frozenset(names) - samples.keys() - of_unready - of_ignored
    ready = len(names) - len(missing) - unready - ignored
    groups = Groups(ready, of_unready, missing, of_ignored)
    return Reading(
        len(names) if current is None else current, [asking(name) for name in names], samples, groups, tolerance
    )


@pytest.mark.parametrize(
    ("why", "used", "target", "replicas", "utilization"),
    [
        ("twice the target doubles", [140, 140], 70, 4, 140),
        ("rounded up", [80, 80, 80], 70, 4, 80),
        ("ten percent over is let be", [77, 77], 70, 2, 77),
        ("more than that is not", [78, 78], 70, 3, 78),
        ("ten percent under is let be", [63, 63, 63], 70, 3, 63),
        ("half of the target halves", [35, 35, 35, 35], 70, 2, 35),
        ("idle calls for none", [0, 0], 70, 0, 0),
        ("percent are cut off, not rounded", [149, 150], 70, 5, 149),
    ],
)
def test_replicas_follow_the_ratio_of_use_and_target(
    why: str, used: list[int | None], target: int, replicas: int, utilization: int
) -> None:
    found = by_utilization(reading(used), target, "cpu")
    assert (found.replicas, found.utilization) == (replicas, utilization), why


@pytest.mark.parametrize(
    ("why", "known", "replicas"),
    [
        ("an unready pod counts as idle on the way up", reading([0, 210, 210], unready=1), 6),
        ("and takes no part in the way down", reading([999, 35, 35], unready=1), 1),
        ("which can prevent the way up", reading([0, 0, 80], unready=2), 3),
        ("a missing pod counts as idle on the way up", reading([None, 210, 210]), 6),
        ("as fully used on the way down", reading([None, 20, 20, 20]), 3),
        ("which can prevent the way down", reading([None, 40]), 2),
        ("a pod that goes does not count at all", reading([999, 140, 140], ignored=1), 4),
        ("the doubt never turns the direction", reading([None, None, None, None, 10, 60], current=6), 6),
        ("nor do more pods than replicas", reading([None, 90, 90, 90], current=5), 5),
    ],
)
def test_what_is_not_known_gets_the_benefit_of_the_doubt(why: str, known: Reading, replicas: int) -> None:
    assert by_utilization(known, 70, "cpu").replicas == replicas, why


def test_over_a_target_beyond_the_requests_a_missing_pod_counts_as_on_target_on_the_way_down() -> None:
    assert by_utilization(reading([None, 100, 100, 100]), 200, "cpu").replicas == 3


def test_an_average_is_held_against_a_target_of_its_own() -> None:
    assert by_average(reading([300, 100]), 100) == Proposal(4, 200)
    assert by_average(reading([105, 105]), 100) == Proposal(2, 105)
    assert by_average(reading([None, 50, 50]), 100) == Proposal(2, 50)


@pytest.mark.parametrize(
    ("known", "says"),
    [
        (reading([None, None]), "did not receive metrics for targeted pods (pods might be unready)"),
        (reading([50], unready=1), "did not receive metrics for targeted pods (pods might be unready)"),
    ],
)
def test_without_a_ready_pod_that_was_measured_nothing_can_be_told(known: Reading, says: str) -> None:
    with pytest.raises(CannotCompute) as refused:
        by_utilization(known, 70, "cpu")
    assert str(refused.value) == says


def test_samples_of_pods_that_are_not_there_are_no_basis() -> None:
    stray = Reading(1, [asking("web-0")], {"gone": Sample(5)}, Groups(0, frozenset(), frozenset(), frozenset()), 0.1)
    with pytest.raises(CannotCompute, match="no metrics returned matched known pods"):
        by_utilization(stray, 70, "cpu")


def test_a_pod_that_requests_nothing_is_named() -> None:
    with pytest.raises(CannotCompute) as refused:
        requests([asking("web-1"), pod("web-2")], "cpu")
    assert str(refused.value) == "missing request for cpu in container app of Pod web-2"


def test_requests_are_added_up_over_containers_and_sidecars_or_taken_of_one() -> None:
    two = pod("web", containers=[container(**REQUEST), {**container(**REQUEST), "name": "side"}])
    two["spec"]["initContainers"] = [
        {**container(**REQUEST), "name": "proxy", "restartPolicy": "Always"},
        {**container(**REQUEST), "name": "setup"},
    ]
    assert requests([two], "cpu") == {"web": 300}
    assert requests([two], "cpu", "side") == {"web": 100}


def grouped(
    *, phase: str = "Running", ready: bool = True, age_s: float = 600, ready_since_s: float = 500,
    taken_before_s: float | None = 0, terminating: bool = False, resource: str = "cpu", started: bool = True,
) -> str:  # fmt: skip
    """Where a pod falls that is so old, has been ready (or unready) for so long, and was measured so long ago."""
    made = asking("web", phase=phase, ready=ready, ready_s=NOW_S - ready_since_s, terminating=terminating)
    if started:
        made["status"]["startTime"] = asking("x", created_s=NOW_S - age_s)["metadata"]["creationTimestamp"]
    now_ns = T0_NS + NOW_S * NS_PER_S
    samples = {}
    if taken_before_s is not None:
        samples["web"] = Sample(1, now_ns - int(taken_before_s * NS_PER_S), 15 * NS_PER_S)
    found = group([made], samples, resource, Periods(), now_ns)
    return "ready" if found.ready else next(
        name for name in ("unready", "missing", "ignored") if getattr(found, name)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("why", "expected", "facts"),
    [
        ("long ready and measured", "ready", {}),
        ("being deleted", "ignored", {"terminating": True}),
        ("failed", "ignored", {"phase": "Failed"}),
        ("pending", "unready", {"phase": "Pending"}),
        ("never measured", "missing", {"taken_before_s": None}),
        ("young and unready", "unready", {"age_s": 60, "ready": False}),
        ("young, and measured while it became ready", "unready", {"age_s": 60, "ready_since_s": 14}),
        ("young, and measured since", "ready", {"age_s": 60, "ready_since_s": 15}),
        ("old and unready again", "ready", {"ready": False, "ready_since_s": 60}),
        ("old and never ready", "unready", {"ready": False, "ready_since_s": 580}),
        ("not yet started", "unready", {"started": False}),
        ("memory counts at once", "ready", {"age_s": 60, "ready": False, "resource": "memory"}),
    ],
)
def test_which_pods_count(why: str, expected: str, facts: dict[str, object]) -> None:
    assert grouped(**facts) == expected, why  # type: ignore[arg-type]


@given(
    st.lists(st.one_of(st.none(), st.integers(0, 1000)), min_size=1, max_size=8),
    st.integers(1, 200),
    st.integers(0, 3),
    st.integers(1, 12),
)
def test_the_doubt_lessens_a_change_and_never_turns_it_round(
    used: list[int | None], target: int, unready: int, current: int
) -> None:
    known = reading(used, current=current, unready=min(unready, len(used)))
    try:
        found = by_utilization(known, target, "cpu")
    except CannotCompute:
        return
    assert found.utilization is not None
    in_doubt = known.groups.unready or known.groups.missing
    if in_doubt and found.utilization < target:
        assert found.replicas <= current or not known.groups.missing
    if in_doubt and found.utilization > target:
        assert found.replicas >= current
