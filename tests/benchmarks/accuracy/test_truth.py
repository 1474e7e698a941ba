from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.accuracy.truth import known, met
from scorer.planted import Outage, Plan, plant


@pytest.mark.parametrize(
    ("outages", "seen", "recovered_s"),
    [
        ((Outage(0, 2),), 1, 2.0),
        ((), 0, 0.0),
        ((Outage(0, 2), Outage(2, 4, 1e-9)), 1, 2.0),
        ((Outage(0, 2), Outage(3, 4, 1e-9), Outage(4, 5, 1e-9)), 1, 2.0),
        ((Outage(0, 2, 1e-9), Outage(2, 4)), 2, 4.0),
        ((Outage(0, 2), Outage(2, 4, 1e-9, 400.0)), 2, 4.0),
        ((Outage(0, 60),), 1, float("inf")),
    ],
)
def test_an_outage_at_the_end_that_no_request_met_is_none_that_users_saw(
    tmp_path: Path, outages: tuple[Outage, ...], seen: int, recovered_s: float
) -> None:
    plan = Plan(outages=outages)
    truth = plant(tmp_path / "b", plan)
    assert met(plan, truth) == outages[:seen]
    assert known(plan, truth).by_measure["recovery-user"] == recovered_s
