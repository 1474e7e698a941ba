"""The drill of many requests, and what its figures are made of."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.load.process import BenchmarkFailed
from benchmarks.scorer.coldstart import TARGETS
from benchmarks.scorer.rows import RATE_PER_S, plant_rows
from benchmarks.scorer.throughput import measure, once
from bundle.reader import Bundle
from scorer.score import score
from scorer.source import Stream, all_rows
from scorer.targets import Targets


def test_the_drill_is_whole_in_order_and_fails_by_its_outage_alone(tmp_path: Path) -> None:
    drill = plant_rows(tmp_path / "b", TARGETS, 300_000)
    bundle = Bundle.open(drill.root)
    starts = [batch.column("start_ns").to_numpy() for batch in bundle.requests()]
    assert np.all(np.diff(np.concatenate(starts)) >= 0)
    assert len(starts) > 2
    rows = all_rows(Stream(bundle))
    assert (len(rows), rows.bad, rows.unsent) == (300_000, 3 * RATE_PER_S, 0)
    verdict = score(bundle, Targets.load(TARGETS))
    assert [check.says for check in verdict.validity if not check.ok] == []
    assert json.loads(verdict.to_json())["verdict"] == "fail"


def test_what_does_not_run_is_no_measurement(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkFailed, match="scorer: "):
        once("scorer", tmp_path)


def test_every_size_has_its_figures_and_only_the_largest_its_goal(tmp_path: Path) -> None:
    figures = {figure.name: figure for figure in measure(tmp_path, (100_000, 200_000), runs=1)}
    assert list(tmp_path.iterdir()) == []
    ratio = figures["verdict over DuckDB, 0.2 million requests"]
    assert ratio.goal is None
    assert ratio.value == pytest.approx(ratio.beside["scorer_s"] / ratio.beside["duckdb_s"])
    memory = figures["memory, 0.1 million requests"]
    assert memory.holds
    assert memory.value > 10_000_000
