from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.quantity import binary, decimal, milli, parse


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        (2, 2),
        ("100m", Fraction(1, 10)),
        ("1.5", Fraction(3, 2)),
        ("2134567n", Fraction(2134567, 10**9)),
        ("12u", Fraction(12, 10**6)),
        ("64Mi", 64 * 2**20),
        ("1e3", 1000),
        ("2E", 2 * 10**18),
        ("-5k", -5000),
    ],
)
def test_a_quantity_is_read_exactly(text: str | int, value: Fraction | int) -> None:
    assert parse(text) == value


@pytest.mark.parametrize("text", ["", "m", "1 Gi", "1mi", "ten", "1e"])
def test_a_text_that_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no quantity"):
        parse(text)


def test_thousandths_are_rounded_up() -> None:
    assert [milli(text) for text in ("100m", "1", "1000001n", "0")] == [100, 1000, 2, 0]


@pytest.mark.parametrize(
    ("value", "exponent", "text"),
    [(2_000_000, -9, "2m"), (2_134_567, -9, "2134567n"), (0, -9, "0"), (1500, -3, "1500m"), (5000, -3, "5")],
)
def test_a_decimal_quantity_is_written_in_its_shortest_form(value: int, exponent: int, text: str) -> None:
    assert decimal(value, exponent) == text


@pytest.mark.parametrize(("value", "text"), [(64 * 2**20, "64Mi"), (1000, "1000"), (1536, "1536"), (0, "0")])
def test_a_binary_quantity_is_written_with_the_largest_suffix_that_leaves_it_whole(value: int, text: str) -> None:
    assert binary(value) == text


@given(st.integers(0, 2**62))
def test_what_is_written_is_read_as_the_same(value: int) -> None:
    assert parse(decimal(value, -9)) == Fraction(value, 10**9)
    assert parse(binary(value)) == value
