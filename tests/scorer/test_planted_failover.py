"""A planted failover is a whole drill: it is scored and explained by every objective of its kind."""

from __future__ import annotations

from pathlib import Path

from bundle.reader import Bundle
from scorer.explain import explain
from scorer.planted_failover import REGIONS, FailoverPlan, plant_failover
from scorer.score import score
from scorer.targets import Targets
from scorer.verdict import Grade


def test_every_objective_of_a_failover_is_judged_and_explained(tmp_path: Path, targets: Targets) -> None:
    plant_failover(tmp_path / "bundle", FailoverPlan(nameless=0.002))
    bundle = Bundle.open(tmp_path / "bundle")
    verdict = score(bundle, targets)
    grades = {objective.name: objective.verdict for objective in verdict.objectives}
    assert list(grades) == list(targets.drills["region-failover"])
    assert set(grades.values()) == {Grade.PASS}, verdict.objectives
    assert verdict.verdict is Grade.PASS, verdict.summary
    told = explain(bundle, targets, verdict)
    assert not any("could not be told" in figure for each in told.objectives for figure in each.figures)
    assert next(each for each in told.objectives if each.name == "leader-elected").entries[-1].context == "us-west-2"


def test_a_write_that_is_lost_fails_it(tmp_path: Path, targets: Targets) -> None:
    plant_failover(tmp_path / "bundle", FailoverPlan(lost_writes=1))
    objectives = {o.name: o for o in score(Bundle.open(tmp_path / "bundle"), targets).objectives}
    assert {name for name, objective in objectives.items() if objective.verdict is not Grade.PASS} == {"writes-lost"}
    assert objectives["writes-lost"].verdict is Grade.FAIL
    assert objectives["writes-lost"].says == "at least 1 writes, promised at most 0 writes"


def test_the_fault_is_proven_and_the_regions_are_those_of_the_manifest(tmp_path: Path, targets: Targets) -> None:
    plant_failover(tmp_path / "bundle", FailoverPlan())
    bundle = Bundle.open(tmp_path / "bundle")
    checks = {check.name: check for check in score(bundle, targets).validity}
    assert checks["fault-proven"].ok, checks["fault-proven"].says
    assert bundle.manifest.contexts == REGIONS


def test_the_same_plan_gives_the_same_timeline_and_the_same_requests(tmp_path: Path) -> None:
    plans = [tmp_path / name for name in ("a", "b")]
    truths = [plant_failover(root, FailoverPlan(seed=4)) for root in plans]
    assert truths[0] == truths[1]
    for name in ("timeline.jsonl", "requests.parquet"):
        assert (plans[0] / name).read_bytes() == (plans[1] / name).read_bytes()
