from __future__ import annotations

import pytest

from report import quantity
from scorer.verdict import Grade, Measure, Stage


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (60, "60"),
        (600.0, "600"),
        (2.2, "2.2"),
        (2.21687, "2.217"),
        (0.0123456, "0.01235"),
        (12345.6, "12,346"),
        (1_000_000, "1,000,000"),
        (-3.14159, "-3.142"),
        (100, "100"),
        (99.9, "99.9"),
        (0.29, "0.29"),
        (1e-9, "0.000000001"),
    ],
)
def test_a_number_has_four_digits_and_no_trailing_zeros(value: float, text: str) -> None:
    assert quantity.number(value) == text


@pytest.mark.parametrize(("value", "text"), [(99.998, "99.998"), (99.9996, "99.9996"), (100.0002, "100.0002")])
def test_what_is_not_100_is_not_shown_as_100(value: float, text: str) -> None:
    assert quantity.number(value) == text


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (1.23456, 1.23456, "[1.234, 1.235]"),
        (0.29, 0.29, "[0.29, 0.29]"),
        (None, 3.0, "(−∞, 3]"),
        (20.0, None, "[20, ∞)"),
    ],
)
def test_bounds_are_rounded_outwards(low: float | None, high: float | None, text: str) -> None:
    """Rounding 1.23456 to the nearest would claim a bound that was not shown."""
    assert quantity.bounds(Stage(name="detect", value=None, low=low, high=high)) == text


def test_a_promise_names_the_threshold_only_where_it_is_another(build) -> None:
    found = build.measure("latency-p95", 12, 11, 13, "ms")
    assert quantity.promise(build.objective("p95", Grade.PASS, 150, found, "", threshold=200)) == "≤ 150 / 200 ms"
    assert quantity.promise(build.objective("p95", Grade.PASS, 150, found, "", at_least=True)) == "≥ 150 ms"


def test_a_measure_without_a_value_has_no_data() -> None:
    measure = Measure(name="x", value=None, low=None, high=None, unit="s", n=0, method="none")
    assert quantity.value(measure) == "no data"


def test_every_measure_is_listed_once(build) -> None:
    verdict = build.passing()
    again = verdict.model_copy(update={"measures": (*verdict.measures, verdict.objectives[1].measure)})
    assert [m.name for m in quantity.measures(again)] == [m.name for m in quantity.measures(verdict)]


def test_a_measures_name_is_shown_as_words() -> None:
    assert quantity.title("burn-rate.api-latency") == "Burn rate: api latency"


def test_every_grade_has_a_symbol_of_its_own() -> None:
    assert len({quantity.SYMBOLS[grade] for grade in Grade}) == len(Grade)
