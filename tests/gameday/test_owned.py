"""Whose a chaos resource is, by what the timeline says of its UID."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundle.timeline import Entry, TimelineWriter
from gameday.chaosmesh import ChaosResource
from gameday.owned import made_uid

SLOW = ChaosResource(activity="delay", context="east", namespace="tars", resource="networkchaos", name="slow")


def creation(uid: str, activity: str = "delay") -> Entry:
    """The API server's answer to an activity."""
    return Entry("creation", "made" if uid else "refused", 5, 5, uid=uid, attributes={"activity": activity})


def called(at_ns: int = 2) -> Entry:
    """The activity is called."""
    return Entry("fault", "injecting", at_ns, at_ns, attributes={"activity": "delay"})


def came(uid: str, event: str = "added", name: str = "slow", context: str = "east") -> Entry:
    """The watch saw one."""
    return Entry("chaos", event, 3, 4, context, "tars", name, uid, attributes={"resource": "networkchaos"})


@pytest.mark.parametrize(
    ("timeline", "uid"),
    [
        ([called(), creation("ours")], "ours"),
        ([called(), came("theirs"), creation("ours")], "ours"),
        ([called(), came("theirs"), creation("")], ""),
        ([called(), creation("other", activity="another")], None),
        ([called(), came("ours")], "ours"),  # killed before the answer came
        ([called(), came("ours"), came("ours", "deleted"), came("theirs")], None),
        ([called(), came("theirs", "present")], None),
        ([called(), came("other", name="fast")], None),
        ([called(), came("other", context="west")], None),
        ([came("theirs")], None),
        ([came("theirs"), called(9)], None),
        ([], None),
    ],
)
def test_a_resource_is_ours_by_the_answer_to_its_making_else_by_the_only_one_that_came(
    tmp_path: Path, timeline: list[Entry], uid: str | None
) -> None:
    writer = TimelineWriter(tmp_path / "timeline.jsonl")
    for entry in timeline:
        writer.append(entry)
    writer.close()
    assert made_uid(tmp_path, SLOW) == uid


def test_without_a_timeline_nobody_knows(tmp_path: Path) -> None:
    assert made_uid(tmp_path, SLOW) is None
