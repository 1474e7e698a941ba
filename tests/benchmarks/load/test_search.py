from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.load.search import highest


@given(limit=st.floats(0.5, 1.1), tries=st.integers(1, 12))
def test_the_answer_is_below_the_limit_and_as_near_as_the_tries_allow(limit: float, tries: int) -> None:
    found = highest(lambda value: value <= limit, 0.5, 1.1, tries)
    assert found <= limit
    assert max(found, 0.5) >= limit - 0.6 / 2**tries - 1e-12


def test_what_holds_at_no_value_that_was_tried_is_zero() -> None:
    assert highest(lambda _: False, 0.5, 1.1, 5) == 0


def test_the_middle_comes_first() -> None:
    tried: list[float] = []
    highest(lambda value: not tried.append(value), 0.5, 1.1, 2)
    assert tried == pytest.approx([0.8, 0.95])
