"""Restore: the interval holds when the region was really back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bundle.reader import Bundle
from scorer.facts import read_facts
from scorer.planted_failover import FailoverPlan, FailoverTruth, plant_failover
from scorer.restore import region_restored, restore_grounds
from scorer.verdict import Measure

QUICK = FailoverPlan(rate_per_s=60, after_s=10, asked_s=4, ready_s=6, serving_s=6.5)


def taken(root: Path, **changes: object) -> tuple[Measure, FailoverTruth]:
    truth = plant_failover(root, replace(QUICK, **changes))  # type: ignore[arg-type]
    bundle = Bundle.open(root)
    return region_restored(read_facts(bundle), bundle), truth


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("serving_s", [6.0, 6.8])
def test_the_interval_holds_the_planted_moment(tmp_path: Path, seed: int, serving_s: float) -> None:
    measure, truth = taken(tmp_path / "bundle", seed=seed, serving_s=serving_s)
    assert truth.first_answer_ns is not None
    assert measure.low is not None
    assert measure.high is not None
    restored_s = (truth.first_answer_ns - truth.fault_ns) / 1e9 - 4
    assert measure.low <= 2.0 <= restored_s <= measure.high
    assert measure.high - measure.low < 1.1
    assert [stage.name for stage in measure.stages] == ["ready", "serving"]


def test_a_region_that_never_serves_is_open(tmp_path: Path) -> None:
    measure, _ = taken(tmp_path / "bundle", serving_s=None)
    assert (measure.value, measure.high) == (None, None)
    assert measure.low == pytest.approx(2, abs=0.05)
    assert measure.evidence == ("no request was seen to be answered well by us-east-1 once its replicas were ready",)


def test_answers_without_a_region_show_nothing(tmp_path: Path) -> None:
    assert taken(tmp_path / "bundle", nameless=1.0)[0].high is None


def test_replicas_that_never_get_ready_are_open(tmp_path: Path) -> None:
    measure, _ = taken(tmp_path / "bundle", ready_s=None)
    assert measure.low == pytest.approx(8, abs=0.1)
    assert "did not have its 3 replicas ready when the recording ended" in measure.evidence[0]


def test_replicas_that_were_never_asked_back_are_open(tmp_path: Path) -> None:
    measure, _ = taken(tmp_path / "bundle", asked_s=100.0, ready_s=None)
    assert (measure.value, measure.low, measure.high) == (None, 0, None)
    assert "was never asked for its 3 replicas again" in measure.evidence[0]


def test_without_a_fault_on_replicas_there_is_nothing_to_restore(planted) -> None:
    bundle = planted()
    with pytest.raises(LookupError, match="no fault was recorded that took a region's replicas away"):
        region_restored(read_facts(bundle), bundle)


def test_a_deployment_that_was_not_watched_shows_nothing(tmp_path: Path) -> None:
    plant_failover(tmp_path / "bundle", QUICK)
    bundle = Bundle.open(tmp_path / "bundle")
    lines = (tmp_path / "bundle" / "timeline.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "bundle" / "timeline.jsonl").write_text("".join(line for line in lines if '"deployment"' not in line))
    with pytest.raises(LookupError, match="orchestration-agent in us-east-1 was not seen to lose its replicas"):
        region_restored(read_facts(bundle), bundle)


def test_what_it_rests_on_are_the_readings_of_the_deployment(tmp_path: Path) -> None:
    plant_failover(tmp_path / "bundle", QUICK)
    entries = restore_grounds(read_facts(Bundle.open(tmp_path / "bundle"))).entries
    assert [entry.attributes["desired"] for entry in entries] == [3, 0, 0, 3, 3]
