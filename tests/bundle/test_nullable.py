"""Nullable columns as arrays."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from bundle.nullable import every, nullable


@given(st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), max_size=40), st.integers(0, 40))
def test_values_and_nulls_are_those_of_the_column_also_of_a_part_of_it(values: list[int | None], skipped: int) -> None:
    found, known = nullable(pa.array(values, pa.int64()).slice(skipped))
    assert known.tolist() == [value is not None for value in values[skipped:]]
    assert found[known].tolist() == [value for value in values[skipped:] if value is not None]


@given(st.lists(st.booleans(), max_size=20))
def test_all_are_set_where_none_is_not(flags: list[bool]) -> None:
    assert every(np.array(flags, dtype=np.bool_)) is all(flags)


def test_one_value_in_disguise_is_looked_at_once() -> None:
    assert every(np.broadcast_to(np.True_, 5))
    assert not every(np.broadcast_to(np.False_, 5))
    assert every(np.broadcast_to(np.False_, 0))
