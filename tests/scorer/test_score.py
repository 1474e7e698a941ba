"""The whole verdict."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bundle.errors import BundleError
from bundle.reader import Bundle
from scorer import score as scoring
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
    def broken(facts: Facts, targets: Targets) -> Measure:
        raise ZeroDivisionError(f"division by {len(facts.samples.lag_s) * 0} in {len(targets.slos)} SLOs")

    monkeypatch.setitem(scoring.MEASURES, "error-rate", broken)
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
