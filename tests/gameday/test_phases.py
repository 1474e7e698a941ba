"""When a drill moves on: tables, without a clock."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundle.manifest import PhaseName
from gameday.phases import PhaseLimits, Situation, Step, decide, least_rate, left_s

LIMITS = PhaseLimits(
    warm_up_s=5,
    baseline_s=15,
    baseline_max_s=60,
    fault_max_s=900,
    hold_s=5,
    requests=718,
    unseen_s=60,
    recovery_max_s=180,
    cool_down_s=5,
    highest_per_s=100,
)
CALM = Situation(
    in_phase_s=20, rate_per_s=100, asked_per_s=100, clean_s=20, chaos_running=True, whole=True, requests=2000
)


@pytest.mark.parametrize(
    ("phase", "situation", "step"),
    [
        # warm-up lasts its time, whatever goes wrong in it
        (PhaseName.WARM_UP, replace(CALM, in_phase_s=4.9), Step.STAY),
        (PhaseName.WARM_UP, replace(CALM, in_phase_s=5, clean_s=0), Step.NEXT),
        # a ramp may begin at nothing
        (PhaseName.WARM_UP, replace(CALM, in_phase_s=5, asked_per_s=0, rate_per_s=0), Step.NEXT),
        # the baseline lasts its time and until it has settled
        (PhaseName.BASELINE, replace(CALM, in_phase_s=14.9), Step.STAY),
        (PhaseName.BASELINE, replace(CALM, in_phase_s=15), Step.NEXT),
        (PhaseName.BASELINE, replace(CALM, in_phase_s=15, clean_s=4.9), Step.STAY),
        (PhaseName.BASELINE, replace(CALM, in_phase_s=15, whole=False), Step.STAY),
        (PhaseName.BASELINE, replace(CALM, in_phase_s=15, rate_per_s=70), Step.STAY),
        (PhaseName.BASELINE, replace(CALM, in_phase_s=60, rate_per_s=70), Step.GIVE_UP),
        (PhaseName.BASELINE, replace(CALM, in_phase_s=15, asked_per_s=None, rate_per_s=3), Step.NEXT),
        (PhaseName.BASELINE, replace(CALM, in_phase_s=15, asked_per_s=None, rate_per_s=0), Step.STAY),
        # the fault lasts as long as Chaos Toolkit runs
        (PhaseName.FAULT, CALM, Step.STAY),
        (PhaseName.FAULT, replace(CALM, chaos_running=False), Step.NEXT),
        (PhaseName.FAULT, replace(CALM, in_phase_s=900), Step.GIVE_UP),
        # load from elsewhere is not seen: no request can unsettle the baseline
        (PhaseName.BASELINE, replace(CALM, in_phase_s=15, clean_s=None, asked_per_s=None, rate_per_s=0), Step.NEXT),
        (PhaseName.BASELINE, replace(CALM, in_phase_s=15, clean_s=None, whole=False), Step.STAY),
        # recovery lasts until pods are back, users have seen nothing bad for the hold time, and enough requests were
        # sent to claim something, or until the limit
        (PhaseName.RECOVERY, replace(CALM, requests=718), Step.NEXT),
        (PhaseName.RECOVERY, replace(CALM, requests=717), Step.STAY),
        (PhaseName.RECOVERY, replace(CALM, in_phase_s=180, requests=717), Step.NEXT),
        # where nobody can count, it lasts a time
        (PhaseName.RECOVERY, replace(CALM, clean_s=None, requests=0, in_phase_s=59), Step.STAY),
        (PhaseName.RECOVERY, replace(CALM, clean_s=None, requests=0, in_phase_s=60), Step.NEXT),
        (PhaseName.RECOVERY, replace(CALM, clean_s=4.9), Step.STAY),
        (PhaseName.RECOVERY, replace(CALM, whole=False), Step.STAY),
        (PhaseName.RECOVERY, replace(CALM, in_phase_s=180, whole=False, clean_s=0), Step.NEXT),
        (PhaseName.COOL_DOWN, replace(CALM, in_phase_s=4.9), Step.STAY),
        (PhaseName.COOL_DOWN, replace(CALM, in_phase_s=5, clean_s=0, whole=False), Step.NEXT),
    ],
)
def test_a_phase_moves_on_exactly_when_it_should(phase: PhaseName, situation: Situation, step: Step) -> None:
    assert decide(phase, situation, LIMITS).step is step


def test_giving_up_says_what_was_missing() -> None:
    stuck = replace(CALM, in_phase_s=60, rate_per_s=70, clean_s=1, whole=False)
    why = decide(PhaseName.BASELINE, stuck, LIMITS).why
    assert "did not settle in 60 s" in why
    assert "a request failed 1.0 s ago" in why
    assert "70.0 of 100 requests/s" in why
    assert "desired replicas" in why


def test_a_load_that_sends_nothing_is_not_said_to_fail() -> None:
    silent = replace(CALM, in_phase_s=60, rate_per_s=0, clean_s=0, requests=0)
    why = decide(PhaseName.BASELINE, silent, LIMITS).why
    assert "no request was sent" in why
    assert "failed" not in why


@given(
    st.sampled_from(PhaseName),
    st.builds(
        Situation,
        in_phase_s=st.floats(1e4, 1e6),
        rate_per_s=st.floats(0, 1e4),
        asked_per_s=st.none() | st.floats(0, 1e4),
        clean_s=st.none() | st.floats(0, 1e4),
        requests=st.integers(0, 10**6),
        chaos_running=st.booleans(),
        whole=st.booleans(),
    ),
)
def test_no_phase_lasts_for_ever(phase: PhaseName, situation: Situation) -> None:
    assert decide(phase, situation, LIMITS).step is not Step.STAY


@pytest.mark.parametrize(
    ("asked", "over", "least"),
    [
        (100, 5, 95 - 4 * math.sqrt(20)),  # 77: four deviations of 500 Poisson arrivals, and 5 %
        (1, 5, 0),  # five arrivals in all: even none is not beyond chance
        (10_000, 5, 9_500 - 4 * math.sqrt(2_000)),
    ],
)
def test_the_least_rate_allows_for_chance_and_no_more(asked: float, over: float, least: float) -> None:
    assert least_rate(asked, over) == pytest.approx(least)


def test_where_nothing_will_ever_be_due_the_drill_gives_up() -> None:
    """A fault would prove nothing."""
    assert decide(PhaseName.WARM_UP, CALM, replace(LIMITS, highest_per_s=0)).step is Step.GIVE_UP
    assert decide(PhaseName.WARM_UP, CALM, replace(LIMITS, highest_per_s=None)).step is Step.NEXT


@pytest.mark.parametrize(
    ("phase", "situation", "left"),
    [
        (PhaseName.WARM_UP, replace(CALM, in_phase_s=2), 3),
        (PhaseName.BASELINE, CALM, 0),
        (PhaseName.FAULT, CALM, None),
        (PhaseName.RECOVERY, replace(CALM, requests=418), 3),  # 300 requests more, at 100 a second
        (PhaseName.RECOVERY, replace(CALM, clean_s=1), 4),
        (PhaseName.RECOVERY, replace(CALM, rate_per_s=0, requests=0), None),
        (PhaseName.RECOVERY, replace(CALM, clean_s=None), 40),
    ],
)
def test_the_time_left_is_told_only_where_it_is_known(
    phase: PhaseName, situation: Situation, left: float | None
) -> None:
    assert left_s(phase, situation, LIMITS) == left
