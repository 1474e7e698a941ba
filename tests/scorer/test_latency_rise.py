"""How much slower the service was than in the baseline."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bundle.timeline import Entry
from scorer.explain import explain
from scorer.facts import Facts, read_facts
from scorer.latency_rise import after, at_work, latency_after, latency_rise, rise_grounds
from scorer.planted import Outage, Plan
from scorer.score import score
from scorer.targets import Targets
from scorer.verdict import Grade

SLOW = Plan(outages=(Outage(0.0, 10.0, slow_ms=100.0),), after_s=30, baseline_s=15)


def ending(planted, plan: Plan, at_s: float = 10.0) -> Facts:
    """The facts of a plan whose fault ends at a time."""
    bundle = planted(plan, keep=lambda entry: (entry.kind, entry.event) != ("fault", "end"))
    begun = next(e for e in bundle.timeline if (e.kind, e.event) == ("fault", "begin"))
    at_ns = begun.latest_ns + round(at_s * 1e9)
    end = Entry("fault", "end", at_ns, at_ns, source="control", attributes={"activity": "kill"})
    with (bundle.root / "timeline.jsonl").open("a", encoding="utf-8") as timeline:
        timeline.write(end.to_json() + "\n")
    return read_facts(type(bundle).open(bundle.root))


@pytest.mark.parametrize("seed", range(8))
def test_the_bounds_hold_the_planted_rise(planted, targets: Targets, seed: int) -> None:
    plan = Plan(seed=seed, outages=SLOW.outages, after_s=30, baseline_s=15, spacing="poisson")
    taken = latency_rise(ending(planted, plan), targets)
    assert taken.low is not None
    assert taken.high is not None
    assert taken.low < 100 < taken.high
    assert taken.high - taken.low < 25
    assert taken.n == pytest.approx(1000, rel=0.15)


def test_it_is_back_at_the_baseline_afterwards(planted, targets: Targets) -> None:
    taken = latency_after(ending(planted, SLOW), targets)
    assert taken.value == pytest.approx(0, abs=5)
    assert taken.low is not None
    assert taken.high is not None
    assert taken.low < 0 < taken.high < 20
    assert taken.n == pytest.approx(1500, rel=0.01)  # from 15 s to the end of the window at 30 s


def test_where_too_many_failed_there_is_no_upper_bound(planted, targets: Targets) -> None:
    plan = Plan(outages=(Outage(0.0, 10.0, share=0.3),), after_s=30, baseline_s=15)
    taken = latency_rise(ending(planted, plan), targets)
    assert (taken.value, taken.high) == (None, None)
    assert "too many failed, to bound p95 on both sides" in taken.evidence[0]


def test_a_fault_that_was_not_undone_lasts_to_the_end_of_the_window(planted, targets: Targets) -> None:
    facts = read_facts(planted(SLOW, keep=lambda entry: (entry.kind, entry.event) != ("fault", "end")))
    assert facts.window is not None
    assert at_work(facts).end_ns == facts.window.end_ns
    with pytest.raises(LookupError, match="the fault was not seen to end"):
        after(facts, targets)


def test_unsent_arrivals_only_widen_it(planted, targets: Targets) -> None:
    whole = latency_rise(ending(planted, SLOW), targets)
    some = latency_rise(ending(planted, replace(SLOW, unsent=(4.0, 4.1))), targets)
    assert (some.low or 0) <= (whole.low or 0)
    assert (some.high or 0) >= (whole.high or 0)


def test_a_recovery_phase_within_the_hold_time_shows_nothing(planted, targets: Targets) -> None:
    with pytest.raises(LookupError, match="ended within the hold time after the fault"):
        latency_after(ending(planted, SLOW, at_s=26.0), targets)


def test_without_a_fault_or_a_baseline_there_is_nothing_to_compare(planted, targets: Targets) -> None:
    with pytest.raises(LookupError, match="no fault was recorded"):
        latency_rise(read_facts(planted(SLOW, keep=lambda entry: entry.kind != "fault")), targets)
    phases = planted(SLOW).manifest.phases
    bare = read_facts(planted(SLOW, phases=tuple(phase for phase in phases if phase.name != "baseline")))
    with pytest.raises(LookupError, match="no baseline was recorded"):
        latency_rise(bare, targets)


def test_what_it_rests_on_are_both_sets_of_requests(planted) -> None:
    facts = ending(planted, SLOW)
    kinds = rise_grounds(facts, at_work(facts)).kinds
    assert [kind.count for kind in kinds] == [pytest.approx(1600, abs=2), pytest.approx(1000, abs=2)]


def test_every_objective_of_a_delay_is_judged_and_explained(planted, targets: Targets) -> None:
    plan = Plan(drill="network-delay", outages=(Outage(0.0, 1.5, slow_ms=100.0),), after_s=30, baseline_s=15)
    bundle = planted(plan)
    verdict = score(bundle, targets)
    assert {objective.name: objective.verdict for objective in verdict.objectives} == dict.fromkeys(
        targets.drills["network-delay"], Grade.PASS
    ), verdict.objectives
    told = explain(bundle, targets, verdict)
    assert not any("could not be told" in figure for each in told.objectives for figure in each.figures)
