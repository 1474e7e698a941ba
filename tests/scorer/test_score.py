"""The whole verdict."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bundle.errors import BundleError
from bundle.manifest import LoadRecord, Worker
from bundle.reader import Bundle
from scorer import measures as measuring
from scorer.caveats import caveats
from scorer.errors import TargetsError
from scorer.facts import Facts
from scorer.planted import Outage, Plan
from scorer.score import score
from scorer.targets import Targets
from scorer.verdict import Grade, Measure, Verdict

PlantedBundle = Callable[..., Bundle]
GOLDEN = Path(__file__).parent / "golden" / "verdict.json"
GOLDEN_TARGETS = Path(__file__).parent / "golden" / "targets.yaml"
GOLDEN_PLAN = Plan(seed=20, spacing="poisson", outages=(Outage(0, 2.5, 1 / 3),), background=0.0005)


def test_a_verdict_is_the_golden_one_byte_for_byte(planted: PlantedBundle) -> None:
    """The same bundle and targets give the same bytes on any Python and machine.

    To accept a change: run with UPDATE_GOLDEN=1 and look at the difference.
    """
    verdict = score(planted(GOLDEN_PLAN), Targets.load(GOLDEN_TARGETS))
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(verdict.to_json(), encoding="utf-8")
    assert verdict.to_json() == GOLDEN.read_text(encoding="utf-8")


def test_scoring_twice_gives_the_same_bytes_and_reading_them_the_same_verdict(
    planted: PlantedBundle, targets: Targets
) -> None:
    bundle = planted()
    first = score(bundle, targets)
    assert score(Bundle.open(bundle.root), targets).to_json() == first.to_json()
    assert Verdict.model_validate_json(first.to_json()) == first


def test_a_drill_without_a_failed_request_passes(planted: PlantedBundle, targets: Targets) -> None:
    verdict = score(planted(Plan(outages=())), targets)
    assert verdict.verdict is Grade.PASS
    assert verdict.summary == "all 7 objectives hold with their whole interval"
    assert verdict.targets_sha256 == targets.sha256


def test_the_headline_is_the_worst_objective(planted: PlantedBundle, targets: Targets) -> None:
    verdict = score(planted(), targets)
    assert verdict.verdict is Grade.FAIL
    assert verdict.summary == "Failed requests: at least 300 requests, promised at most 0 requests"


CLOSED = Plan(outages=(), users=10, pace_s=0.1, baseline_s=60)


def test_a_closed_loop_says_so_in_headline_and_caveat(planted: PlantedBundle, targets: Targets) -> None:
    verdict = score(planted(replace(CLOSED, outages=(Outage(0, 3, held="failed"),))), targets)
    assert verdict.summary.endswith(" (closed-loop load)")
    assert verdict.caveats == caveats(LoadRecord(model="closed"))


def test_what_users_left_out_is_what_would_settle_it(planted: PlantedBundle, targets: Targets) -> None:
    verdict = score(planted(CLOSED), targets)
    assert verdict.verdict is Grade.INCONCLUSIVE
    assert re.fullmatch(
        r"Failed requests: cannot tell: an open workload would have sent up to \d+ requests more than this load did; "
        r"an open load settles it \(closed-loop load\)",
        verdict.summary,
    )


def test_a_drill_with_a_caveat_warns_at_best(planted: PlantedBundle, targets: Targets) -> None:
    load = LoadRecord(
        model="open", rate_per_s=100, spacing="uniform", workers=(Worker(name="worker-1"),), lacks=("start-resolution",)
    )
    verdict = score(planted(Plan(outages=()), load=load), targets)
    assert {objective.verdict for objective in verdict.objectives} == {Grade.PASS}
    assert verdict.verdict is Grade.WARN
    assert verdict.summary.startswith(
        "all 7 objectives hold, but what the load's record shows is weaker: times are recorded coarsely"
    )


def test_a_record_that_lacks_what_nothing_rests_on_may_pass(planted: PlantedBundle, targets: Targets) -> None:
    bundle = planted(Plan(outages=()))
    assert bundle.manifest.load is not None
    load = bundle.manifest.load.model_copy(update={"lacks": ("bytes", "region")})
    assert score(planted(Plan(outages=()), load=load), targets).verdict is Grade.PASS


def test_a_bundle_of_schema_1_scores_to_the_same_verdict(planted: PlantedBundle) -> None:
    """It had no curves, no beginning, no generator and nothing that it lacked."""
    bundle = planted(GOLDEN_PLAN)
    manifest = json.loads((bundle.root / "manifest.json").read_text(encoding="utf-8"))
    manifest["schema_version"] = 1
    for name in ("curves", "began_ns", "generator", "lacks"):
        del manifest["load"][name]
    (bundle.root / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    verdict = score(Bundle.open(bundle.root), Targets.load(GOLDEN_TARGETS))
    assert verdict.to_json() == GOLDEN.read_text(encoding="utf-8")


def test_a_killed_run_is_invalid_for_that_reason_and_scored_as_far_as_it_went(
    planted: PlantedBundle, targets: Targets
) -> None:
    verdict = score(planted(Plan(killed=True)), targets)
    assert verdict.verdict is Grade.INVALID
    assert verdict.summary == (
        "nothing can be claimed: the run was killed before it ended: its last phase was recovery (run-completed)"
    )
    by_name = {objective.name: objective for objective in verdict.objectives}
    assert by_name["failed-requests"].measure.value == 299
    assert by_name["time-to-recover"].measure.value == pytest.approx(3, abs=0.05)


def test_a_run_that_never_reached_the_fault_measures_nothing(planted: PlantedBundle, targets: Targets) -> None:
    bundle = planted()
    verdict = score(
        planted(
            phases=bundle.manifest.phases[:2],
            outcome="failed",
            reason="baseline not met",
            keep=lambda entry: entry.kind != "fault",
        ),
        targets,
    )
    assert verdict.verdict is Grade.INVALID
    assert {objective.verdict for objective in verdict.objectives} == {Grade.INCONCLUSIVE}
    assert verdict.objectives[0].says == "cannot tell: could not be measured: the fault phase never began"
    assert verdict.measures == ()


def test_a_measure_that_raises_is_inconclusive_and_names_the_error(
    planted: PlantedBundle, targets: Targets, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(facts: Facts, targets: Targets, _bundle: Bundle) -> Measure:
        raise ZeroDivisionError(f"division by {len(facts.samples.lags) * 0} in {len(targets.slos)} SLOs")

    monkeypatch.setitem(measuring.MEASURES, "error-rate", broken)
    verdict = score(planted(Plan(outages=())), targets)
    objective = next(objective for objective in verdict.objectives if objective.name == "error-rate")
    assert objective.verdict is verdict.verdict is Grade.INCONCLUSIVE
    assert objective.says == "cannot tell: could not be measured: ZeroDivisionError: division by 0 in 2 SLOs"


def test_a_drill_that_the_targets_do_not_name_is_refused(planted: PlantedBundle, targets: Targets) -> None:
    with pytest.raises(TargetsError, match="says nothing about the drill 'flood'"):
        score(planted(drill="flood"), targets)


def test_a_damaged_table_is_refused_in_one_line(planted: PlantedBundle, targets: Targets) -> None:
    bundle = planted()
    (bundle.root / "requests.parquet").write_bytes(b"PAR1 nonsense PAR1")
    with pytest.raises(BundleError, match=r"requests: cannot be read: .*; restore the file from a copy"):
        score(bundle, targets)
