"""How long a replica wasn't asked, by what its poll told."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nan

import numpy as np
import pytest

from bundle.timeline import Attribute, Entry
from scorer.polls import longest_unasked_s
from scorer.samples import Polls, Samples
from scorer.span import Span

S = 1_000_000_000
SPAN = Span(10 * S, 20 * S)
CLOSE = 0.02


def told(*at_s: float, widest_s: float = CLOSE) -> Polls:
    return Polls(np.array([round(at * S) for at in at_s], dtype=np.int64), np.full(len(at_s), widest_s))


def unasked(polls: dict[str, Polls], *timeline: Entry) -> float:
    return longest_unasked_s(Samples(polls=polls), timeline, "east", SPAN)


def deleted(at_s: float, name: str = "agent-a") -> Entry:
    return Entry("pod", "deleted", round(at_s * S), round(at_s * S), "east", "tars", name, "uid")


def test_a_poll_that_tells_every_second_asked_as_closely_as_it_says() -> None:
    assert unasked({"east/agent-a": told(*range(5, 25))}) == CLOSE


def test_a_poll_that_falls_silent_while_its_pod_is_there_is_blind_from_a_second_later_on() -> None:
    assert unasked({"east/agent-a": told(*range(5, 13))}) == pytest.approx(20 - 12 - 1)


def test_a_poll_need_not_outlive_its_pod() -> None:
    assert unasked({"east/agent-a": told(*range(5, 13))}, deleted(12.9)) == CLOSE


def test_another_pod_that_went_excuses_nothing() -> None:
    assert unasked({"east/agent-a": told(*range(5, 13))}, deleted(12.9, "agent-b")) == pytest.approx(7)


ASKED, OTHER = "agent-5c9f-aaaaa", "agent-5c9f-bbbbb"


def running(at_s: float, name: str = OTHER, uid: str = "uid", **attributes: Attribute) -> Entry:
    told = {"phase": "Running", "ready": True, **attributes}
    return Entry("pod", "added", round(at_s * S), round(at_s * S), "east", "tars", name, uid, "watch", told)


@pytest.mark.parametrize(
    ("life", "longest_s"),
    [
        ((running(5.0),), 10),
        ((running(13.0),), 20 - 13 - 1),
        ((running(13.0), deleted(16.0, OTHER)), 16 - 13 - 1),
        ((running(13.0), deleted(13.9, OTHER)), CLOSE),  # too short for a word of it
        ((running(13.0, phase="Pending"),), CLOSE),
        ((running(13.0, name="agent-proxy-5c9f-bbbbb"),), CLOSE),
        ((running(5.0, name="dashboard-5c9f-bbbbb"),), CLOSE),
    ],
)
def test_a_replica_that_ran_and_was_never_asked_is_one_that_was_not_seen(
    life: tuple[Entry, ...], longest_s: float
) -> None:
    assert unasked({f"east/{ASKED}": told(*range(5, 25))}, running(1.0, ASKED, "a"), *life) == pytest.approx(longest_s)


def test_a_replica_is_not_seen_from_when_it_runs_until_it_is_asked() -> None:
    polls = {f"east/{ASKED}": told(*range(5, 25)), f"east/{OTHER}": told(*range(17, 25))}
    assert unasked(polls, running(1.0, ASKED, "a"), running(12.5)) == pytest.approx(17 - 1 - 12.5)


@pytest.mark.parametrize(("words", "longest_s"), [((8, 9), 20 - 12 - 1), ((8, 9, *range(13, 25)), CLOSE)])
def test_a_name_that_is_given_again_is_another_replica(words: tuple[int, ...], longest_s: float) -> None:
    """The end of the one before is none of its."""
    life = (running(1.0, uid="a"), replace(deleted(9.5, OTHER), uid="a"), running(12.0, uid="b"))
    assert unasked({f"east/{OTHER}": told(*words)}, *life) == pytest.approx(longest_s)


def test_one_silent_replica_of_several_is_enough() -> None:
    polls = {"east/agent-a": told(*range(5, 25)), "east/agent-b": told(*range(5, 15))}
    assert unasked(polls) == pytest.approx(5)


@pytest.mark.parametrize("polls", [{}, {"west/agent-a": told(*range(5, 25))}])
def test_where_nobody_was_ever_asked_the_whole_span_is_blind(polls: dict[str, Polls]) -> None:
    assert unasked(polls) == 10


def test_questions_too_far_apart_count_where_they_touch_the_span() -> None:
    assert unasked({"east/agent-a": Polls(np.array([11 * S, 22 * S]), np.array([CLOSE, 8.0]))}) == pytest.approx(8)
    assert unasked({"east/agent-a": Polls(np.array([9 * S, 20 * S]), np.array([8.0, CLOSE]))}) == CLOSE


@pytest.mark.parametrize("odd", [nan, inf])
def test_a_word_that_is_no_number_vouches_for_nothing(odd: float) -> None:
    assert unasked({"east/agent-a": told(*range(5, 25), widest_s=odd)}) == inf


def test_a_context_whose_name_has_slashes_is_told_from_its_pods() -> None:
    polls = {"arn:aws:eks:east:1:cluster/tars/agent-a": told(*range(5, 25))}
    assert longest_unasked_s(Samples(polls=polls), (), "arn:aws:eks:east:1:cluster/tars", SPAN) == CLOSE
