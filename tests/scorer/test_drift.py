"""Drift between regions: how far apart they are, with bounds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bundle.reader import Bundle
from bundle.timeline import Entry
from scorer.drift import drift_grounds, error_drift, latency_drift, share_drift
from scorer.facts import Facts, read_facts
from scorer.planted_failover import FailoverPlan, plant_failover

EVEN = FailoverPlan(rate_per_s=100, after_s=15, asked_s=0.2, ready_s=0.3, serving_s=0.4)


@pytest.fixture
def drill(tmp_path: Path):
    def make(**changes: object) -> tuple[Facts, Bundle]:
        root = tmp_path / f"bundle-{len(list(tmp_path.iterdir()))}"
        plant_failover(root, replace(EVEN, **changes))  # type: ignore[arg-type]
        bundle = Bundle.open(root)
        return read_facts(bundle), bundle

    return make


def test_the_bounds_of_latency_hold_the_planted_drift_as_often_as_they_say(drill) -> None:
    missed = 0
    for seed in range(60):
        taken = latency_drift(*drill(seed=seed, region_slow_ms=(0.0, 80.0, 20.0), after_s=6), 0.95)
        assert taken.low is not None
        assert taken.high is not None
        assert taken.value is not None
        assert taken.low <= taken.value <= taken.high
        missed += not taken.low <= 80 <= taken.high
    assert missed <= 6  # each bound errs in 5 % at most


def test_regions_alike_drift_by_little(drill) -> None:
    taken = latency_drift(*drill(), 0.95)
    assert taken.low == 0
    assert taken.high is not None
    assert taken.high < 20


def test_regions_that_fail_apart_drift_in_errors(drill) -> None:
    taken = error_drift(*drill(region_fails=(0.0, 0.1, 0.0)), 0.95)
    assert taken.low is not None
    assert taken.high is not None
    assert taken.low < 10 < taken.high
    assert taken.low > 4


def test_shares_are_counted(drill) -> None:
    facts, bundle = drill()
    taken = share_drift(facts, bundle)
    assert taken.low == taken.value == taken.high
    assert taken.value is not None
    assert 0 < taken.value < 10
    lost = share_drift(*drill(serving_s=None))
    assert lost.value == pytest.approx(50, abs=3)


def test_a_region_that_answers_nothing_leaves_it_open(drill) -> None:
    _, bundle = drill()
    manifest = bundle.manifest.model_copy(update={"contexts": (*bundle.manifest.contexts, "ap-south-1")})
    (bundle.root / "manifest.json").write_text(manifest.model_dump_json())
    bundle = Bundle.open(bundle.root)
    taken = share_drift(read_facts(bundle), bundle)
    assert taken.high is None
    assert taken.evidence[0] == "ap-south-1 answered no request of the window"


def test_as_many_regions_as_contexts_are_not_the_same_regions(drill) -> None:
    facts, bundle = drill()
    contexts = ("us-east-1", "us-west-2", "ap-south-1")
    elsewhere = replace(facts, manifest=facts.manifest.model_copy(update={"contexts": contexts}))
    taken = share_drift(elsewhere, bundle)
    assert taken.high is None
    assert taken.evidence[0] == "ap-south-1 answered no request of the window"


def test_contexts_are_the_regions_that_their_replicas_say_they_are(drill) -> None:
    """None of these replicas led."""
    facts, bundle = drill()
    named = {"kind-east": "us-east-1", "kind-west": "us-west-2", "kind-europe": "eu-central-1"}
    entries = tuple(Entry("region", "named", 1, 1, context, name=region) for context, region in named.items())
    contexts = facts.manifest.model_copy(update={"contexts": tuple(named)})
    assert share_drift(replace(facts, manifest=contexts, timeline=entries), bundle) == share_drift(facts, bundle)
    assert share_drift(replace(facts, manifest=contexts, timeline=()), bundle).high is None


def test_requests_of_unknown_region_only_widen_it(drill) -> None:
    for measured in (lambda *of: latency_drift(*of, 0.95), lambda *of: error_drift(*of, 0.95), share_drift):
        known, some = measured(*drill()), measured(*drill(nameless=0.01))
        assert (some.low or 0) <= (known.low or 0) + 1.0
        assert (some.high or 1e9) - (some.low or 0) > (known.high or 0) - (known.low or 0)
    assert latency_drift(*drill(nameless=0.2), 0.95).high is None


def test_one_region_alone_cannot_drift(planted) -> None:
    bundle = planted()
    for taken in (lambda *of: latency_drift(*of, 0.95), lambda *of: error_drift(*of, 0.95), share_drift):
        with pytest.raises(
            LookupError, match="it takes two regions that answer; the requests of the window name us-east-1"
        ):
            taken(read_facts(bundle), bundle)


def test_without_a_window_nothing_drifts(planted) -> None:
    bundle = planted(keep=lambda entry: entry.kind != "fault", phases=())
    with pytest.raises(LookupError, match="the fault phase never began"):
        share_drift(read_facts(bundle), bundle)


def test_what_it_rests_on_are_the_requests_of_the_window(drill) -> None:
    facts, _ = drill()
    assert sum(kind.count for kind in drift_grounds(facts).kinds) == len(facts.judged)
