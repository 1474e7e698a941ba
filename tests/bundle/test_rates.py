from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundle.manifest import LoadRecord
from bundle.rates import MAX_RATE_PER_S, RateCurve, expected_between

RAMP = RateCurve(((0, 0), (10, 20)))  # +2/s each second: t² arrivals by t, then 20/s
STEP = RateCurve(((0, 10), (5, 10), (5, 100)))
PAUSE = RateCurve(((0, 10), (1, 10), (1, 0), (3, 0), (3, 10)))
WAVE = RateCurve(((0, 0), (1, 10), (2, 0)), repeats=True)  # 10 arrivals in each round of 2 s


@pytest.mark.parametrize(
    ("curve", "arrivals", "when_s"),
    [
        (RateCurve.constant(100), 250, 2.5),
        (RateCurve.constant(0), 0, math.inf),  # nothing is ever due, not even at the start
        (RAMP, 0, 0),
        (RAMP, 49, 7),
        (RAMP, 100, 10),
        (RAMP, 140, 12),  # the last rate holds
        (STEP, 50, 5),
        (STEP, 150, 6),
        (PAUSE, 9.5, 0.95),
        (PAUSE, 10, 3),  # an arrival that nothing is due for comes when there is a rate again
        (PAUSE, 15, 3.5),
        (WAVE, 5, 1),
        (WAVE, 10, 2),
        (WAVE, 35, 7),
        (RateCurve(((0, 0), (4, 0))), 1, math.inf),
        (RateCurve(((0, 10), (1, 10), (1, 0))), 10, math.inf),  # it has ended
        (RateCurve(((0, 0), (1, 0)), repeats=True), 0, math.inf),
    ],
)
def test_an_arrival_comes_when_so_many_are_expected(curve: RateCurve, arrivals: float, when_s: float) -> None:
    assert curve.when_s(arrivals) == pytest.approx(when_s)


@pytest.mark.parametrize(
    ("curve", "t_s", "arrivals"),
    [
        (RateCurve.constant(100), 2.5, 250),
        (RAMP, -1, 0),
        (RAMP, 7, 49),
        (RAMP, 12, 140),
        (STEP, 6, 150),
        (PAUSE, 2, 10),
        (WAVE, 7, 35),
    ],
)
def test_so_many_are_expected_by_a_time(curve: RateCurve, t_s: float, arrivals: float) -> None:
    assert curve.expected(t_s) == pytest.approx(arrivals)


@st.composite
def curves(draw: st.DrawFn) -> RateCurve:
    gaps = draw(st.lists(st.floats(0.01, 100), max_size=6))
    rates = draw(st.lists(st.floats(0.1, 1000), min_size=len(gaps) + 1, max_size=len(gaps) + 1))
    times = [0.0, *np.cumsum(gaps).tolist()]
    return RateCurve(tuple(zip(times, rates, strict=True)), repeats=bool(gaps) and draw(st.booleans()))


@given(curves(), st.floats(0, 1000))
def test_the_time_of_as_many_as_are_expected_by_a_time_is_that_time(curve: RateCurve, t_s: float) -> None:
    assert curve.when_s(float(curve.expected(t_s))) == pytest.approx(t_s, rel=1e-6, abs=1e-6)


@given(curves(), st.lists(st.floats(0, 100_000), min_size=2, max_size=20))
def test_more_arrivals_never_come_sooner(curve: RateCurve, arrivals: list[float]) -> None:
    when = [curve.when_s(n) for n in sorted(arrivals)]
    assert all(later >= sooner - 1e-9 * max(1, sooner) for sooner, later in pairwise(when))


def test_scaling_multiplies_rates_and_stretching_multiplies_times() -> None:
    assert RAMP.scaled(3).points == ((0, 0), (10, 60))
    assert RAMP.stretched(3).points == ((0, 0), (30, 20))
    assert WAVE.stretched(2).repeats
    assert (RAMP.highest_per_s, RAMP.length_s) == (20, 10)


def test_the_rates_of_several_curves_add_up() -> None:
    assert expected_between((RAMP, STEP), 5, 6) == pytest.approx(36 - 25 + 100)


@pytest.mark.parametrize(
    ("points", "repeats", "says"),
    [
        ((), False, "begins at 0 s"),
        (((1, 5),), False, "begins at 0 s"),
        (((0, 5), (2, 5), (1, 5)), False, "goes back in time, from 2 s to 1 s"),
        (((0, 5), (math.inf, 5)), False, "inf s is no time"),
        (((0, -1),), False, "a rate must be from 0 to 100000 arrivals a second, not -1"),
        (((0, math.nan),), False, "not nan"),
        (((0, MAX_RATE_PER_S * 1.01),), False, "not 101000"),
        (((0, 5), (0, 6)), True, "must last longer than 0 s"),
    ],
)
def test_a_curve_that_makes_no_sense_is_refused(
    points: tuple[tuple[float, float], ...], repeats: bool, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        RateCurve(points, repeats)


def test_a_curve_goes_through_the_manifest_unharmed() -> None:
    record = LoadRecord(model="open", curves=(RAMP, WAVE), began_ns=5)
    again = LoadRecord.model_validate_json(record.model_dump_json())
    assert again == record
    assert again.curves[0].when_s(49) == pytest.approx(7)
