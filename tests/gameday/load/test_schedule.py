from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

import pytest

from bundle.rates import RateCurve
from gameday.load.arrivals import RecordedArrivals, Shape, Spacing, due_times_ns
from gameday.load.schedule import Asked, Part, Schedule, flaw, open_users, schedules

RAMP = RateCurve(((0, 10), (50, 110)))
RECORDED = RecordedArrivals((0, 1, 1.5, 4))


@dataclass
class User:
    """What a class of users says; an object will do."""

    rate: float | Shape = 100
    spacing: str = "uniform"
    timeout_s: float = 10
    max_inflight: int = 10
    tasks: list[Any] = field(default_factory=lambda: [print])
    __name__ = "User"


def scheduled(*users: User, **asked: Any) -> list[Schedule]:
    return schedules(users, Asked(**asked))  # type: ignore[arg-type]


def test_a_profile_is_sent_as_it_says_where_nothing_else_is_asked() -> None:
    assert scheduled(User(30), User(RAMP, "poisson")) == [
        Schedule(RateCurve.constant(30), Spacing.UNIFORM),
        Schedule(RAMP, Spacing.POISSON),
    ]


def test_a_rate_that_is_asked_for_is_the_highest_and_is_shared_out_in_proportion() -> None:
    constant, ramp = scheduled(User(90), User(RAMP), rate_per_s=100)
    assert constant.shape == RateCurve.constant(45)
    assert ramp.shape == RateCurve(((0, 5), (50, 55)))


def test_classes_without_any_rate_of_their_own_share_it_equally() -> None:
    assert [schedule.shape for schedule in scheduled(User(0), User(0), rate_per_s=10)] == [RateCurve.constant(5)] * 2


def test_a_duration_stretches_whatever_has_a_length() -> None:
    constant, ramp = scheduled(User(90), User(RAMP), duration_s=100)
    assert constant.shape == RateCurve.constant(90)
    assert ramp.shape == RateCurve(((0, 10), (100, 110)))


def test_low_load_that_leads_is_at_the_last_rate_of_each_shape_as_asked_for() -> None:
    peak = RateCurve(((0, 100), (60, 100), (60, 10)))
    (led,) = scheduled(User(peak), rate_per_s=50, duration_s=30, lead_s=40)
    assert led.shape == RateCurve(((0, 5), (40, 5), (40, 50), (70, 50), (70, 5)))


def test_recorded_arrivals_keep_their_spacing_and_become_denser_by_a_rate() -> None:
    (replay,) = scheduled(User(RECORDED), rate_per_s=2, spacing=Spacing.POISSON)
    assert replay == Schedule(RecordedArrivals((0, 0.5, 0.75, 2)), Spacing.REPLAYED)
    assert replay.curve.expected(9) == 4


@pytest.mark.parametrize(
    ("user", "asked", "says"),
    [
        (User(100), {"duration_s": 5}, "--duration has no effect on a rate that never changes"),
        (User(RECORDED), {"duration_s": 5, "rate_per_s": 5}, "--rate or --duration, not both"),
        (User(RECORDED), {"lead_s": 5}, "a replay of arrivals has no last rate to lead with"),
        (User(RateCurve(((0, 1), (5, 2)), True)), {"lead_s": 5}, "repeats itself"),
        (User(RECORDED), {"rate_per_s": 0}, "recorded arrivals come at a rate above 0"),
    ],
)
def test_what_cannot_be_done_is_refused(user: User, asked: dict[str, float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        scheduled(user, **asked)


@pytest.mark.parametrize(
    ("user", "says"),
    [
        (User(), None),
        (User(RAMP), None),
        (User(-1), "a rate must be from 0"),
        (User(math.nan), "a rate must be from 0"),
        (User("fast"), "could not convert string"),  # type: ignore[arg-type]
        (User(spacing="even"), "'even' is not a valid Spacing"),
        (User(spacing="replayed"), "cannot be set"),
        (User(tasks=[]), "it has no @task"),
        (User(tasks=[User]), "a TaskSet cannot be a task"),
        (User(timeout_s=0), "timeout_s must be more than 0"),
        (User(timeout_s=math.nan), "timeout_s must be more than 0"),
        (User(max_inflight=0), "max_inflight must be 1 or more"),
    ],
)
def test_why_a_class_cannot_run_is_a_few_words(user: User, says: str | None) -> None:
    found = flaw(user)  # type: ignore[arg-type]
    assert (found is None) if says is None else says in str(found)


def test_only_classes_that_say_so_keep_a_schedule() -> None:
    class Open:
        opens_loop = True

    class Closed:
        pass

    assert open_users([Open, Closed]) == [Open]


@pytest.mark.parametrize("of", [1, 2, 3, 7])
def test_every_arrival_is_in_exactly_one_part(of: int) -> None:
    parts = [Part.parse(f"{index}/{of}") for index in range(of)]
    assert all(sum(part.holds(number) for part in parts) == 1 for number in range(50))


def test_the_parts_together_are_the_schedule() -> None:
    whole = list(enumerate(islice(due_times_ns(RAMP, Spacing.POISSON, "1"), 100)))
    parts = [[due for due in whole if Part(index, 3).holds(due[0])] for index in range(3)]
    assert sorted(chain(*parts)) == whole


@pytest.mark.parametrize("text", ["", "0", "3/3", "-1/3", "0/0", "a/b", "1/2/3"])
def test_a_part_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"invalid literal|is no part"):
        Part.parse(text)
