"""What a process took, and what of a run is no measurement."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.load.process import BenchmarkFailed
from benchmarks.scorer.coldstart import Took, measure, score, spread, took


def test_what_a_process_took_is_its_own_cpu_time_and_its_exit_code() -> None:
    exit_code, used = took(["-c", "sum(range(3_000_000)); raise SystemExit(7)"], os.environ)
    _, idle = took(["-c", "raise SystemExit(0)"], os.environ)
    assert exit_code == 7
    assert used.cpu_s > idle.cpu_s > 0
    assert used.wall_s > 0


def test_runs_are_told_by_their_extremes_and_their_middle() -> None:
    runs = [Took(0.9, 1.1), Took(0.7, 1.0), Took(0.8, 0.5)]
    assert spread(runs) == {"fastest_s": 0.7, "slowest_s": 0.9, "cpu_s": 1.0}


def test_a_command_that_gives_no_verdict_is_no_measurement(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkFailed, match="exit code 2"):
        score(tmp_path / "none", os.environ)


def test_the_figure_has_a_goal_and_what_it_was_measured_beside(tmp_path: Path) -> None:
    figure, uncompiled = measure(tmp_path, runs=1, uncompiled=1)
    assert figure.goal is not None
    assert figure.goal.at_most == 1.5
    assert figure.beside["runs"] == 1
    assert figure.value > figure.beside["python_alone_s"] > 0
    assert uncompiled.goal is None
