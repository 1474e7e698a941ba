"""The usual ways of measuring, on plans whose outcome can be told by hand."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest

from benchmarks.accuracy.peers import found_s, polled_s
from scorer.planted import Outage, Plan


@pytest.mark.parametrize("every_s", [1.0, 2.0, 5.0])
def test_a_poll_finds_a_hard_outage_over_up_to_a_period_too_late(every_s: float) -> None:
    found = [polled_s(Plan(outages=(Outage(0, 3),)), every_s, np.random.default_rng(seed)) for seed in range(200)]
    assert min(found) >= 3
    assert max(found) < 3 + every_s
    assert np.mean(found) == pytest.approx(3 + every_s / 2, abs=0.1 * every_s)


@pytest.mark.parametrize(
    ("outage", "found"),
    [
        (Outage(0, 60), inf),
        (Outage(0, 9, slow_ms=400), 1),  # slow is no failure to a poll
        (Outage(0, 9, 1 / 9), 6),
        (Outage(5, 9), 1),  # it begins after the first good answer
        (Outage(0, 0.5, held="answered"), 1),
    ],
)
def test_what_a_poll_makes_of_other_outages(outage: Outage, found: float) -> None:
    said = [polled_s(Plan(outages=(outage,)), 1.0, np.random.default_rng(seed)) for seed in range(50)]
    assert all(one == inf for one in said) if found == inf else max(said) <= found


def test_the_ready_condition_says_when_the_pod_was_ready_whatever_users_saw() -> None:
    found = found_s(Plan(ready_s=7.5), np.random.default_rng(1))
    assert found["ready condition"] == 7.5
    assert found_s(Plan(ready_s=None), np.random.default_rng(1))["ready condition"] == inf
