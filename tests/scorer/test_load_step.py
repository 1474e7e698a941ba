"""When the load rises to its peak and falls from it."""

from __future__ import annotations

import pytest

from bundle.manifest import LoadRecord
from bundle.rates import RateCurve
from scorer.load_step import load_fall, load_rise

S = 1_000_000_000


def load(*curves: tuple[tuple[float, float], ...], repeats: bool = False) -> LoadRecord:
    return LoadRecord(model="open", curves=tuple(RateCurve(points, repeats) for points in curves), began_ns=5 * S)


STEP = ((0.0, 10.0), (20.0, 10.0), (20.0, 100.0), (80.0, 100.0), (80.0, 10.0))
RAMP = ((0.0, 10.0), (20.0, 10.0), (30.0, 50.0), (40.0, 100.0), (70.0, 100.0), (90.0, 20.0), (95.0, 60.0))


@pytest.mark.parametrize(
    ("curves", "rise_s", "fall_s"),
    [
        ((STEP,), (20, 20), (80, 80)),
        ((RAMP,), (20, 40), (70, 90)),
        ((((0.0, 100.0), (60.0, 100.0), (60.0, 10.0)),), (0, 0), (60, 60)),  # the peak from the first moment on
        ((STEP, STEP), (20, 20), (80, 80)),
        ((STEP, ((0.0, 5.0),)), (20, 20), (80, 80)),
        ((((0.0, 0.0), (10.0, 100.0)), ((0.0, 5.0), (5.0, 5.0), (5.0, 0.0))), (5, 10), None),
    ],
)
def test_the_peak_is_where_the_curves_together_are_highest(
    curves: tuple[tuple[tuple[float, float], ...], ...], rise_s: tuple[int, int], fall_s: tuple[int, int] | None
) -> None:
    rise = load_rise(load(*curves))
    assert ((rise.low / S) - 5, (rise.high / S) - 5) == rise_s
    if fall_s is None:
        with pytest.raises(LookupError, match="never falls"):
            load_fall(load(*curves))
    else:
        fall = load_fall(load(*curves))
        assert ((fall.low / S) - 5, (fall.high / S) - 5) == fall_s


@pytest.mark.parametrize(
    ("record", "says"),
    [
        (None, "its rate is constant, or there is no schedule"),
        (LoadRecord(model="open", rate_per_s=100.0), "its rate is constant"),
        (LoadRecord(model="closed"), "there is no schedule"),
        (load(((0.0, 1.0), (5.0, 2.0)), repeats=True), "its rate repeats itself"),
    ],
)
def test_a_load_without_a_step_is_said(record: LoadRecord | None, says: str) -> None:
    for find in (load_rise, load_fall):
        with pytest.raises(LookupError, match=says):
            find(record)
