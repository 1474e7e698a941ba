"""Alerts replayed: the vectorised replay is the definition, and pages come when they must."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scorer.alerts import RULES, Firing, Rule, Traffic, page, replay
from scorer.facts import read_facts
from scorer.planted import Outage, Plan
from scorer.targets import Targets

TOLERATED = 0.005


def outage(bad_s: int, *, after_s: int = 0, rate: float = 100.0, history: float = 0.0) -> Traffic:
    """A full outage from the first second on, and then good traffic."""
    bad = np.array([rate] * bad_s + [0.0] * after_s)
    return Traffic(np.full(bad_s + after_s, rate), bad, rate, history)


def test_a_full_outage_pages_by_the_hour_after_260_seconds() -> None:
    # 14.4 times 0.5 % of 3,600 s are 259.2 s of failures: the 260th second is the first to exceed it.
    assert replay(RULES[0], outage(400), TOLERATED).fired == 259


@pytest.mark.parametrize(("rule", "second"), list(zip(RULES, (259, 648, 1296, 1296), strict=True)))
def test_each_rule_of_the_workbook_fires_when_its_long_window_is_used_up(rule: Rule, second: int) -> None:
    assert rule.factor * TOLERATED * rule.long_s == pytest.approx(second, abs=1)
    traffic = Traffic(np.full(2000, 10.0), np.full(2000, 10.0), 10.0, 0.0)
    assert replay(rule, traffic, TOLERATED).fired == pytest.approx(second, abs=1)


def test_names_are_those_that_people_use() -> None:
    assert [rule.name for rule in RULES] == ["1h/5m at 14.4", "6h/30m at 6", "1d/2h at 3", "3d/6h at 1"]
    assert [rule.pages for rule in RULES] == [True, True, False, False]


def test_an_alert_clears_once_the_short_window_is_clean() -> None:
    firing = replay(RULES[0], outage(300, after_s=600), TOLERATED)
    assert firing.fired == 259
    # The short window needs 21.6 s of failures: it is below that 278.4 s after the outage's end.
    assert firing.cleared == 300 + 278


def test_a_past_that_used_its_budget_pages_sooner() -> None:
    clean, used = (replay(RULES[0], outage(400, history=share), TOLERATED).fired for share in (0.0, TOLERATED))
    assert clean is not None
    assert used is not None
    assert used < clean
    assert used == pytest.approx((14.4 - 1) * TOLERATED * 3600 / (1 - TOLERATED), abs=1)


def test_the_rate_makes_no_difference() -> None:
    assert {replay(RULES[0], outage(400, rate=rate), TOLERATED).fired for rate in (1.0, 100.0, 4000.0)} == {259}


def test_without_any_requests_nothing_fires() -> None:
    empty = Traffic(np.zeros(100), np.zeros(100), 0.0, 0.0)
    assert replay(RULES[0], empty, TOLERATED) == Firing(None, None, 0.0)


@settings(max_examples=100)
@given(
    counts=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=60),
    rate=st.floats(0.0, 10.0),
    history=st.sampled_from([0.0, 0.01, 0.3]),
    since=st.integers(0, 30),
    unknown=st.integers(0, 20),
    unknown_bad=st.booleans(),
    windows=st.tuples(st.integers(1, 80), st.integers(1, 80)),
    factor=st.floats(0.5, 20.0),
)
def test_the_replay_is_what_the_definition_says_second_by_second(
    counts: list[tuple[int, int]],
    rate: float,
    history: float,
    since: int,
    unknown: int,
    unknown_bad: bool,
    windows: tuple[int, int],
    factor: float,
) -> None:
    total = np.array([good + bad for good, bad in counts], dtype=float)
    bad = np.array([bad for _, bad in counts], dtype=float)
    traffic = Traffic(total, bad, rate, history, since, unknown, unknown_bad)

    def share(window_s: int, second: int) -> float:
        seconds = range(max(0, second + 1 - window_s), second + 1)
        before = (window_s - len(seconds)) * rate
        more = unknown if second >= since else 0
        every = sum(total[s] for s in seconds) + before + more
        worse = sum(bad[s] for s in seconds) + before * history + more * unknown_bad
        return worse / every if every else 0.0

    burns = [min(share(window, second) for window in windows) / TOLERATED for second in range(len(counts))]
    taken = replay(Rule(windows[0], windows[1], factor, pages=True), traffic, TOLERATED)
    assert taken.level == pytest.approx(max(burns) / factor)
    clear_cut = [burn for burn in burns if abs(burn - factor) > 1e-9]
    if len(clear_cut) == len(burns):
        fired = next((second for second, burn in enumerate(burns) if burn > factor), None)
        assert taken.fired == fired
        after = range(len(burns)) if fired is None else range(fired, len(burns))
        assert taken.cleared == (None if fired is None else next((s for s in after if burns[s] <= factor), None))


@settings(max_examples=100)
@given(
    outage_s=st.integers(0, 400),
    share=st.sampled_from([1.0, 0.5, 0.1]),
    past=st.floats(0.0, 1.0),
    unknown=st.integers(0, 300),
    were_bad=st.integers(0, 300),
)
def test_whatever_the_past_and_the_unseen_were_it_pages_within_the_bounds(
    outage_s: int, share: float, past: float, unknown: int, were_bad: int
) -> None:
    total = np.full(600, 100.0)
    bad = np.where(np.arange(600) < outage_s, 100.0 * share, 0.0)
    truly_bad = bad.copy()
    truly_bad[0] += min(unknown, were_bad)
    truly = total.copy()
    truly[0] += unknown
    true = replay(RULES[0], Traffic(truly, truly_bad, 100.0, past * TOLERATED), TOLERATED)
    latest = replay(RULES[0], Traffic(total, bad, 100.0, 0.0, 0, unknown), TOLERATED)
    soonest = replay(RULES[0], Traffic(total, bad, 100.0, TOLERATED, 0, unknown, unknown_bad=True), TOLERATED)
    never = 10**6
    fired = [never if one.fired is None else one.fired for one in (soonest, true, latest)]
    assert fired == sorted(fired)
    assert latest.level <= true.level + 1e-12
    assert true.level <= soonest.level + 1e-12


def measures(planted, targets: Targets, plan: Plan) -> dict[str, object]:
    return {measure.name: measure for measure in page(read_facts(planted(plan)), targets)}


def test_a_short_drill_does_not_page_and_says_how_near_it_came(planted, targets: Targets) -> None:
    taken = measures(planted, targets, Plan(outages=(Outage(0, 13),), background=0.0))
    paged, level = taken["time-to-page.availability"], taken["page-level.availability"]
    assert (paged.value, paged.high) == (None, None)
    assert paged.low == pytest.approx(22, abs=1)  # to the end of the recording
    assert level.value == pytest.approx(100 * 13 / 259.2, rel=0.01)
    assert level.low == level.value
    # A past that used its budget is a sixth of what the 6 h alert takes.
    assert level.high == pytest.approx(100 * (13 + (6 * 3600 - 28) * TOLERATED) / 648, rel=0.01)
    assert paged.evidence[0].startswith("1h/5m at 14.4 (page): not while it was recorded; it came to 5.0")


def test_a_long_outage_pages_within_its_interval(planted, targets: Targets) -> None:
    plan = Plan(outages=(Outage(0, 300),), after_s=320, rate_per_s=20, fault_ms=0)
    taken = measures(planted, targets, plan)
    paged, level = taken["time-to-page.availability"], taken["page-level.availability"]
    # No past could page later than a clean one, nor sooner than one that used up its budget.
    assert paged.high == pytest.approx(260, abs=2)
    assert paged.low == pytest.approx(240, abs=3)
    assert paged.low <= paged.value <= paged.high
    assert level.low > 100
    assert "with a clean past firing to the end" in paged.evidence[0]


def test_unsent_arrivals_may_have_paged_and_may_not(planted, targets: Targets) -> None:
    plan = Plan(outages=(), unsent=(0.0, 300.0), after_s=310, rate_per_s=20)
    paged = measures(planted, targets, plan)["time-to-page.availability"]
    assert (paged.value, paged.high) == (None, None)
    assert paged.low < 245
    assert "and not at all with a clean past" in paged.evidence[0]


def test_a_recording_of_years_is_not_replayed(planted, targets: Targets) -> None:
    bundle = planted()
    phases = [phase.model_copy() for phase in bundle.manifest.phases]
    phases[-1] = phases[-1].model_copy(update={"end_ns": 2**62})
    with pytest.raises(LookupError, match="longer than the 7d that alerts are replayed over"):
        list(page(read_facts(planted(phases=tuple(phases))), targets))


def test_without_a_baseline_or_a_fault_nothing_is_replayed(planted, targets: Targets) -> None:
    with pytest.raises(LookupError, match="from the baseline through the fault, and one of them is missing"):
        list(page(read_facts(planted(keep=lambda entry: entry.kind != "fault")), targets))
    with pytest.raises(LookupError, match="no request was due in the baseline"):
        list(page(read_facts(planted(Plan(silent=(-10.0, 0.1)))), targets))
