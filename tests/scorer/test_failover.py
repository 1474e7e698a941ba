"""Failover: the interval holds when the new leader was really elected."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bundle.reader import Bundle
from bundle.timeline import Entry
from scorer.facts import Facts, read_facts
from scorer.failover import contested_terms, failover_grounds, leader_elected
from scorer.planted_failover import FailoverPlan, Reign, plant_failover
from scorer.score import score
from scorer.targets import Targets
from scorer.verdict import Grade

OLD = Reign("us-east-1", 3, -100.0, 0.05)
QUICK = FailoverPlan(rate_per_s=20, after_s=8, asked_s=4, ready_s=5, serving_s=5.1)


@pytest.fixture
def facts(tmp_path: Path):
    def make(**changes: object) -> Facts:
        plant_failover(tmp_path / "bundle", replace(QUICK, **changes))  # type: ignore[arg-type]
        return read_facts(Bundle.open(tmp_path / "bundle"))

    return make


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10_000),
    elected_s=st.floats(0.06, 2.5),
    lost_s=st.floats(0.0, 1.0),
    poll_s=st.sampled_from([0.02, 0.2, 1.0]),
    fault_ms=st.sampled_from([0.0, 40.0, 200.0]),
)
def test_the_interval_holds_the_planted_election(
    targets: Targets,
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    elected_s: float,
    lost_s: float,
    poll_s: float,
    fault_ms: float,
) -> None:
    root = tmp_path_factory.mktemp("failover") / "bundle"
    reigns = (Reign("us-east-1", 3, -100.0, min(lost_s, elected_s)), Reign("us-west-2", 4, elected_s))
    plant_failover(root, replace(QUICK, seed=seed, reigns=reigns, poll_s=poll_s, fault_ms=fault_ms))
    taken = leader_elected(read_facts(Bundle.open(root)), targets)
    assert taken.low is not None
    assert taken.high is not None
    assert taken.value is not None
    assert taken.low - 1e-6 <= elected_s <= taken.high + 1e-6
    assert taken.low <= taken.value <= taken.high
    assert taken.high - taken.low <= 2 * fault_ms / 1e3 + poll_s + 2 * 0.005 + 0.001


def test_the_stages_are_the_loss_and_the_election(facts, targets: Targets) -> None:
    taken = leader_elected(facts(), targets)
    assert [(stage.name, stage.dominant) for stage in taken.stages] == [("leader lost", False), ("elected", True)]


def test_polls_that_are_too_far_apart_say_so(tmp_path: Path) -> None:
    strict = Targets.load(Path("runbook/targets.yaml")).model_dump(by_alias=True)
    strict["objectives"]["leader-elected"]["at_most"] = {"target": 0.5, "unit": "s"}
    targets = Targets.model_validate(strict)
    plant_failover(tmp_path / "bundle", replace(QUICK, poll_s=1.0))
    verdict = score(Bundle.open(tmp_path / "bundle"), targets)
    objective = next(o for o in verdict.objectives if o.name == "leader-elected")
    assert objective.verdict is Grade.INCONCLUSIVE
    assert "holds the 0.5 s on which it turns; the polls leave 1" in objective.says
    assert "polls closer together narrow it" in objective.says


def test_no_leader_to_begin_with_is_said(facts, targets: Targets) -> None:
    with pytest.raises(LookupError, match="no leader was seen before the fault: there was none to lose"):
        leader_elected(facts(reigns=(Reign("us-west-2", 4, 1.0),)), targets)


def test_a_leader_that_was_never_lost_needs_no_successor(facts, targets: Targets) -> None:
    with pytest.raises(LookupError, match="us-west-2/orchestration-agent-0, was never lost"):
        leader_elected(facts(reigns=(Reign("us-west-2", 3, -100.0),)), targets)


def test_where_nobody_succeeds_the_election_is_open(facts, targets: Targets) -> None:
    taken = leader_elected(facts(reigns=(OLD,)), targets)
    assert (taken.value, taken.high) == (None, None)
    assert taken.low == pytest.approx(10, abs=0.1)  # to the end of the recording
    assert taken.evidence[0].startswith("no leader of another region than us-east-1 stayed")


def test_the_old_region_elected_again_is_no_failover(facts, targets: Targets) -> None:
    assert leader_elected(facts(reigns=(OLD, Reign("us-east-1", 4, 1.0))), targets).high is None


def test_a_leader_of_an_older_term_is_not_the_new_one(facts, targets: Targets) -> None:
    stale = Reign("eu-central-1", 2, 0.2)
    taken = leader_elected(facts(reigns=(OLD, stale, Reign("us-west-2", 4, 1.0))), targets)
    assert taken.value == pytest.approx(1.0, abs=0.05)


def test_a_leader_that_did_not_stay_does_not_end_the_failover(facts, targets: Targets) -> None:
    taken = leader_elected(facts(reigns=(OLD, Reign("us-west-2", 4, 0.3, 0.9), Reign("eu-central-1", 5, 1.5))), targets)
    assert taken.value == pytest.approx(1.5, abs=0.05)
    assert "leaders that did not stay for the hold time: 1" in taken.evidence


def test_a_leader_that_is_replaced_after_the_hold_time_was_the_new_leader(facts, targets: Targets) -> None:
    taken = leader_elected(facts(reigns=(OLD, Reign("us-west-2", 4, 0.3, 6.0), Reign("us-east-1", 5, 6.2))), targets)
    assert taken.value == pytest.approx(0.3, abs=0.05)


def test_a_region_that_nobody_asked_may_have_led_before(facts, targets: Targets) -> None:
    taken = leader_elected(facts(unpolled=("eu-central-1",)), targets)
    assert taken.low == 0
    assert taken.high == pytest.approx(0.4, abs=0.1)
    assert "in eu-central-1" in taken.evidence[0]


@pytest.mark.parametrize("polled_s", [0.5, 2.0])
def test_a_new_leader_whose_poll_dies_within_the_hold_time_may_not_have_stayed(
    facts, targets: Targets, polled_s: float
) -> None:
    found = facts(polled_s=(1e3, polled_s, 1e3), after_s=16)
    taken = leader_elected(found, targets)
    assert taken.high is None
    assert "us-west-2/orchestration-agent-0 wasn't asked all through the hold time" in taken.evidence[0]
    assert contested_terms(found, targets).high is None


def test_a_poll_that_dies_after_the_hold_time_was_long_enough(facts, targets: Targets) -> None:
    taken = leader_elected(facts(polled_s=(1e3, 7.0, 1e3), after_s=16), targets)
    assert taken.high == pytest.approx(0.4, abs=0.1)


def test_no_leader_seen_where_polling_died_is_no_failure(facts, targets: Targets) -> None:
    taken = leader_elected(facts(reigns=(OLD,), polled_s=(1e3, 1.0, 1e3)), targets)
    assert (taken.low, taken.high) == (0, None)
    assert "nobody asked for leaders all the while in us-west-2" in taken.evidence[0]


@pytest.mark.parametrize(("context", "low"), [("us-east-1", 0.35), ("eu-central-1", 0.0)])
def test_only_other_regions_may_hide_a_leader(facts, targets: Targets, context: str, low: float) -> None:
    found = facts()
    at_ns = int(found.fault.high) + 100_000_000
    lost = Entry("observer", "lost", at_ns, at_ns, context, source="poll", attributes={"watches": "leaders"})
    taken = leader_elected(replace(found, timeline=(*found.timeline, lost)), targets)
    assert taken.low == pytest.approx(low, abs=0.03)


def test_two_leaders_of_one_term_are_found_and_neither_is_elected(facts, targets: Targets) -> None:
    found = facts(reigns=(OLD, Reign("us-west-2", 4, 0.3), Reign("eu-central-1", 4, 2.0)))
    taken, count = leader_elected(found, targets), contested_terms(found, targets)
    assert taken.high is None
    assert taken.evidence[0].startswith("two replicas led term 4, so that neither was its leader")
    assert (count.value, count.low, count.high) == (1, 1, 1)
    assert any(says.startswith("term 4: eu-central-1") for says in count.evidence)


def test_one_leader_a_term_is_what_ought_to_be(facts, targets: Targets) -> None:
    taken = contested_terms(facts(), targets)
    assert (taken.value, taken.high, taken.n) == (0, 0, 2)


@pytest.mark.parametrize("changes", [{"unpolled": ("eu-central-1",)}, {"reigns": (OLD, Reign("us-west-2", None, 0.4))}])
def test_terms_that_nobody_knows_of_leave_it_open(facts, targets: Targets, changes: dict[str, object]) -> None:
    assert contested_terms(facts(**changes), targets).high is None


def test_without_any_leader_nothing_is_known_of_terms(facts, targets: Targets) -> None:
    with pytest.raises(LookupError, match="no leader was ever seen"):
        contested_terms(facts(reigns=()), targets)


def test_without_a_fault_there_is_no_failover(planted, targets: Targets) -> None:
    with pytest.raises(LookupError, match="no fault was recorded to have begun"):
        leader_elected(read_facts(planted(keep=lambda entry: entry.kind != "fault")), targets)


def test_what_it_rests_on_is_every_change_of_a_leader(facts) -> None:
    assert [(entry.event, entry.context) for entry in failover_grounds(facts()).entries] == [
        ("present", "us-east-1"),
        ("lost", "us-east-1"),
        ("seen", "us-west-2"),
    ]


@pytest.mark.parametrize("until_s", [5.9, 100.0])
def test_a_leader_that_goes_on_leading_beside_the_new_one_leaves_the_election_open(facts, targets, until_s) -> None:
    """How long both led is longer than the hold time: whom clients followed, nobody knows."""
    old = Reign("us-east-1", 3, -100.0, until_s)
    taken = leader_elected(facts(after_s=16, reigns=(old, Reign("us-west-2", 4, 0.4))), targets)
    assert taken.high is None
    assert "us-east-1" in taken.evidence[0]
    assert "went on leading" in taken.evidence[0]
