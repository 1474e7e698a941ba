"""Error-budget burn."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bundle.reader import Bundle
from scorer.budget import budget_burn
from scorer.facts import read_facts
from scorer.planted import Outage, Plan
from scorer.targets import Targets

PlantedBundle = Callable[..., Bundle]


def test_each_slo_has_its_burn_rate_and_the_share_of_its_budget(planted: PlantedBundle, targets: Targets) -> None:
    facts = read_facts(planted(Plan(outages=(Outage(0, 2, slow_ms=400),), background=0.0)))
    taken = {measure.name: measure for measure in budget_burn(facts, targets)}
    assert list(taken) == [
        "burn-rate.availability",
        "budget-used.availability",
        "burn-rate.api-latency",
        "budget-used.api-latency",
    ]
    assert taken["burn-rate.availability"].value == 0
    burn, used = taken["burn-rate.api-latency"], taken["budget-used.api-latency"]
    assert burn.value == pytest.approx(0.1 / 0.05, rel=0.02)
    assert used.value == pytest.approx((burn.value or 0) * 100 * 20 / (30 * 86_400))
    for measure in taken.values():
        assert measure.low is not None
        assert measure.high is not None
        assert measure.value is not None
        assert measure.low <= measure.value <= measure.high


def test_a_full_outage_of_3_h_36_min_is_the_whole_30_day_budget_of_99_5_per_cent(
    planted: PlantedBundle, targets: Targets
) -> None:
    facts = read_facts(planted(Plan(outages=(Outage(0, 40),))))
    used = next(m for m in budget_burn(facts, targets) if m.name == "budget-used.availability")
    assert used.value == pytest.approx(100 * 20 / (3 * 3600 + 36 * 60), rel=0.005)
