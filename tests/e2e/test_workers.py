"""Whole drills whose load several processes share: here, and elsewhere."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from bundle.clock import Anchor
from bundle.manifest import PhaseName
from bundle.reader import Bundle
from tests.e2e.sandbox import NETWORK, POD_KILL, REPOSITORY, STEADY, Sandbox, verdict_of
from tests.gameday.load.pods import TOKEN, Pods

pytestmark = [pytest.mark.load, pytest.mark.timeout(240)]

QUICK = ("--warm-up", "3", "--baseline", "6", "--cool-down", "2")


def pid_of(hardened: Sandbox, worker: str) -> int | None:
    """The process of a load worker."""
    for pid in hardened.processes():
        if psutil.pid_exists(pid) and worker in psutil.Process(pid).cmdline():
            return pid
    return None


def test_a_worker_that_dies_in_the_drill_is_recorded_and_the_drill_goes_on(hardened: Sandbox, tmp_path: Path) -> None:
    """A third of the load is gone: no claim can be made, and the drill says so rather than end."""
    runs = tmp_path / "runs"
    three = (str(POD_KILL), "--load", str(STEADY), "--workers", "3", "--rate", "60", "--recovery-max", "20")
    drill = subprocess.Popen(
        hardened.gameday("run", *three, "--runs", str(runs), *QUICK),
        cwd=REPOSITORY,
        env=hardened.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 90
    while not (found := sorted(runs.glob("2*"))) or not Bundle.open(found[0]).manifest.phase(PhaseName.FAULT):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    pid = pid_of(hardened, "load-1")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    out, told = drill.communicate(timeout=120)
    assert drill.returncode == 3, out + told
    assert hardened.processes() == set()
    bundle = Bundle.open(runs / "latest")
    (lost,) = [entry for entry in bundle.timeline if entry.event == "worker-lost"]
    assert lost.kind == "load"
    assert lost.attributes["worker"] == "load-1"
    assert str(lost.attributes["error"]).startswith("exit code -9: ")
    assert bundle.manifest.outcome == "completed"
    assert verdict_of(runs)["verdict"] in ("invalid", "inconclusive")


def test_a_load_from_elsewhere_whose_clocks_are_wrong_is_judged_as_one_from_here(
    hardened: Sandbox, tmp_path: Path
) -> None:
    pods = Pods(tmp_path, STEADY, f"http://{NETWORK}.0.1:8080", Anchor.take())
    pods.start_master(workers=2, skew_s=40)
    pods.start_worker("load-0", 1.7)
    pods.start_worker("load-1", -3600)
    runs = tmp_path / "runs"
    try:
        pods.wait_listening()
        elsewhere = replace(hardened, environment={**hardened.environment, "GAMEDAY_LOAD_TOKEN": TOKEN})
        drill = ("run", str(POD_KILL), "--load", str(pods.profile), "--load-at", pods.address, "--rate", "60")
        done = elsewhere.run(*drill, "--runs", str(runs), *QUICK)
        assert done.returncode == 0, done.stdout + done.stderr + pods.logs()
    finally:
        pods.close()
    load = Bundle.open(runs / "latest").manifest.load
    assert load is not None
    offsets = {
        worker.name: (worker.clock_offset_ns / 1e9, worker.clock_uncertainty_ns / 1e9) for worker in load.workers
    }
    assert set(offsets) == {"load-0", "load-1"}
    assert all(abs(offset_s) <= uncertainty_s < 0.1 for offset_s, uncertainty_s in offsets.values())
    assert verdict_of(runs)["verdict"] == "pass"
    assert TOKEN not in "".join(
        path.read_text(errors="replace") for path in (runs / "latest").rglob("*") if path.is_file()
    )
