"""The algebra of grades."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from scorer.verdict import Grade, worst

grades = st.lists(st.sampled_from(Grade), min_size=1)


def test_nothing_judged_is_invalid() -> None:
    assert worst([]) is Grade.INVALID


@given(grades, grades)
def test_merging_in_parts_or_in_any_order_comes_to_the_same(one: list[Grade], other: list[Grade]) -> None:
    assert worst([worst(one), worst(other)]) is worst(one + other) is worst(other + one)


@given(grades)
def test_the_worst_is_one_of_them_and_a_pass_needs_them_all(some: list[Grade]) -> None:
    assert worst(some) in some
    assert (worst(some) is Grade.PASS) == all(grade is Grade.PASS for grade in some)


def test_the_order_is_pass_warn_inconclusive_fail_invalid() -> None:
    order = [Grade.PASS, Grade.WARN, Grade.INCONCLUSIVE, Grade.FAIL, Grade.INVALID]
    for better, worse in pairwise(order):
        assert worst([better, worse]) is worse
