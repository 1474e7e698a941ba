"""Whole drills on a whole sandbox: what passes, what fails, what shows nothing, and what is left after an abort."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from bundle.reader import Bundle
from tests.e2e.sandbox import NETWORK, POD_KILL, REPOSITORY, STEADY, Sandbox, objective, sandbox, verdict_of

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

QUICK = ("--warm-up", "3", "--baseline", "6", "--cool-down", "2")


def broken_checks(verdict: dict[str, Any]) -> set[str]:
    """The validity checks that did not hold."""
    return {check["name"] for check in verdict["validity"] if not check["ok"]}


def changed(tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """The pod-kill experiment with a change, under its own name."""
    document = yaml.safe_load(POD_KILL.read_text())
    change(document)
    path = tmp_path / "pod-kill.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


def test_the_hardened_manner_passes_pod_kill_without_a_failed_request(hardened: Sandbox, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    done = hardened.run("run", str(POD_KILL), "--load", str(STEADY), "--context", "us-east-1", "--runs", str(runs))
    assert done.returncode == 0, done.stdout + done.stderr
    verdict = verdict_of(runs)
    assert verdict["verdict"] == "pass"
    assert objective(verdict, "failed-requests")["measure"]["high"] == 0
    assert (runs / "latest" / "report.html").stat().st_size > 100_000
    assert "PASS" in done.stdout
    assert hardened.processes() == set()
    again = hardened.run("score", str(runs / "latest"), "--json")
    assert json.loads(again.stdout) == verdict


def test_the_same_run_without_its_fault_is_invalid_and_no_pass(hardened: Sandbox, tmp_path: Path) -> None:
    path = changed(tmp_path, lambda document: document["method"].pop(0))
    runs = tmp_path / "runs"
    done = hardened.run("run", str(path), "--load", str(STEADY), "--runs", str(runs), *QUICK)
    assert done.returncode == 3, done.stdout + done.stderr
    assert verdict_of(runs)["verdict"] == "invalid"
    assert "fault-proven" in broken_checks(verdict_of(runs))


def test_a_selector_that_matches_no_pod_is_invalid(hardened: Sandbox, tmp_path: Path) -> None:
    def miss(document: dict[str, Any]) -> None:
        document["method"][0]["provider"]["arguments"]["label_selector"] = "app=no-such-app"

    runs = tmp_path / "runs"
    done = hardened.run("run", str(changed(tmp_path, miss)), "--load", str(STEADY), "--runs", str(runs), *QUICK)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "fault-proven" in broken_checks(verdict_of(runs))


def test_a_load_at_rate_0_is_invalid_and_nothing_is_broken_for_it(hardened: Sandbox, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    done = hardened.run("run", str(POD_KILL), "--load", str(STEADY), "--rate", "0", "--runs", str(runs), *QUICK)
    assert done.returncode == 3, done.stdout + done.stderr
    assert verdict_of(runs)["verdict"] == "invalid"
    assert "load-rate" in broken_checks(verdict_of(runs))
    assert [e for e in Bundle.open(runs / "latest").timeline if e.kind == "fault"] == []


@pytest.mark.parametrize(
    ("phase", "number"),
    [("warm-up", signal.SIGINT), ("baseline", signal.SIGTERM), ("fault", signal.SIGINT), ("recovery", signal.SIGTERM)],
)
def test_an_abort_in_any_phase_leaves_nothing_running_and_nothing_broken(
    hardened: Sandbox, tmp_path: Path, phase: str, number: signal.Signals
) -> None:
    runs = tmp_path / "runs"
    command = hardened.gameday("run", str(POD_KILL), "--load", str(STEADY), "--runs", str(runs), *QUICK)
    drill = subprocess.Popen(
        command, cwd=REPOSITORY, env=hardened.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_for_phase(runs, phase)
    drill.send_signal(number)
    _, told = drill.communicate(timeout=120)
    assert drill.returncode == 5, told
    last = told.strip().splitlines()[-1]
    assert f"{number.name} received; load stopped, fault undone, bundle closed" in last
    assert hardened.processes() == set()
    bundle = Bundle.open(runs / "latest")
    assert bundle.manifest.outcome == "aborted"
    assert all(p.end_ns is not None for p in bundle.manifest.phases)
    undo = bundle.root / "undo.json"  # written before the fault, and not before that
    assert undo.exists() == (phase in ("fault", "recovery"))
    assert not undo.exists() or json.loads(undo.read_text())["state"] == "undone"
    assert (bundle.root / "requests.parquet").exists()
    status = hardened.run("sandbox", "status", "--state", str(hardened.state), "--json")
    assert status.returncode == 0, status.stdout


def test_a_drill_killed_with_kill_9_leaves_a_bundle_that_can_be_scored_and_recovered(
    hardened: Sandbox, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    command = hardened.gameday("run", str(POD_KILL), "--load", str(STEADY), "--runs", str(runs), *QUICK)
    drill = subprocess.Popen(
        command, cwd=REPOSITORY, env=hardened.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    root = wait_for_phase(runs, "fault")
    time.sleep(1)
    drill.kill()
    drill.wait()
    killed_ns = time.time_ns()
    deadline = time.monotonic() + 20
    while hardened.processes():
        assert time.monotonic() < deadline, "the load or the experiment outlived its harness"
        time.sleep(0.1)
    rows = [row for batch in Bundle.open(root).requests() for row in batch["scheduled_ns"].to_pylist()]
    assert killed_ns - max(rows) < 1_000_000_000
    scored = hardened.run("score", str(root), "--json")
    assert scored.returncode == 3, scored.stderr
    assert json.loads(scored.stdout)["verdict"] == "invalid"
    refused = hardened.run("run", str(POD_KILL), "--load", str(STEADY), "--runs", str(runs), *QUICK)
    assert refused.returncode == 4
    assert f"gameday recover {root}" in refused.stderr
    assert hardened.run("recover", str(root)).returncode == 0


def test_the_experiment_runs_by_chaos_alone_and_the_profile_by_locust_alone(hardened: Sandbox, tmp_path: Path) -> None:
    environment = {**hardened.environment, "GAMEDAY_HOST": f"http://{NETWORK}.0.1:8080"}
    chaos = subprocess.run(
        [sys.executable, "-m", "chaostoolkit", "--no-version-check", "run", str(POD_KILL)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert chaos.returncode == 0, chaos.stderr
    assert json.loads((tmp_path / "journal.json").read_text())["status"] == "completed"
    locust = subprocess.run(
        [sys.executable, "-m", "locust", "-f", str(STEADY), "--headless", "--run-time", "3s"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert locust.returncode == 0, locust.stderr
    assert "/api/v1/agents" in locust.stdout + locust.stderr


def wait_for_phase(runs: Path, phase: str) -> Path:
    """Wait until the newest run is in this phase; returns its bundle."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        for manifest in runs.glob("*/manifest.json"):
            phases = json.loads(manifest.read_text())["phases"]
            if phases and phases[-1]["name"] == phase:
                return manifest.parent
        time.sleep(0.05)
    pytest.fail(f"the drill never came to {phase}")


def test_the_naive_manner_fails_pod_kill_by_a_measured_number_of_failed_requests(tmp_path: Path) -> None:
    with sandbox(tmp_path, "naive", "127.71") as naive:
        runs = tmp_path / "runs"
        done = naive.run("run", str(POD_KILL), "--load", str(STEADY), "--context", "us-east-1", "--runs", str(runs))
        assert done.returncode == 1, done.stdout + done.stderr
        verdict = verdict_of(runs)
        assert verdict["verdict"] == "fail"
        failed = objective(verdict, "failed-requests")
        assert failed["verdict"] == "fail"
        assert failed["measure"]["low"] > 0
        assert "failed" in verdict["summary"].lower()
