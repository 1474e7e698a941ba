"""Whether the load's step is proven."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bundle.manifest import LoadRecord
from bundle.rates import RateCurve
from bundle.reader import Bundle
from scorer.facts import read_facts
from scorer.load_step import load_fall
from scorer.planted_scaling import ScalingPlan, plant_scaling
from scorer.proof import proof_grounds, proven
from scorer.score import score
from scorer.targets import Targets
from scorer.verdict import Grade

Change = Callable[[dict[str, Any]], dict[str, Any] | None]


def planted(root: Path, change: Change = dict, **plan: object) -> Bundle:
    """A drill whose load steps from 20 to 100 requests a second at second 7, each entry of its timeline changed, or
    left out."""
    plant_scaling(root, replace(ScalingPlan(users_hit=False), **plan))  # type: ignore[arg-type]
    timeline = root / "timeline.jsonl"
    entries = [change(json.loads(line)) for line in timeline.read_text().splitlines()]
    lines = [json.dumps(entry) for entry in entries if entry is not None]
    timeline.write_text("\n".join(lines) + "\n")
    manifest = Bundle.open(root).manifest.model_copy(update={"timeline_entries": len(lines)})
    (root / "manifest.json").write_text(manifest.model_dump_json())
    return Bundle.open(root)


def with_cpu(after: int, before: int | None = 20) -> Change:
    """The autoscaler says so much of its CPU, from the rise on and before."""

    def change(entry: dict[str, Any]) -> dict[str, Any]:
        if entry["kind"] == "hpa":
            entry["attributes"]["cpu_percent"] = before if entry["event"] == "present" else after
        return entry

    return change


def without(kind: str) -> Change:
    return lambda entry: None if entry["kind"] == kind else entry


def acted(after_s: float) -> Change:
    """The action began to look so much after the rise."""

    def change(entry: dict[str, Any]) -> dict[str, Any]:
        if entry["kind"] == "fault":
            entry["earliest_ns"] += round(after_s * 1e9)
            entry["latest_ns"] += round((after_s + 5) * 1e9)
        return entry

    return change


@pytest.mark.parametrize(
    ("change", "ok", "says"),
    [
        (dict, True, "the load rose from 20 to 100 requests/s; eval-engine in us-east-1: its CPU was over its target "),
        (with_cpu(75), True, "its CPU was over its target"),
        # too small a step
        (with_cpu(70), False, "its CPU was 70 % of the requested at most, not over its target of 70 %"),
        (with_cpu(95, before=80), False, "its CPU was over the target before the load rose"),
        (with_cpu(95, before=None), False, "its CPU was not known before the load rose"),
        (acted(-2), True, "the load rose"),
        (acted(0.2), False, "the load rose 0.2 s before kill began to look"),
        (without("fault"), False, "no fault was recorded to have begun"),
    ],
)
def test_the_rate_and_the_metric_must_rise_while_the_action_looks(
    tmp_path: Path, change: Change, ok: bool, says: str
) -> None:
    shown, line = proven(read_facts(planted(tmp_path / "bundle", change)))
    assert shown is ok, line
    assert says in line


def test_cpu_that_rose_only_after_the_load_had_fallen_proves_nothing(tmp_path: Path, targets: Targets) -> None:
    fall = load_fall(planted(tmp_path / "first").manifest.load)

    def late(entry: dict[str, Any]) -> dict[str, Any]:
        if entry["kind"] == "hpa":
            entry["attributes"]["cpu_percent"] = 95 if entry["earliest_ns"] > fall.low else 20
        return entry

    bundle = planted(tmp_path / "bundle", late)
    assert any(e.kind == "hpa" and e.attributes["cpu_percent"] == 95 for e in bundle.timeline)
    shown, line = proven(read_facts(bundle))
    assert (shown, "was 20 % of the requested at most" in line) == (False, True), line
    assert score(bundle, targets).verdict is Grade.INVALID


def test_a_load_that_did_not_rise_as_its_schedule_says_proves_nothing(tmp_path: Path) -> None:
    """The rows are those of a constant rate, whatever the manifest claims."""
    bundle = planted(tmp_path / "bundle")
    rows = plant_of_constant_rate(tmp_path / "constant")
    (bundle.root / "requests.parquet").write_bytes((rows.root / "requests.parquet").read_bytes())
    shown, line = proven(read_facts(Bundle.open(bundle.root)))
    assert (shown, line.split(";")[0]) == (False, "the load did not rise beyond chance, from 100 to 100 requests/s")


def plant_of_constant_rate(root: Path) -> Bundle:
    from scorer.planted import Plan, plant

    plant(root, Plan(outages=(), pods_killed=0, after_s=40.0))
    return Bundle.open(root)


@pytest.mark.parametrize("curve", [RateCurve.constant(100), RateCurve(((0, 10), (5, 100)), repeats=True)])
def test_a_load_without_a_step_is_invalid(tmp_path: Path, targets: Targets, curve: RateCurve) -> None:
    bundle = planted(tmp_path / "bundle")
    load = bundle.manifest.load
    assert load is not None
    record = LoadRecord.model_validate({**dict(load), "curves": (curve,) if curve.length_s else (), "rate_per_s": 100})
    manifest = bundle.manifest.model_copy(update={"load": record})
    (bundle.root / "manifest.json").write_text(manifest.model_dump_json())
    verdict = score(Bundle.open(bundle.root), targets)
    assert verdict.verdict is Grade.INVALID
    (proof,) = [check for check in verdict.validity if check.name == "fault-proven"]
    assert not proof.ok
    assert "step" in proof.says


def test_an_autoscaler_that_nobody_watched_is_invalid(tmp_path: Path, targets: Targets) -> None:
    verdict = score(planted(tmp_path / "bundle", without("hpa")), targets)
    assert verdict.verdict is Grade.INVALID
    assert "no autoscaler was watched" in next(c.says for c in verdict.validity if c.name == "fault-proven")


def test_a_watch_of_autoscalers_that_was_lost_is_blindness(tmp_path: Path, targets: Targets) -> None:
    def lose(entry: dict[str, Any]) -> dict[str, Any]:
        if entry["kind"] == "observer" and entry["attributes"]["watches"] == "autoscalers":
            entry["event"] = "failed"
        return entry

    verdict = score(planted(tmp_path / "bundle", lose), targets)
    (check,) = [check for check in verdict.validity if check.name == "observers"]
    assert not check.ok
    assert "autoscalers of us-east-1" in check.says


def test_the_proof_rests_on_the_readings_and_the_rates(tmp_path: Path) -> None:
    grounds = proof_grounds(read_facts(planted(tmp_path / "bundle")))
    assert [entry.kind for entry in grounds.entries] == ["fault", *["hpa"] * 4]
    assert grounds.figures == ("the load rose from 20 to 100 requests/s",)
