"""What answers show of a leader: tables of answers, in any unit of time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundle.timeline import Entry
from gameday.observe.roles import Role
from gameday.observe.sighting import Replica, Sighting

REPLICA = Replica("ctx", "tars", "agent-1", "uid-1", "127.0.0.1")
FOLLOWS = Role(False, 3, "east")


def leads(term: int | None) -> Role:
    return Role(True, term, "east")


class Polled:
    """A replica that is asked at every whole ten, and answers four later."""

    def __init__(self, since: int | None = None) -> None:
        self.entries: list[Entry] = []
        self.sighting = Sighting(REPLICA, self.entries.append, since)
        self.asked = 0

    def says(self, *answers: Role | None) -> Polled:
        for answer in answers:
            self.asked += 10
            self.sighting.answered(self.asked, self.asked + 4, answer)
        return self

    def told(self) -> list[tuple[str, int, int, object]]:
        return [(e.event, e.earliest_ns, e.latest_ns, e.attributes.get("term")) for e in self.entries]


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        # it leads from the first answer on
        ((leads(3), leads(3)), [("present", 10, 14, 3)]),
        # it never leads
        ((FOLLOWS, None, FOLLOWS), []),
        # it becomes leader between the question at 20 and the answer at 34
        ((FOLLOWS, FOLLOWS, leads(4)), [("seen", 20, 34, 4)]),
        # it says that it leads no more; it says nothing any more
        ((leads(3), leads(3), FOLLOWS), [("present", 10, 14, 3), ("lost", 20, 34, 3)]),
        ((leads(3), None, None), [("present", 10, 14, 3), ("lost", 10, 24, 3)]),
        # it leads another term, having lost the lead unseen in between
        ((leads(3), leads(5)), [("present", 10, 14, 3), ("seen", 10, 24, 5)]),
        # the term is not told
        ((FOLLOWS, leads(None), None), [("seen", 10, 24, None), ("lost", 20, 34, None)]),
    ],
)
def test_each_change_lies_between_the_last_question_answered_otherwise_and_the_first_answer_so(
    answers: tuple[Role | None, ...], told: list[tuple[str, int, int, object]]
) -> None:
    assert Polled().says(*answers).told() == told


def test_a_replica_that_came_later_led_at_no_time_before_it_was_known_of() -> None:
    assert Polled(since=7).says(leads(4)).told() == [("seen", 7, 14, 4)]


def test_a_leader_that_is_gone_is_lost() -> None:
    polled = Polled().says(leads(3))
    polled.sighting.gone(50)
    polled.sighting.gone(60)
    assert polled.told() == [("present", 10, 14, 3), ("lost", 10, 50, 3)]


def test_an_entry_names_the_replica_and_the_region_that_it_told() -> None:
    (entry,) = Polled().says(leads(3)).entries
    assert (entry.kind, entry.context, entry.namespace, entry.name, entry.uid) == (
        "leader",
        "ctx",
        "tars",
        "agent-1",
        "uid-1",
    )
    assert (entry.source, entry.attributes) == ("poll", {"region": "east", "term": 3})


def test_a_region_that_the_replica_does_not_tell_is_its_context() -> None:
    (entry,) = Polled().says(Role(True)).entries
    assert entry.attributes == {"region": "ctx"}


SILENCE = "silence"


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        # a leader falls silent, and is heard of again: it leads, it leads another term, it doesn't
        ((leads(3), SILENCE, SILENCE), [("present", 10, 14, 3), ("silent", 10, 24, 3)]),
        ((leads(3), SILENCE, leads(3)), [("present", 10, 14, 3), ("silent", 10, 24, 3), ("seen", 10, 34, 3)]),
        ((leads(3), SILENCE, leads(4)), [("present", 10, 14, 3), ("silent", 10, 24, 3), ("seen", 10, 34, 4)]),
        ((leads(3), SILENCE, FOLLOWS), [("present", 10, 14, 3), ("silent", 10, 24, 3), ("lost", 10, 34, 3)]),
        # one that doesn't lead may begin to at any time of its silence
        ((FOLLOWS, SILENCE, SILENCE, leads(4)), [("seen", 10, 44, 4)]),
        ((SILENCE, SILENCE, leads(4)), [("seen", 10, 34, 4)]),
    ],
)
def test_silence_says_neither_that_it_leads_nor_that_it_does_not(
    answers: tuple[Role | str, ...], told: list[tuple[str, int, int, object]]
) -> None:
    polled = Polled()
    for answer in answers:
        if isinstance(answer, Role):
            polled.says(answer)
        else:
            polled.asked += 10
            polled.sighting.silent(polled.asked, polled.asked + 4)
    assert polled.told() == told


@given(st.lists(st.sampled_from([None, FOLLOWS, leads(1), leads(2), leads(None)]), max_size=30))
def test_the_true_moment_of_each_change_is_within_its_interval(answers: list[Role | None]) -> None:
    """Whatever was answered was true at some time from the question to the answer, say at the question + 2."""
    entries = Polled().says(*answers).entries
    leading = [answer if answer is not None and answer.leads else None for answer in answers]
    changes = [10 * (n + 1) + 2 for n, now in enumerate(leading) if now != (leading[n - 1] if n else None)]
    assert len(entries) == len(changes)
    assert all(e.earliest_ns <= at <= e.latest_ns for e, at in zip(entries, changes, strict=True))
