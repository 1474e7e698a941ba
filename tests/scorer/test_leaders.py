"""Leaderships, as polling roles shows them."""

from __future__ import annotations

import pytest

from bundle.timeline import Entry
from scorer.intervals import Interval
from scorer.leaders import contested, leader_before, leaderships_of


def entry(event: str, at: int, region: str = "east", term: int | None = 1, width: int = 10) -> Entry:
    attributes = {"region": region} if term is None else {"region": region, "term": term}
    return Entry("leader", event, at - width, at, region, "tars", "agent-0", "", "poll", attributes)


def test_a_leadership_lies_between_the_readings_that_opened_and_closed_it() -> None:
    (led,) = leaderships_of([entry("present", 100), entry("lost", 200)])
    assert (led.began, led.ended, led.at_first) == (Interval(90, 100), Interval(190, 200), True)
    assert led.held_ns(1000) == 90


def test_a_leader_that_is_seen_again_in_its_term_still_leads() -> None:
    (led,) = leaderships_of([entry("seen", 100), entry("seen", 200)])
    assert led.ended is None
    assert led.began == Interval(90, 100)
    assert led.held_ns(1000) == float("inf")


def test_a_leader_that_did_not_answer_for_a_while_led_its_term_all_along() -> None:
    (led,) = leaderships_of([entry("seen", 100), entry("lost", 200), entry("seen", 260), entry("lost", 400)])
    assert (led.began, led.ended) == (Interval(90, 100), Interval(390, 400))
    assert len(leaderships_of([entry("seen", 100, term=None), entry("lost", 200), entry("seen", 260, term=None)])) == 2
    others = [entry("seen", 100), entry("lost", 200), entry("seen", 260, "west", term=2)]
    assert [led.region for led in leaderships_of(others)] == ["east", "west"]


def test_a_leader_out_of_reach_ended_when_nobody_knows_but_not_before_it_fell_silent() -> None:
    (led,) = leaderships_of([entry("seen", 100), entry("silent", 200)])
    assert (led.ended, led.silent) == (Interval(190, 200), Interval(190, 200))
    (heard,) = leaderships_of([entry("seen", 100, term=None), entry("silent", 200), entry("seen", 300, term=None)])
    assert (heard.ended, heard.silent) == (None, None)
    (lost,) = leaderships_of([entry("seen", 100), entry("silent", 200), entry("lost", 300)])
    assert (lost.ended, lost.silent) == (Interval(190, 300), None)
    assert leaderships_of([entry("silent", 200)]) == ()


def test_a_leader_of_another_term_was_elected_again() -> None:
    first, second = leaderships_of([entry("seen", 100), entry("seen", 200, term=2)])
    assert (first.ended, second.began, second.term) == (Interval(190, 200), Interval(190, 200), 2)


def test_a_loss_without_a_leadership_changes_nothing() -> None:
    assert leaderships_of([entry("lost", 100)]) == ()


@pytest.mark.parametrize("term", [None, True, "four"])
def test_a_term_that_is_no_number_is_unknown(term: object) -> None:
    odd = Entry("leader", "seen", 0, 1, "east", attributes={"term": term})  # type: ignore[dict-item]
    (led,) = leaderships_of([odd])
    assert (led.term, led.region) == (None, "east")


def test_the_leader_before_the_fault_is_that_of_the_newest_term() -> None:
    every = leaderships_of([entry("present", 10, "east", 1), entry("present", 10, "west", 2)])
    assert leader_before(every, Interval(100, 110)).region == "west"


def test_one_that_may_have_led_until_the_fault_led_before_it() -> None:
    every = leaderships_of([entry("present", 10), entry("lost", 105)])
    assert leader_before(every, Interval(100, 110)).region == "east"


@pytest.mark.parametrize("events", [[], [entry("seen", 105)], [entry("present", 10), entry("lost", 99)]])
def test_where_nobody_led_there_is_no_leader(events: list[Entry]) -> None:
    with pytest.raises(LookupError, match="no leader was seen before the fault"):
        leader_before(leaderships_of(events), Interval(100, 110))


def test_two_leaders_of_one_term_contest_it_even_one_after_the_other() -> None:
    every = leaderships_of(
        [
            entry("seen", 1, "east", 4),
            entry("lost", 50, "east"),
            entry("seen", 90, "west", 4),
            entry("seen", 95, "north", 5),
        ]
    )
    assert contested(every) == {4: ("east: east/agent-0", "west: west/agent-0")}
