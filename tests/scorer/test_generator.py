"""Whether the load generator was the bottleneck, of one worker or several, measured by itself or not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bundle.manifest import LoadRecord, Worker
from bundle.reader import Bundle
from bundle.table import SAMPLES
from scorer.facts import read_facts
from scorer.generator import generator
from scorer.planted import EPOCH_NS, Plan
from scorer.targets import Targets

PlantedBundle = Callable[..., Bundle]
Row = dict[str, Any]
S = 1_000_000_000
FAULT_NS = EPOCH_NS + 7 * S
THREE = Plan(outages=(), workers=3)


def with_samples(bundle: Bundle, change: Callable[[Row], Row | None]) -> Bundle:
    """The bundle with each sample as `change` has it; None leaves it out."""
    rows = [changed for batch in bundle.samples() for row in batch.to_pylist() if (changed := change(row))]
    columns = {field.name: pa.array([row[field.name] for row in rows], field.type) for field in SAMPLES}
    pq.write_table(pa.table(columns), bundle.root / "samples.parquet")
    return bundle


def is_lag(row: Row, worker: str) -> bool:
    return row["series"] == "load.lag_s" and row["source"] == worker


def test_several_workers_are_as_good_as_the_worst(planted: PlantedBundle, targets: Targets) -> None:
    ok, says = generator(read_facts(planted(THREE)), targets)
    assert ok
    assert "half of all lag samples of worker-" in says
    slow = with_samples(planted(THREE), lambda row: {**row, "value": 0.2} if is_lag(row, "worker-2") else row)
    ok, says = generator(read_facts(slow), targets)
    assert not ok
    assert "half of all lag samples of worker-2 were within 200.0 ms (at most 50 ms)" in says


@pytest.mark.parametrize(
    ("kept", "says"),
    [
        (lambda _: False, "worker-3 recorded 0 samples of its lag, or absurd ones (10 needed)"),
        (lambda t_s: t_s < 9.5, "worker-3 recorded no sample of its lag for 10.8 s"),
        (lambda t_s: not 3 <= t_s < 15, "worker-3 recorded no sample of its lag for 12.2 s"),
    ],
)
def test_a_live_worker_does_not_clear_a_dead_one(
    planted: PlantedBundle, targets: Targets, kept: Callable[[float], bool], says: str
) -> None:
    bundle = with_samples(
        planted(THREE), lambda row: row if not is_lag(row, "worker-3") or kept((row["t_ns"] - FAULT_NS) / S) else None
    )
    ok, said = generator(read_facts(bundle), targets)
    assert (ok, said) == (False, says)


@pytest.mark.parametrize("lost_s", [-2.0, 0.5, 6.0, 19.0])
def test_a_worker_that_is_known_to_be_lost_owes_samples_up_to_then(
    planted: PlantedBundle, targets: Targets, lost_s: float
) -> None:
    ok, says = generator(read_facts(planted(replace(THREE, worker_lost_s=lost_s))), targets)
    assert ok, says


def imported(*lacks: str, **changes: Any) -> LoadRecord:
    load = {"model": "open", "workers": (Worker(name="worker-1"),), "lacks": ("generator-health", *lacks), **changes}
    return LoadRecord.model_validate(load)


def no_lag(row: Row) -> Row | None:
    return None if row["series"] == "load.lag_s" else row


def unmeasured(planted: PlantedBundle, plan: Plan, load: LoadRecord, targets: Targets) -> tuple[bool, str]:
    return generator(read_facts(with_samples(planted(plan, load=load), no_lag)), targets)


def test_where_its_health_is_not_recorded_the_check_says_what_is_not_known(
    planted: PlantedBundle, targets: Targets
) -> None:
    ok, says = unmeasured(planted, Plan(outages=()), imported("schedule", "scheduled-time"), targets)
    assert ok
    assert says == (
        "not measured by the generator itself; when requests were due isn't recorded either; longest silence in the "
        "baseline 0.01 s (at most 1 s)"
    )


def test_lateness_is_judged_where_it_is_known(planted: PlantedBundle, targets: Targets) -> None:
    ok, says = unmeasured(planted, Plan(outages=(), late_ms=30), imported(), targets)
    assert not ok
    assert says.startswith("not measured by the generator itself; 99 % of requests started within 145.")
    assert unmeasured(planted, Plan(outages=(), late_ms=30), imported("scheduled-time"), targets)[0]


def test_a_generator_that_fell_silent_in_the_baseline_was_not_well(planted: PlantedBundle, targets: Targets) -> None:
    ok, says = unmeasured(planted, Plan(outages=(), silent=(-3, -1.5)), imported("schedule"), targets)
    assert not ok
    assert says.endswith("longest silence in the baseline 1.51 s (at most 1 s)")
    coarse = (Worker(name="worker-1", clock_uncertainty_ns=S),)
    assert unmeasured(planted, Plan(outages=(), silent=(-3, -1.5)), imported(workers=coarse), targets)[0]


def test_without_requests_in_the_baseline_nothing_clears_it(planted: PlantedBundle, targets: Targets) -> None:
    ok, says = unmeasured(planted, Plan(outages=(), silent=(-7, 0.1)), imported(), targets)
    assert not ok
    assert says.startswith("no request was sent in a baseline by which")
