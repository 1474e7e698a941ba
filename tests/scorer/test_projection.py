"""What an incident like the drill would take of the budget in production."""

from __future__ import annotations

from typing import Any

import pytest

from scorer.budget import budget_burn
from scorer.facts import read_facts
from scorer.planted import Outage, Plan
from scorer.projection import projection
from scorer.targets import Targets


def with_traffic(targets: Targets, **production: float) -> Targets:
    raw: dict[str, Any] = targets.model_dump(by_alias=True)
    raw["slos"]["availability"]["production"] = production
    return Targets.model_validate(raw)


def test_where_no_traffic_is_named_nothing_is_projected(planted, targets: Targets) -> None:
    assert list(projection(read_facts(planted()), targets)) == []


def test_traffic_as_even_as_the_drills_takes_what_the_drill_took(planted, targets: Targets) -> None:
    facts = read_facts(planted(Plan(outages=(Outage(0, 2),), background=0.0)))
    named = with_traffic(targets, requests_per_s=40)
    taken = {measure.name: measure for measure in projection(facts, named)}
    used = next(m for m in budget_burn(facts, named) if m.name == "budget-used.availability")
    assert list(taken) == ["incident-requests.availability", "incident-budget.availability"]
    budget = taken["incident-budget.availability"]
    assert (budget.value, budget.low, budget.high) == (
        pytest.approx(used.value),
        pytest.approx(used.low),
        pytest.approx(used.high),
    )
    # 2 s of 20 s fail: a tenth of 40 requests/s for 20 s.
    assert taken["incident-requests.availability"].value == pytest.approx(80, rel=0.02)


def test_busier_times_and_several_incidents_take_more(planted, targets: Targets) -> None:
    facts = read_facts(planted(Plan(outages=(Outage(0, 2),))))
    taken = {
        measure.name: measure.value
        for measure in projection(
            facts, with_traffic(targets, requests_per_s=40, busiest_requests_per_s=100, incidents_per_month=2)
        )
    }
    even = {m.name: m.value for m in projection(facts, with_traffic(targets, requests_per_s=40))}
    one = even["incident-budget.availability"]
    assert one is not None
    assert taken["incident-budget.availability"] == pytest.approx(2.5 * one)
    assert taken["incidents-budget.availability"] == pytest.approx(5 * one)


def test_without_a_window_nothing_is_projected(planted, targets: Targets) -> None:
    facts = read_facts(planted(keep=lambda entry: entry.kind != "fault", phases=()))
    with pytest.raises(LookupError, match="the fault phase never began"):
        list(projection(facts, with_traffic(targets, requests_per_s=40)))
