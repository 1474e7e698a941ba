from __future__ import annotations

import pytest

from report.interval import WIDTH, interval_chart
from scorer.verdict import Grade


def test_what_passes_lies_in_the_shaded_zone(build) -> None:
    found = build.measure("latency-p95", 120, 110, 130, "ms")
    chart = interval_chart(build.objective("p95", Grade.PASS, 150, found, "", threshold=200))
    assert chart is not None
    assert chart.good_from == 0 <= chart.low < chart.value < chart.high < chart.target == chart.good_to
    assert chart.target < chart.threshold < WIDTH


def test_the_good_side_of_at_least_is_the_right_one(build) -> None:
    found = build.measure("availability", 97.0, 96.0, 98.0, "%")
    chart = interval_chart(build.objective("availability", Grade.FAIL, 99.5, found, "", threshold=99, at_least=True))
    assert chart is not None
    assert chart.high < chart.threshold < chart.good_from == chart.target < chart.good_to == WIDTH


def test_an_open_bound_reaches_the_edge(build) -> None:
    chart = interval_chart(build.objective("t", Grade.INCONCLUSIVE, 60, build.measure("t", None, 20, None, "s"), ""))
    assert chart is not None
    assert (chart.open_low, chart.open_high, chart.high, chart.value) == (False, True, WIDTH, None)


def test_an_objective_without_data_has_no_chart(build) -> None:
    measure = build.measure("t", None, None, None, "s")
    assert interval_chart(build.objective("t", Grade.INCONCLUSIVE, 60, measure, "")) is None


@pytest.mark.parametrize("same", [0.0, 5.0, -5.0])
def test_a_chart_whose_numbers_all_agree_still_has_a_width(build, same: float) -> None:
    """Zero failed requests of zero allowed must not divide by the width of nothing."""
    chart = interval_chart(build.objective("t", Grade.PASS, same, build.measure("t", same, same, same, "s"), ""))
    assert chart is not None
    assert 0 <= chart.low == chart.high == chart.target <= WIDTH
    assert chart.scale_from < chart.scale_to
