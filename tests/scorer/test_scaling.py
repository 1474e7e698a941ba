"""Scaling: the intervals hold what the planted autoscaler really did."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundle.reader import Bundle
from scorer.facts import read_facts
from scorer.planted_scaling import ScalingPlan, ScalingTruth, plant_scaling
from scorer.scaling import scale_down_begins, scale_latency, scale_up_begins, scaling_grounds
from scorer.targets import Targets
from scorer.verdict import Measure


def made(root: Path, **changes: object) -> tuple[Bundle, ScalingTruth]:
    truth = plant_scaling(root, replace(ScalingPlan(), **changes))  # type: ignore[arg-type]
    return Bundle.open(root), truth


def holds(measure: Measure, truth: float) -> bool:
    assert measure.low is not None
    assert measure.high is not None
    assert measure.value is not None
    assert measure.low <= measure.value <= measure.high
    return measure.low - 1e-6 <= truth <= measure.high + 1e-6


@settings(max_examples=25)
@given(
    seed=st.integers(0, 10_000),
    metric_s=st.sampled_from([1.0, 3.0, 5.0]),
    sync_s=st.sampled_from([1.0, 3.0, 5.0]),
    crossed_s=st.floats(0.0, 2.0),
    users_hit=st.booleans(),
)
def test_the_intervals_hold_what_was_planted(
    targets: Targets,
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    metric_s: float,
    sync_s: float,
    crossed_s: float,
    users_hit: bool,
) -> None:
    root = tmp_path_factory.mktemp("scaling") / "bundle"
    bundle, truth = made(
        root, seed=seed, metric_s=metric_s, sync_s=sync_s, crossed_s=crossed_s, users_hit=users_hit, after_s=35
    )
    facts = read_facts(bundle)
    up, down = scale_up_begins(facts), scale_down_begins(facts)
    assert holds(up, truth.up_s - crossed_s)
    assert (up.high or 0) - (up.low or 0) <= truth.up_s + 0.04  # no wider than from the load's rise to the change
    assert holds(down, truth.down_s - 16)
    assert (down.high or 0) - (down.low or 0) == pytest.approx(0.02, abs=0.001)
    assert holds(scale_latency(facts, targets), truth.good_s)


def test_the_stages_are_told_and_the_longest_is_dominant(targets: Targets, tmp_path: Path) -> None:
    bundle, truth = made(tmp_path / "bundle", ready_after_s=8.0)
    taken = scale_latency(read_facts(bundle), targets)
    names = ["metric over target", "desired changed", "pods created", "ready", "serving", "SLI good"]
    assert [stage.name for stage in taken.stages] == names
    assert [stage.name for stage in taken.stages if stage.dominant] == ["ready"]
    assert sum(stage.value or 0 for stage in taken.stages) == pytest.approx(truth.good_s, abs=0.1)


def test_where_nobody_watches_what_serves_a_ready_pod_is_at_work(targets: Targets, tmp_path: Path) -> None:
    bundle, truth = made(tmp_path / "bundle", serving_after_s=None)
    taken = scale_latency(read_facts(bundle), targets)
    assert holds(taken, truth.ready_s)
    assert "serving" not in {stage.name for stage in taken.stages}
    assert taken.evidence[0].endswith("nobody watched which pods serve")


def test_an_autoscaler_that_does_nothing_leaves_it_open(targets: Targets, tmp_path: Path) -> None:
    bundle, _ = made(tmp_path / "bundle", scales=False, fall_s=None, users_hit=False)
    facts = read_facts(bundle)
    taken = scale_latency(facts, targets)
    assert (taken.value, taken.high, taken.low) == (None, None, pytest.approx(42, abs=0.1))
    with pytest.raises(LookupError, match="CPU was not seen over its target"):
        scale_up_begins(facts)
    with pytest.raises(LookupError, match="the load never falls"):
        scale_down_begins(facts)


def test_cpu_over_its_target_without_more_replicas_is_open(tmp_path: Path) -> None:
    bundle, truth = made(tmp_path / "bundle", fall_s=None)
    timeline = tmp_path / "bundle" / "timeline.jsonl"
    timeline.write_text(timeline.read_text().replace('"desired":4', '"desired":2'))
    taken = scale_up_begins(read_facts(Bundle.open(bundle.root)))
    assert (taken.value, taken.high) == (None, None)
    assert taken.low == pytest.approx(42 - truth.up_s, abs=0.1)
    assert taken.evidence[0].endswith("to the end of the recording")


def test_once_the_load_has_fallen_there_is_no_reason_to_scale_up_any_more(targets: Targets, tmp_path: Path) -> None:
    bundle, truth = made(tmp_path / "bundle", fall_s=16.0)
    timeline = tmp_path / "bundle" / "timeline.jsonl"
    timeline.write_text(timeline.read_text().replace('"desired":4', '"desired":2'))
    facts = read_facts(Bundle.open(bundle.root))
    taken = scale_up_begins(facts)
    assert taken.low == pytest.approx(16 - truth.up_s, abs=0.1)
    assert taken.evidence[0].endswith("to the load's fall")
    assert scale_latency(facts, targets).low == pytest.approx(16, abs=0.1)
    with pytest.raises(LookupError, match="nothing had been scaled up"):
        scale_down_begins(facts)


def test_a_pod_that_never_gets_ready_leaves_it_open(targets: Targets, tmp_path: Path) -> None:
    bundle, _ = made(tmp_path / "bundle", ready_after_s=None)
    taken = scale_latency(read_facts(bundle), targets)
    assert taken.high is None
    assert taken.evidence[0].startswith("no new pod was ready and users had not recovered for sure when the recording")


def test_replicas_that_stay_leave_the_scale_down_open(tmp_path: Path) -> None:
    bundle, _ = made(tmp_path / "bundle", stabilization_s=100.0)
    timeline = tmp_path / "bundle" / "timeline.jsonl"
    lines = timeline.read_text().splitlines(keepends=True)
    timeline.write_text("".join(line for line in lines if '"cpu_percent":15' not in line or '"desired":4' in line))
    taken = scale_down_begins(read_facts(Bundle.open(bundle.root)))
    assert (taken.value, taken.high) == (None, None)
    assert taken.low == pytest.approx(42 - 16, abs=0.1)
    assert taken.evidence[1] == "its scale-down stabilisation window is 100.0 s"


def test_without_a_fault_nobody_knows_when_users_were_well(targets: Targets, tmp_path: Path) -> None:
    bundle, _ = made(tmp_path / "bundle")
    timeline = tmp_path / "bundle" / "timeline.jsonl"
    lines = timeline.read_text().splitlines(keepends=True)
    timeline.write_text("".join(line for line in lines if '"kind":"fault"' not in line))
    taken = scale_latency(read_facts(Bundle.open(bundle.root)), targets)
    assert taken.high is None
    assert "users had not recovered for sure" in taken.evidence[0]


def test_a_pod_of_another_deployment_is_no_new_pod(targets: Targets, tmp_path: Path) -> None:
    bundle, _ = made(tmp_path / "bundle")
    taken = scale_latency(read_facts(bundle), targets)
    assert taken.evidence[0].endswith("1 new pods")


def test_what_it_rests_on_are_the_readings_around_each_change(tmp_path: Path) -> None:
    bundle, _ = made(tmp_path / "bundle")
    entries = scaling_grounds(read_facts(bundle)).entries
    assert [entry.attributes["desired"] for entry in entries] == [2, 4, 4, 2]
