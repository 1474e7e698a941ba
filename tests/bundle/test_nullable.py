"""Nullable columns as arrays."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from bundle.nullable import every, flags, none, nullable


@given(st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), max_size=40), st.integers(0, 40))
def test_values_and_nulls_are_those_of_the_column_also_of_a_part_of_it(values: list[int | None], skipped: int) -> None:
    found, known = nullable(pa.array(values, pa.int64()).slice(skipped))
    assert known.tolist() == [value is not None for value in values[skipped:]]
    assert found[known].tolist() == [value for value in values[skipped:] if value is not None]


@given(st.lists(st.booleans(), max_size=40), st.integers(0, 40), st.integers(0, 40))
def test_flags_are_those_of_the_column_also_of_a_part_of_it(values: list[bool], skipped: int, length: int) -> None:
    column = pa.array(values, pa.bool_()).slice(skipped, length)
    assert flags(column).tolist() == column.to_pylist()


@given(st.integers(1, 40), st.booleans())
def test_flags_of_one_value_take_no_memory(count: int, value: bool) -> None:
    found = flags(pa.array([value] * count))
    assert found.strides == (0,)
    assert found.tolist() == [value] * count


@given(st.lists(st.booleans(), max_size=20))
def test_all_are_set_where_none_is_not(values: list[bool]) -> None:
    some = np.array(values, dtype=np.bool_)
    assert every(some) is all(values)
    assert none(some) is not any(values)


def test_one_value_in_disguise_is_looked_at_once() -> None:
    assert every(np.broadcast_to(np.True_, 5))
    assert not every(np.broadcast_to(np.False_, 5))
    assert every(np.broadcast_to(np.False_, 0))
    assert none(np.broadcast_to(np.False_, 5))
    assert not none(np.broadcast_to(np.True_, 5))
    assert none(np.broadcast_to(np.True_, 0))
