"""When an observer saw nothing."""

from __future__ import annotations

import pytest

from bundle.timeline import Entry
from scorer.blindness import longest_blindness_s
from scorer.span import Span

S = 1_000_000_000


def blind_s(*events: tuple[str, int], watches: str = "pods") -> float:
    entries = [Entry("observer", event, at * S, at * S, "c", attributes={"watches": watches}) for event, at in events]
    return longest_blindness_s(entries, "c", "pods", Span(10 * S, 20 * S))


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], 10),
        ([("connected", 5)], 0),
        ([("connected", 12)], 2),
        ([("connected", 5), ("lost", 12), ("resumed", 13), ("lost", 14), ("resumed", 17)], 3),
        ([("connected", 5), ("lost", 7), ("resumed", 11)], 1),
        ([("connected", 5), ("lost", 7), ("resumed", 9)], 0),
        ([("connected", 5), ("failed", 16)], 4),
        ([("connected", 5), ("lost", 12), ("failed", 13)], 8),
        ([("connected", 5), ("lost", 25)], 0),
    ],
)
def test_blindness_is_the_longest_part_of_the_window_without_a_watch(
    events: list[tuple[str, int]], expected: float
) -> None:
    assert blind_s(*events) == expected


def test_another_watch_does_not_stand_in_for_this_one() -> None:
    assert blind_s(("connected", 5), watches="deployments") == 10
