"""Pods and deployments as the watches told of them."""

from __future__ import annotations

import pytest

from bundle.timeline import Entry
from scorer.cluster import pods_of, replicas_of, selects
from scorer.intervals import Interval


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ("", True),
        ("app=agent", True),
        ("app==agent", True),
        ("app=other", False),
        ("app!=other", True),
        ("tier!=web", True),
        ("app=agent,zone=a", True),
        ("app=agent, zone=b", False),
        ("zone", True),
        ("!zone", False),
        ("!tier", True),
        ("tier", False),
        ("empty=", True),
    ],
)
def test_equality_selectors_select_as_kubernetes_does(selector: str, selected: bool) -> None:
    assert selects(selector, {"app": "agent", "zone": "a", "empty": ""}) is selected


@pytest.mark.parametrize("selector", ["app in (a)", "app=a=b", "!app=a", "app notin (a, b)"])
def test_a_selector_that_is_not_understood_is_refused(selector: str) -> None:
    with pytest.raises(ValueError, match="is not understood"):
        selects(selector, {"app": "agent"})


def entry(
    event: str,
    at: int,
    uid: str = "u",
    kind: str = "pod",
    name: str = "p",
    context: str = "c",
    **attributes: str | int | bool,
) -> Entry:
    return Entry(kind, event, at - 1, at, context, "ns", name, uid, "watch", {"labels": {"app": "a"}, **attributes})


def test_a_pods_marks_are_the_first_of_each_kind() -> None:
    timeline = [
        entry("added", 10, ready=False, phase="Pending"),
        entry("modified", 20, ready=False, phase="Running"),
        entry("modified", 30, ready=True, phase="Running"),
        entry("modified", 40, ready=True, phase="Running"),
        entry("modified", 50, ready=False, phase="Running", deleting=True),
        entry("deleted", 60, ready=True, phase="Running", deleting=True),
        entry("added", 5, context="other"),
    ]
    (pod,) = pods_of(timeline, "c", "ns")
    assert (pod.seen, pod.running, pod.ready) == (Interval(9, 10), Interval(19, 20), Interval(29, 30))
    assert (pod.marked, pod.deleted) == (Interval(49, 50), Interval(59, 60))
    assert not pod.there_at_first


@pytest.mark.parametrize(
    ("marks", "ready_since"),
    [
        ((False, True, True), 20),
        ((True, False, True), 30),  # ready again
        ((True, True, False), None),  # and to the end no more
        ((True, "deleting"), 10),
    ],
)
def test_a_pod_is_ready_since_its_last_unbroken_stretch_began(
    marks: tuple[bool | str, ...], ready_since: int | None
) -> None:
    (pod,) = pods_of(
        [
            entry("modified", 10 * n, ready=mark is True, deleting=mark == "deleting")
            for n, mark in enumerate(marks, start=1)
        ],
        "c",
        "ns",
    )
    assert (pod.ready and pod.ready.high) == ready_since


def test_a_pod_that_vanished_unmarked_was_marked_when_it_vanished() -> None:
    (pod,) = pods_of([entry("present", 1), entry("deleted", 9)], "c", "ns")
    assert pod.there_at_first
    assert pod.marked == pod.deleted == Interval(8, 9)


def test_a_deleted_deployment_has_less_than_it_wants() -> None:
    readings = replicas_of(
        [
            entry("present", 1, kind="deployment", desired=3, ready=3),
            entry("deleted", 9, kind="deployment", desired=0, ready=0),
        ],
        "c",
        "ns",
    )
    assert [(reading.desired, reading.ready) for reading in readings] == [(3, 3), (1, 0)]
