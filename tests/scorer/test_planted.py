"""The planted bundles themselves: whole, repeatable, and true to their plan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bundle.manifest import PhaseName
from bundle.reader import Bundle
from scorer.facts import read_facts
from scorer.planted import CONTEXT, Outage, Plan, plant


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


@pytest.mark.parametrize("hidden", [Plan(unsent=(1, 2)), Plan(silent=(1, 2)), Plan(workers=4, worker_lost_s=1)])
def test_what_was_hidden_is_part_of_the_truth(tmp_path: Path, hidden: Plan) -> None:
    """The outage of 3 s in 20 hits 300 requests whether they are recorded or not."""
    whole, truth = plant(tmp_path / "whole", Plan(fault_ms=0)), plant(tmp_path / "b", replace(hidden, fault_ms=0))
    assert truth.would_fail == pytest.approx(300, abs=2)
    assert whole.failed == whole.would_fail
    assert truth.failed < 260
    assert truth.due == whole.due == pytest.approx(2000, abs=2)
    assert truth.p95_ms == np.inf
    assert plant(tmp_path / "good", Plan(outages=(), background=0.01)).p95_ms == pytest.approx(21, abs=3)
    assert truth.spacing_s == pytest.approx(0.01)
    assert truth.last_failed_s == pytest.approx(3, abs=0.02)


def test_the_clocks_of_workers_are_ahead_by_what_the_manifest_says_give_or_take_what_is_uncertain(
    tmp_path: Path,
) -> None:
    plan = Plan(workers=3, offsets_ms=(-900.0, 0.0, 2500.0), uncertain_ms=15)
    plant(tmp_path / "right", replace(plan, offsets_ms=(), uncertain_ms=0))
    plant(tmp_path / "b", plan)
    right, found = (read_facts(Bundle.open(tmp_path / name)) for name in ("right", "b"))
    assert found.clock_uncertainty_ns == 15_000_000
    strays = np.unique((np.sort(found.requests.scheduled_ns) - np.sort(right.requests.scheduled_ns)) / 1e6)
    assert 0 < np.abs(strays).max() <= 15


def test_polled_news_is_uncertain_by_a_period_and_jittered_news_by_a_watch(tmp_path: Path) -> None:
    for name, plan, width_s in (("polled", Plan(poll_s=2), 2.0), ("watched", Plan(watch_jitter=True), 0.02)):
        truth = plant(tmp_path / name, plan)
        news = [entry for entry in Bundle.open(tmp_path / name).timeline if entry.source == "watch" and entry.uid]
        assert {(entry.latest_ns - entry.earliest_ns) / 1e9 for entry in news} == {width_s}
        ready = next(entry for entry in news if entry.attributes.get("ready") is True and entry.event == "modified")
        assert ready.earliest_ns <= truth.fault_ns + 6_000_000_000 <= ready.latest_ns


def test_a_killed_run_leaves_streams_and_an_open_phase(tmp_path: Path) -> None:
    plant(tmp_path / "b", Plan(killed=True))
    bundle = Bundle.open(tmp_path / "b")
    assert bundle.manifest.outcome == "running"
    assert bundle.manifest.phases[-1].name is PhaseName.RECOVERY
    assert bundle.manifest.phases[-1].end_ns is None
    assert sum(batch.num_rows for batch in bundle.requests()) > 2000


def test_a_piece_that_is_missing_is_gone_from_the_bundle_and_no_other(tmp_path: Path) -> None:
    def held(name: str, plan: Plan) -> tuple[set[str], set[str], int]:
        plant(tmp_path / name, plan)
        bundle = Bundle.open(tmp_path / name)
        rows = {row for batch in bundle.requests() for row in batch.column("worker").to_pylist()}
        return (
            rows,
            {row for batch in bundle.samples() for row in batch.column("source").to_pylist()},
            bundle.torn_lines,
        )

    workers = {"worker-1", "worker-2", "worker-3"}
    assert held("whole", Plan(workers=3)) == (workers, {*workers, CONTEXT}, 0)
    assert held("requests", Plan(workers=3, missing="requests"))[0] == workers - {"worker-3"}
    assert held("samples", Plan(workers=3, missing="samples")) == (workers, {*workers, CONTEXT} - {"worker-3"}, 0)
    assert held("pulse", Plan(workers=3, missing="pulse"))[1] == workers
    rows, samples, torn_lines = held("torn", Plan(workers=3, torn=0.5))
    assert (rows, samples) == (workers, {*workers, CONTEXT})
    assert torn_lines > 1
    whole, torn = ((tmp_path / name / "timeline.jsonl").stat().st_size for name in ("whole", "torn"))
    assert torn == whole // 2


def test_rows_show_the_end_of_a_hard_outage_to_within_a_gap_and_an_answer(tmp_path: Path) -> None:
    truth = plant(tmp_path / "b", Plan(fault_ms=0))
    assert truth.spacing_s < truth.shown_s < truth.spacing_s + 0.05
    assert plant(tmp_path / "never", Plan(outages=(Outage(0, 60),))).shown_s == 0
    assert plant(tmp_path / "none", Plan(outages=())).shown_s == 0
