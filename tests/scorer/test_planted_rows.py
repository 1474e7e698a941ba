"""The requests of planted drills: true to their plan, open or closed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bundle.rates import RateCurve
from scorer.planted import EPOCH_NS, Outage, Plan
from scorer.planted_rows import Rows, rows_of

S = 1_000_000_000
FAULT_NS, END_NS = EPOCH_NS + 10 * S, EPOCH_NS + 30 * S


def rows(plan: Plan) -> Rows:
    return rows_of(plan, np.random.default_rng(5), FAULT_NS, END_NS)


def after_s(found: Rows) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return (found.scheduled - FAULT_NS) / 1e9


def test_an_arrival_rate_follows_its_curves() -> None:
    plan = Plan(outages=(), curves=(RateCurve(((0, 0), (10, 100))), RateCurve.constant(20)))
    counts, _ = np.histogram(after_s(rows(plan)), bins=[-10, 0, 20])
    assert counts.tolist() == pytest.approx([500 + 200, 2000 + 400], abs=2)
    poisson, _ = np.histogram(after_s(rows(replace(plan, spacing="poisson"))), bins=[-10, 0, 20])
    assert poisson.tolist() == pytest.approx([700, 2400], abs=200)


def test_users_who_wait_for_a_pace_keep_it_while_they_are_served() -> None:
    found = rows(Plan(outages=(), users=10, pace_s=0.1))
    assert len(found.scheduled) == pytest.approx(3000, abs=10)
    assert found.ok.all()
    assert not found.late.any()


def test_users_who_wait_after_each_answer_ask_the_less_often_the_longer_they_wait() -> None:
    found = rows(Plan(outages=(), users=100, wait_s=0.988))
    assert len(found.scheduled) == pytest.approx(3000, rel=0.05)


def test_a_user_has_no_more_than_one_request_at_a_time() -> None:
    found = rows(Plan(users=4, outages=(Outage(0, 5, 0.3, held="answered"),)))
    marks = np.concatenate([found.scheduled, found.scheduled + found.service])
    order = np.lexsort((np.repeat([1, -1], len(found.scheduled)), marks))
    assert np.cumsum(np.repeat([1, -1], len(found.scheduled))[order]).max() == 4


@pytest.mark.parametrize("users", [None, 10])
@pytest.mark.parametrize(
    ("outage", "ok", "longest_s"),
    [
        (Outage(2, 5), False, 0.05),
        (Outage(2, 5, slow_ms=400.0), True, 0.5),
        (Outage(2, 5, held="answered"), True, 3.1),
        (Outage(2, 5, held="failed"), False, 3.0),
    ],
)
def test_an_outage_does_to_requests_what_its_plan_says(
    users: int | None, outage: Outage, ok: bool, longest_s: float
) -> None:
    found = rows(Plan(users=users, pace_s=0.1, outages=(outage,)))
    begun = after_s(found)
    hit = (begun >= 2) & (begun < 4.9)
    assert hit.sum() >= 10
    assert (found.ok[hit] == ok).all()
    assert found.ok[(begun < 1.9) | (begun > 5)].all()
    taken = found.service[hit] / 1e9
    assert 0.7 * longest_s < taken.max() <= longest_s or (not ok and longest_s < 0.1 and taken.max() <= longest_s)


@pytest.mark.parametrize("users", [None, 3])
def test_a_service_may_get_faster_after_the_fault(users: int | None) -> None:
    found = rows(Plan(users=users, outages=(), speed=0.5, sped_from_s=5))
    before, after = (np.median(found.service[part]) for part in (after_s(found) < 5, after_s(found) > 5))
    assert after == pytest.approx(before / 2, rel=0.05)
