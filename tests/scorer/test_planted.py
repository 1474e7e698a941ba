"""The planted bundles themselves: whole, repeatable, and true to their plan."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bundle.manifest import PhaseName
from bundle.reader import Bundle
from scorer.facts import read_facts
from scorer.planted import Outage, Plan, plant


def test_the_same_plan_gives_the_same_rows(tmp_path: Path) -> None:
    plan = Plan(seed=4, spacing="poisson", outages=(Outage(0, 2, 0.3),), background=0.01)
    assert plant(tmp_path / "a", plan) == plant(tmp_path / "b", plan)
    for name in ("timeline.jsonl", "manifest.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    one, other = (read_facts(Bundle.open(tmp_path / name)).requests for name in "ab")
    assert np.array_equal(one.latency_ns, other.latency_ns)


def test_requests_fail_where_the_plan_says_and_nowhere_else(tmp_path: Path) -> None:
    truth = plant(tmp_path / "b", Plan(outages=(Outage(1, 3),)))
    requests = read_facts(Bundle.open(tmp_path / "b")).requests
    after_s = (requests.done_ns - truth.fault_ns)[~requests.ok] / 1e9
    assert after_s.min() >= 1
    assert after_s.max() < 3
    assert abs(len(after_s) - 200) <= 3
    assert (truth.recovery_s, truth.failed) == (3, len(after_s))


def test_a_killed_run_leaves_streams_and_an_open_phase(tmp_path: Path) -> None:
    plant(tmp_path / "b", Plan(killed=True))
    bundle = Bundle.open(tmp_path / "b")
    assert bundle.manifest.outcome == "running"
    assert bundle.manifest.phases[-1].name is PhaseName.RECOVERY
    assert bundle.manifest.phases[-1].end_ns is None
    assert sum(batch.num_rows for batch in bundle.requests()) > 2000
