"""The clock anchor: one UTC time for every process of a run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bundle.clock import ENVIRONMENT_VARIABLE, Anchor


def ticking(*readings: int) -> Callable[[], int]:
    """A clock that gives these readings, one a call."""
    left = iter(readings)
    return lambda: next(left)


def test_a_time_is_the_wall_clock_plus_what_has_passed_on_the_monotonic_clock() -> None:
    assert Anchor(wall_ns=1_000, mono_ns=50).utc_ns(70) == 1_020


def test_the_wall_clock_is_paired_with_the_middle_of_two_monotonic_readings() -> None:
    assert Anchor.take(wall=ticking(1_000), mono=ticking(10, 20)) == Anchor(wall_ns=1_000, mono_ns=15)


def test_a_wall_clock_that_was_set_back_moves_no_time_but_shows_as_drift() -> None:
    anchor = Anchor(wall_ns=1_000, mono_ns=0)
    assert anchor.now_ns(ticking(500)) == 1_500
    assert anchor.drift_ns(wall=ticking(1_400), mono=ticking(500, 500)) == -100


def test_an_anchor_reaches_a_child_process_as_text() -> None:
    anchor = Anchor(wall_ns=1_700_000_000_000_000_001, mono_ns=123)
    assert Anchor.parse(anchor.text()) == anchor


@pytest.mark.parametrize("text", ["", "1", "a:b", "1:"])
def test_an_anchor_that_is_no_anchor_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        Anchor.parse(text)


def test_a_child_has_its_clock_from_the_environment_and_else_reads_it() -> None:
    assert Anchor.of({ENVIRONMENT_VARIABLE: "5:3"}) == Anchor(wall_ns=5, mono_ns=3)
    assert abs(Anchor.of({}).drift_ns()) < 1_000_000_000
