"""From what is seen of a chaos resource to the begin and the end of its fault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bundle.timeline import Entry, TimelineWriter
from gameday.chaosmesh import ChaosResource
from gameday.observe.entries import entry_of
from gameday.observe.injections import Injections, last_call_ns
from gameday.observe.reflector import Change

OURS = ChaosResource(activity="slow-down", context="east", namespace="tars", resource="networkchaos", name="slow")


def resource(phase: str, *conditions: str, deleting: bool = False, uid: str = "u-1") -> dict[str, Any]:
    """A NetworkChaos as the API server sends it."""
    meta = {"name": "slow", "namespace": "tars", "uid": uid}
    if deleting:
        meta["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    names = ("Selected", "AllInjected", "AllRecovered", "Paused")
    return {
        "metadata": meta,
        "status": {
            "conditions": [{"type": name, "status": "True" if name in conditions else "False"} for name in names],
            "experiment": {
                "desiredPhase": phase,
                "containerRecords": [{"id": "tars/agent-1", "selectorKey": ".", "phase": "Injected"}],
            },
        },
    }


BARE = {"metadata": {"name": "slow", "namespace": "tars", "uid": "u-1"}}
INJECTED = resource("Run", "Selected", "AllInjected")
STOPPING = resource("Stop", "Selected", "AllInjected")
RECOVERED = resource("Stop", "Selected", "AllRecovered")
LEAVING = resource("Stop", "Selected", "AllInjected", deleting=True)

Told = tuple[str, int, int]


def seen(*course: tuple[str, dict[str, Any]], context: str = "east", called_ns: int | None = None) -> list[Entry]:
    """The fault entries of changes that come a second after each other, each known to 100 ms before."""
    told: list[Entry] = []
    injections = Injections([OURS], told.append, lambda _: called_ns)
    for second, (event, obj) in enumerate(course):
        at_ns = 1000 * second
        injections(
            entry_of(
                Change(event, obj), watches="networkchaos", context=context, earliest_ns=at_ns - 100, latest_ns=at_ns
            )
        )
    assert sum(entry.kind == "chaos" for entry in told) == len(course)
    return [entry for entry in told if entry.kind == "fault"]


@pytest.mark.parametrize(
    ("course", "faults"),
    [
        (
            [("added", BARE), ("modified", INJECTED), ("modified", STOPPING), ("modified", RECOVERED)],
            [("begin", -100, 1000), ("end", 1900, 3000)],
        ),
        # once each, however often it is said
        (
            [("added", BARE), *[("modified", INJECTED)] * 2, *[("modified", RECOVERED)] * 2, ("deleted", RECOVERED)],
            [("begin", -100, 1000), ("end", 2900, 3000)],
        ),
        # deleted while it was at work
        (
            [("added", BARE), ("modified", INJECTED), ("modified", LEAVING), ("deleted", LEAVING)],
            [("begin", -100, 1000), ("end", 1900, 3000)],
        ),
        ([("added", INJECTED), ("deleted", INJECTED)], [("begin", -100, 0), ("end", 900, 1000)]),
        # never injected, or not by this drill
        ([("added", BARE), ("modified", LEAVING), ("deleted", BARE)], [("begin", -100, 1000), ("end", 900, 2000)]),
        ([("added", BARE), ("deleted", BARE)], []),
        ([("present", INJECTED), ("modified", RECOVERED)], []),
    ],
)
def test_a_fault_lasts_from_injected_to_recovered(course: list[tuple[str, dict[str, Any]]], faults: list[Told]) -> None:
    assert [(entry.event, entry.earliest_ns, entry.latest_ns) for entry in seen(*course)] == faults


@pytest.mark.parametrize(("called_ns", "since_ns"), [(None, -100), (-900, -100), (-40, -40), (50, 0)])
def test_it_began_no_earlier_than_it_was_called(called_ns: int | None, since_ns: int) -> None:
    """News that may be late would place it before the hypothesis that came before it."""
    (begin,) = seen(("added", INJECTED), called_ns=called_ns)
    assert (begin.earliest_ns, begin.latest_ns) == (since_ns, 0)


def test_the_last_call_of_an_activity_is_in_the_timeline(tmp_path: Path) -> None:
    path = tmp_path / "timeline.jsonl"
    assert last_call_ns(path, "slow-down") is None
    writer = TimelineWriter(path)
    for at_ns, activity in ((1, "slow-down"), (2, "slow-down"), (3, "another")):
        writer.append(Entry("fault", "injecting", at_ns, at_ns, attributes={"activity": activity}))
    writer.close()
    assert last_call_ns(path, "slow-down") == 2


def test_it_names_its_activity_and_the_pods_that_were_chosen() -> None:
    begin, end = seen(("added", BARE), ("modified", INJECTED), ("modified", RECOVERED))
    assert begin.attributes == {"activity": "slow-down", "status": "succeeded", "output": '["agent-1"]'}
    assert end.attributes == {"activity": "slow-down"}


def test_a_resource_that_the_experiment_does_not_make_is_no_fault_of_it() -> None:
    assert seen(("added", BARE), ("modified", INJECTED), context="west") == []


def test_a_second_one_of_the_name_is_a_fault_of_its_own() -> None:
    again = resource("Run", "AllInjected", uid="u-2")
    faults = seen(("added", INJECTED), ("modified", RECOVERED), ("deleted", RECOVERED), ("added", again))
    assert [entry.event for entry in faults] == ["begin", "end", "begin"]
