from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from bundle.rates import RateCurve
from gameday.load.shapes import constant, ramp, replay_arrivals, replay_rates, sine, spike, step


def rates(curve: RateCurve, *seconds: float) -> list[float]:
    """The rate at some times, from what is expected a millisecond around each."""
    return [round(float(curve.expected(t + 0.0005) - curve.expected(t - 0.0005)) * 1000, 3) for t in seconds]


@pytest.mark.parametrize(
    ("curve", "at_s", "per_s"),
    [
        (constant(30), (1, 1000), [30, 30]),
        (ramp(10, 110, over_s=50), (1, 25, 49, 60), [12, 60, 108, 110]),
        (ramp(100, 0, over_s=10), (5, 11), [50, 0]),
        (step((0, 10), (5, 100), (7, 20)), (4, 6, 8, 80), [10, 100, 20, 20]),
        (spike(50, 200, at_s=30, for_s=10), (29, 31, 39, 41), [50, 200, 200, 50]),
        (sine(100, 50, period_s=60), (15, 45, 60 + 15), [150, 50, 150]),
    ],
)
def test_a_shape_has_the_rate_that_its_words_say(curve: RateCurve, at_s: tuple[float, ...], per_s: list[float]) -> None:
    assert rates(curve, *at_s) == pytest.approx(per_s, rel=1e-3, abs=1e-6)


def test_a_sine_is_never_off_by_more_than_a_thousandth_of_its_amplitude() -> None:
    """Λ(t) = mean·t + amplitude·period/2π·(1 - cos(2πt/period)), in every period anew."""
    t_s = np.linspace(0, 300, 1001)
    true = 100 * t_s + 50 * 60 / math.tau * (1 - np.cos(math.tau * t_s / 60))
    assert np.abs(sine(100, 50, period_s=60).expected(t_s) - true).max() < 50 * 60 * 0.001


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: ramp(10, -1, over_s=5), "a rate must be from 0 to 100000 arrivals a second, not -1"),
        (lambda: ramp(10, math.nan, over_s=5), "not nan"),
        (lambda: ramp(10, 20, over_s=-5), "goes back in time"),
        (lambda: step((5, 10)), "begins at 0 s"),
        (lambda: step(), "begins at 0 s"),
        (lambda: spike(1, 2, at_s=10, for_s=-1), "goes back in time"),
        (lambda: sine(10, 20, period_s=60), "a rate must be from 0"),
        (lambda: sine(10, 5, period_s=0), "must last longer than 0 s"),
        (lambda: constant(1e9), "not 1e"),
    ],
)
def test_figures_that_make_no_sense_are_refused(make: object, says: str) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match=says):
        make()


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    return tmp_path / "load.csv"


def test_rates_are_replayed_linearly_from_their_first_row_on(csv: Path) -> None:
    csv.write_text("t,per_s\n1700000000,10\n1700000010,30\n\n1700000010,5\n")
    assert replay_rates(csv).points == ((0, 10), (10, 30), (10, 5))


def test_arrivals_are_replayed_from_the_first_column(csv: Path) -> None:
    csv.write_text("\ufefftime;x\n3.5,GET\n3.75,GET\n3.75,PUT\n", encoding="utf-8")
    assert replay_arrivals(csv).times_s == (0, 0.25, 0.25)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds no numbers"),
        ("time,rate\n", "holds no numbers"),
        ("1,2\n2,x\n", r"load\.csv:2: expected 2 numbers, found \['2', 'x'\]"),
        ("1,2\n2\n", "load.csv:2: expected 2 numbers"),
        ("a,b\nc,d\n1,2\n", "load.csv:2: expected 2 numbers"),  # one line of names, not two
        ("1,2\n2,nan\n", "load.csv:2: expected 2 numbers"),
        ("2,2\n1,2\n", "goes back in time"),
        ("1,-2\n", "a rate must be from 0"),
    ],
)
def test_a_recording_that_makes_no_sense_is_refused_with_its_line(csv: Path, text: str, says: str) -> None:
    csv.write_text(text)
    with pytest.raises(ValueError, match=says):
        replay_rates(csv)


def test_arrivals_that_would_last_for_months_are_taken_for_milliseconds(csv: Path) -> None:
    csv.write_text("1700000000000\n1700086400000\n")
    with pytest.raises(ValueError, match="more than a week: are these seconds"):
        replay_arrivals(csv)
