"""Low load before a peak."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundle.rates import RateCurve
from gameday.errors import BadInput
from gameday.load.lead import led
from gameday.load.profile import ProfileFacts


def profile(*curves: RateCurve, model: str = "open") -> ProfileFacts:
    return ProfileFacts(Path("p.py"), model, curves, 10.0, "uniform", ("User",))  # type: ignore[arg-type]


PEAK = RateCurve(((0, 100), (60, 100), (60, 10)))


def test_the_peak_comes_after_the_low_load() -> None:
    found = led(profile(PEAK), 40)
    assert (found.lead_s, found.rise_s, found.fall_s, found.at_peak) == (40, 40, 100, 6000)
    assert found.profile.curves == (RateCurve(((0, 10), (40, 10), (40, 100), (100, 100), (100, 10))),)


def test_classes_that_rise_together_have_one_peak() -> None:
    assert led(profile(PEAK, PEAK.scaled(0.5)), 40).at_peak == 9000


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (profile(RateCurve.constant(100)), "p.py: no peak to scale for: the load never falls from its peak"),
        (profile(RateCurve(((0, 10), (60, 100)))), "the load is never higher than at its end"),
        (profile(RateCurve(((0, 10), (5, 100)), repeats=True)), "repeats itself"),
        (profile(model="closed"), "the load has no step"),
        (None, "--load none doesn't know"),
    ],
)
def test_a_load_without_a_peak_is_refused(given: ProfileFacts | None, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        led(given, 40)
