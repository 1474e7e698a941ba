"""A planted autoscaling is a whole drill: it is scored and explained by every objective of its kind."""

from __future__ import annotations

from pathlib import Path

from bundle.reader import Bundle
from scorer.explain import explain
from scorer.planted_scaling import ScalingPlan, plant_scaling
from scorer.score import score
from scorer.targets import Targets
from scorer.verdict import Grade


def test_every_objective_of_a_peak_is_judged_and_explained(tmp_path: Path, targets: Targets) -> None:
    plant_scaling(tmp_path / "bundle", ScalingPlan(users_hit=False))
    bundle = Bundle.open(tmp_path / "bundle")
    verdict = score(bundle, targets)
    assert (verdict.verdict, [check.says for check in verdict.validity if not check.ok]) == (Grade.PASS, [])
    assert {objective.name: objective.verdict for objective in verdict.objectives} == dict.fromkeys(
        targets.drills["autoscale-peak"], Grade.PASS
    ), verdict.objectives
    told = explain(bundle, targets, verdict)
    assert not any("could not be told" in figure for each in told.objectives for figure in each.figures)
    assert [
        entry.kind for entry in next(each for each in told.objectives if each.name == "scale-up-begins").entries
    ] == ["hpa"] * 4


def test_readings_too_far_apart_settle_nothing_and_say_so(tmp_path: Path, targets: Targets) -> None:
    plant_scaling(
        tmp_path / "bundle",
        ScalingPlan(users_hit=False, crossed_s=0.0, metric_s=160, sync_s=1, after_s=170, fall_s=None, seed=3),
    )
    verdict = score(Bundle.open(tmp_path / "bundle"), targets)
    begins = next(objective for objective in verdict.objectives if objective.name == "scale-up-begins")
    assert begins.verdict is Grade.INCONCLUSIVE
    assert "on which it turns" in begins.says
    assert "readings closer together narrow it" in begins.says


def test_the_same_plan_gives_the_same_timeline(tmp_path: Path) -> None:
    plans = [tmp_path / name for name in ("a", "b")]
    truths = [plant_scaling(root, ScalingPlan(seed=4)) for root in plans]
    assert truths[0] == truths[1]
    assert (plans[0] / "timeline.jsonl").read_bytes() == (plans[1] / "timeline.jsonl").read_bytes()
