"""Error rate and availability."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from bundle.reader import Bundle
from scorer.error_rate import availability, error_rate
from scorer.facts import read_facts
from scorer.intervals import clopper_pearson
from scorer.planted import Plan

PlantedBundle = Callable[..., Bundle]


def test_error_rate_and_availability_are_two_sides_of_one_share(planted: PlantedBundle) -> None:
    facts = read_facts(planted())
    errors, answers = error_rate(facts, 0.95), availability(facts, 0.95)
    n = len(facts.judged)
    bounds = clopper_pearson(facts.judged.bad, n, 0.95)
    assert errors.value == pytest.approx(100 * facts.judged.bad / n)
    assert (errors.low, errors.high) == pytest.approx((100 * bounds.low, 100 * bounds.high))
    assert (answers.value, answers.low, answers.high) == pytest.approx(
        (100 - (errors.value or 0), 100 - 100 * bounds.high, 100 - 100 * bounds.low)
    )


def test_no_error_in_598_requests_is_availability_of_at_least_99_5_per_cent(planted: PlantedBundle) -> None:
    shown = availability(read_facts(planted(Plan(outages=(), after_s=6.0))), 0.95)
    assert 598 <= shown.n <= 603
    assert shown.low == pytest.approx(99.503, abs=0.002)


@pytest.mark.parametrize(("plan", "unknown"), [(Plan(unsent=(10, 10.5)), 50), (Plan(silent=(10, 10.5)), 50)])
def test_arrivals_that_were_unsent_or_left_no_row_widen_the_bounds(
    planted: PlantedBundle, plan: Plan, unknown: int
) -> None:
    facts = read_facts(planted(replace(plan, outages=())))
    taken = error_rate(facts, 0.95)
    assert (taken.value, taken.low) == (0, 0)
    assert taken.high == pytest.approx(
        100 * clopper_pearson(unknown, len(facts.judged) + facts.unseen.missing, 0.95).high
    )


def test_without_requests_the_share_may_be_anything(planted: PlantedBundle) -> None:
    bundle = planted()
    (bundle.root / "requests.parquet").unlink()
    taken = availability(read_facts(bundle), 0.95)
    assert (taken.value, taken.low, taken.high, taken.n) == (None, 0, 100, 0)
    assert taken.evidence == ("no request was sent in the window",)
