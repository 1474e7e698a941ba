"""Grading an interval against a target and a threshold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorer.objective import Comparison, figure, grade, judge
from scorer.targets import Limit, ObjectiveTarget
from scorer.verdict import Grade, Measure

AT_MOST = ObjectiveTarget(title="T", measure="error-rate", at_most=Limit(target=1, threshold=5, unit="%"))
AT_LEAST = ObjectiveTarget(title="T", measure="availability", at_least=Limit(target=99.5, threshold=99, unit="%"))


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, Grade.PASS),
        (0, 1.01, Grade.WARN),
        (2, 5, Grade.WARN),
        (2, 5.1, Grade.INCONCLUSIVE),
        (5, 6, Grade.INCONCLUSIVE),
        (5.1, 6, Grade.FAIL),
        (5.1, None, Grade.FAIL),
        (0, None, Grade.INCONCLUSIVE),
        (None, None, Grade.INCONCLUSIVE),
        (None, 1, Grade.PASS),
    ],
)
def test_an_interval_is_graded_by_the_side_it_is_wholly_on(
    low: float | None, high: float | None, expected: Grade
) -> None:
    assert grade(low, high, 1, 5, "at most") is expected


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (99.5, 100, Grade.PASS),
        (99.4, 100, Grade.WARN),
        (98.9, 100, Grade.INCONCLUSIVE),
        (90, 98.9, Grade.FAIL),
        (None, 100, Grade.INCONCLUSIVE),
        (None, 98.9, Grade.FAIL),
        (99.5, None, Grade.PASS),
    ],
)
def test_at_least_is_the_mirror_of_at_most(low: float | None, high: float | None, expected: Grade) -> None:
    assert grade(low, high, 99.5, 99, "at least") is expected


finite = st.floats(-1e6, 1e6)
ORDER = [Grade.PASS, Grade.WARN, Grade.INCONCLUSIVE, Grade.FAIL]


@given(finite, finite, finite, finite, st.floats(0, 1e3), st.sampled_from(["at most", "at least"]))
def test_a_wider_interval_never_turns_a_claim_into_a_better_or_an_opposite_one(
    a: float, b: float, c: float, d: float, more: float, comparison: Comparison
) -> None:
    """Less knowledge may only move a grade towards inconclusive, or from pass to warn."""
    low, high, target = min(a, b), max(a, b), min(c, d)
    threshold = max(c, d)
    if comparison == "at least":
        target, threshold = threshold, target
    sharp = ORDER.index(grade(low, high, target, threshold, comparison))
    blunt = ORDER.index(grade(low - more, high + more, target, threshold, comparison))
    assert min(sharp, 2) <= blunt <= 2 or blunt == sharp


@given(finite, finite, finite, finite, st.floats(0, 1e3))
def test_a_worse_measurement_never_gets_a_better_grade(a: float, b: float, c: float, d: float, worse: float) -> None:
    low, high, target, threshold = min(a, b), max(a, b), min(c, d), max(c, d)
    before = ORDER.index(grade(low, high, target, threshold, "at most"))
    after = ORDER.index(grade(low + worse, high + worse, target, threshold, "at most"))
    assert after >= before


def measure(
    value: float | None, low: float | None, high: float | None, n: int, unit: str = "%", evidence: tuple[str, ...] = ()
) -> Measure:
    return Measure(name="error-rate", value=value, low=low, high=high, unit=unit, n=n, method="test", evidence=evidence)


@pytest.mark.parametrize(
    ("promise", "taken", "says"),
    [
        (
            AT_LEAST,
            measure(100, 98.76, 100, 240),
            "cannot tell: needs 598 clean requests to claim at least 99.5 %, has 240",
        ),
        (AT_MOST, measure(0, 0, 7.2, 40), "cannot tell: needs 299 clean requests to claim at most 1 %, has 40"),
        (
            AT_MOST,
            measure(4, 1, 9, 50),
            "cannot tell: needs 124 requests with no more than 2 bad to claim at most 5 %, has 50",
        ),
        (
            AT_MOST,
            measure(5.5, 4, 7, 500),
            "cannot tell: 4 % to 7 % holds the 5 % on which it turns; more requests narrow it",
        ),
        (AT_MOST, measure(None, None, None, 0, evidence=("nobody looked",)), "cannot tell: nobody looked"),
        (AT_MOST, measure(None, 0, None, 9, "s", ("it never ended",)), "cannot tell: it never ended"),
        (AT_MOST, measure(0.1, 0.05, 0.2, 900), "at most 0.2 %, promised at most 1 %"),
        (AT_MOST, measure(2, 1.5, 2.5, 900), "at most 2.5 %: beyond the target of 1 %, within the threshold of 5 %"),
        (AT_MOST, measure(9, 8, 10, 900), "at least 8 %, promised at most 5 %"),
        (AT_LEAST, measure(90, 88, 92, 900), "at most 92 %, promised at least 99 %"),
    ],
)
def test_one_line_says_why_and_what_would_settle_it(promise: ObjectiveTarget, taken: Measure, says: str) -> None:
    assert judge("name", promise, taken, 0.95).says == says


@pytest.mark.parametrize(
    ("amount", "unit", "text"),
    [
        (20_000, "ms", "20,000 ms"),
        (12, "requests", "12 requests"),
        (0.123456, "s", "0.1235 s"),
        (None, "s", "unbounded"),
    ],
)
def test_figures_read_well(amount: float | None, unit: str, text: str) -> None:
    assert figure(amount, unit) == text


def test_what_more_requests_do_not_settle_is_said_instead() -> None:
    measure = Measure(name="error-rate", value=0, low=0, high=7, unit="%", n=100, method="m")
    assert judge("e", AT_MOST, measure, 0.95).says.startswith("cannot tell: needs ")
    assert judge("e", AT_MOST, measure, 0.95, settled_by="an open load").says == "cannot tell: an open load"
    nothing = measure.model_copy(update={"n": 0, "evidence": ("no request was sent",)})
    assert judge("e", AT_MOST, nothing, 0.95, settled_by="an open load").says == "cannot tell: no request was sent"
    good = measure.model_copy(update={"high": 1})
    assert "open load" not in judge("e", AT_MOST, good, 0.95, settled_by="an open load").says


@pytest.mark.parametrize(
    ("bad", "unsent", "unrecorded", "says"),
    [
        (10, 0, 0, "needs 336 requests with no more than 10 bad to claim at most 5 %, has 300"),
        (10, 100, 0, "0 % to 100 % holds the 5 % on which it turns; more requests narrow it"),
        (9, 1, 3, "needs 410 requests with no more than 13 bad, unsent or unrecorded to claim at most 5 %, has 303"),
        (0, 10, 0, "needs 336 requests with no more than 10 bad, unsent or unrecorded to claim at most 5 %, has 300"),
    ],
)
def test_what_was_never_sent_or_left_no_row_counts_as_bad_in_what_would_settle_it(
    bad: int, unsent: int, unrecorded: int, says: str
) -> None:
    taken = measure(100 * bad / (300 - unsent), 0, 100, 300)
    said = judge("name", AT_MOST, taken, 0.95, unsent=unsent, unrecorded=unrecorded).says
    assert said == f"cannot tell: {says}"


def test_more_requests_are_not_said_to_settle_what_is_no_share_of_them() -> None:
    taken = measure(0.5, 0, 7, 900).model_copy(update={"name": "share-drift"})
    assert judge("name", AT_MOST, taken, 0.95).says.endswith(
        "0 % to 7 % holds the 5 % on which it turns; more requests narrow it"
    )
