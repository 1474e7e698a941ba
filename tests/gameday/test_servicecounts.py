from __future__ import annotations

import pytest

from gameday.prometheus import Series
from gameday.servicecounts import Gone, by_second, gone, rises, widest_gap_ns

S = 1_000_000_000


def counter(*samples: tuple[float, float], instance: str = "10.0.0.1:80") -> Series:
    """Samples at seconds."""
    return Series({"instance": instance}, tuple((round(t * S), value) for t, value in samples))


@pytest.mark.parametrize(
    ("samples", "risen"),
    [
        # there before, and it rises by 2 and by 3
        ([(1, 7), (2, 9), (3, 9), (4, 12)], [(2, 2), (4, 3)]),
        # its process was restarted: it had come to 4 again
        ([(1, 7), (2, 4)], [(2, 4)]),
        # it appeared in the drill, so it began at 0
        ([(60, 5), (61, 6)], [(60, 5), (61, 1)]),
        # it appeared in the drill with nothing
        ([(60, 0), (61, 6)], [(61, 6)]),
        ([(1, 7)], []),
        ([], []),
    ],
)
def test_a_counter_rises_by(samples: list[tuple[float, float]], risen: list[tuple[float, float]]) -> None:
    found = rises(counter(*samples), known_ns=50 * S)
    assert [(rise.at_ns / S, rise.risen) for rise in found] == risen


def test_what_a_counter_that_appears_has_risen_to_is_kept_apart() -> None:
    group = [counter((60, 5), (61, 6))]
    assert by_second(group, known_ns=50 * S) == {61 * S: 1.0}
    assert by_second(group, known_ns=50 * S, new=True) == {60 * S: 5.0}


def test_rises_are_added_up_by_the_end_of_the_second_in_which_they_were_scraped() -> None:
    group = [counter((0.2, 0), (1.2, 1), (2.0, 3)), counter((0.7, 0), (1.7, 5), (2.7, 6))]
    assert by_second(group, known_ns=10 * S) == {2 * S: 8.0, 3 * S: 1.0}


def test_the_widest_gap_is_that_of_one_series_and_of_the_drill() -> None:
    group = [counter((0, 0), (30, 0), (31, 0), (33, 0)), counter((31.5, 0), (32.5, 0))]
    assert widest_gap_ns(group, since_ns=31 * S) == 2 * S
    assert widest_gap_ns([], since_ns=0) == 0


def test_a_pod_is_gone_where_all_of_its_series_have_fallen_silent_in_the_drill() -> None:
    stayed, went = "10.0.0.1:80", "10.0.0.2:80"
    group = [
        counter((5, 1), (90, 1), instance=stayed),
        counter((5, 1), (20, 1), instance=stayed),
        counter((5, 1), (40, 1), instance=went),
        counter((1, 1), (2, 1), instance="before the drill"),
    ]
    assert gone(group, since_ns=10 * S, until_ns=80 * S) == Gone(1, 0.0)


def test_a_pod_that_is_gone_may_have_served_as_much_more_as_between_its_busiest_scrapes() -> None:
    group = [counter((5, 100), (20, 101), (21, 104), (22, 104)), counter((5, 0), (21, 2), (22, 3))]
    assert gone(group, since_ns=10 * S, until_ns=80 * S) == Gone(1, 5.0)
