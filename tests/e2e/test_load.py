"""Whole drills whose load is not steady, not open, not ours, or not to be had."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundle.reader import Bundle
from tests.e2e.sandbox import NETWORK, POD_KILL, REPOSITORY, STEADY, Sandbox, verdict_of

pytestmark = [pytest.mark.load, pytest.mark.timeout(240)]

QUICK = ("--warm-up", "3", "--baseline", "6", "--cool-down", "2")
PROFILES = REPOSITORY / "loadprofiles"

CLOSED = """
from locust import FastHttpUser, constant_throughput, task
class Agents(FastHttpUser):
    wait_time = constant_throughput(5)
    @task
    def list_agents(self): self.client.get("/api/v1/agents")
"""
HEADER = """
from locust import FastHttpUser, task
from gameday.load.user import ArrivalUser
"""
RAISES_IN_ON_START = (
    HEADER
    + """
class A(ArrivalUser):
    rate = 50
    def on_start(self): raise RuntimeError("no credentials")
    @task
    def get(self): self.client.get("/api/v1/agents")
"""
)
RAISES_IN_TASK = (
    HEADER
    + """
class A(ArrivalUser):
    rate = 50
    @task
    def get(self): self.client.get(self.nowhere)
"""
)
CLOSED_RAISES_IN_ON_START = RAISES_IN_ON_START.replace("(ArrivalUser)", "(FastHttpUser)")


@pytest.mark.parametrize(
    ("profile", "says"),
    [
        (RAISES_IN_ON_START, "RuntimeError: no credentials"),
        (CLOSED_RAISES_IN_ON_START, "no credentials"),
        (RAISES_IN_TASK, "AttributeError: 'A' object has no attribute 'nowhere'"),
    ],
)
def test_a_profile_that_raises_ends_the_drill_before_the_fault(
    hardened: Sandbox, tmp_path: Path, profile: str, says: str
) -> None:
    (tmp_path / "profile.py").write_text(profile)
    runs = tmp_path / "runs"
    done = hardened.run("run", str(POD_KILL), "--load", str(tmp_path / "profile.py"), "--runs", str(runs), *QUICK)
    assert done.returncode == 5, done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert "the load sent nothing in the warm-up" in last
    assert says in last
    assert hardened.processes() == set()
    assert [e for e in Bundle.open(runs / "latest").timeline if e.kind == "fault"] == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "gameday-test", str(disk)], check=True)
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(disk: Path) -> None:
    """Take all the room there is."""
    with (disk / "filler").open("wb", buffering=0) as filler:
        try:
            while True:
                filler.write(bytes(4096))
        except OSError:
            return


@pytest.mark.parametrize("phase", ["baseline", "recovery"])
def test_a_full_disk_ends_the_drill_at_once_and_undoes_the_fault(
    hardened: Sandbox, small_disk: Path, phase: str
) -> None:
    runs = small_disk / "runs"
    command = hardened.gameday("run", str(POD_KILL), "--load", str(STEADY), "--runs", str(runs), *QUICK)
    drill = subprocess.Popen(
        command, cwd=REPOSITORY, env=hardened.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not (found := sorted(runs.glob("2*"))) or phase not in [
        p.name for p in Bundle.open(found[0]).manifest.phases
    ]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    fill(small_disk)
    filled_s = time.monotonic()
    _, told = drill.communicate(timeout=120)
    assert drill.returncode == 5, told
    last = told.strip().splitlines()[-1]
    assert "the bundle cannot be written: No space left on device" in last
    assert "load stopped, fault undone" in last
    assert hardened.processes() == set()
    assert time.monotonic() - filled_s < 20
    status = hardened.run("sandbox", "status", "--state", str(hardened.state), "--json")
    assert status.returncode == 0, status.stdout


def test_a_rate_that_rises_in_the_drill_is_judged_by_its_curve(hardened: Sandbox, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    ramp = (str(POD_KILL), "--load", str(PROFILES / "ramp.py"), "--rate", "120", "--duration", "30")
    done = hardened.run("run", *ramp, "--runs", str(runs), *QUICK)
    assert done.returncode == 0, done.stdout + done.stderr
    load = Bundle.open(runs / "latest").manifest.load
    assert load is not None
    assert load.rate_per_s is None
    assert load.curves[0].points == ((0, 6), (30, 120))
    assert verdict_of(runs)["verdict"] == "pass"


def test_a_closed_loop_profile_has_a_verdict_that_says_so(hardened: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "closed.py").write_text(CLOSED)
    runs = tmp_path / "runs"
    done = hardened.run(
        "run", str(POD_KILL), "--load", str(tmp_path / "closed.py"), "--users", "20", "--runs", str(runs), *QUICK
    )
    verdict = verdict_of(runs)
    assert all(check["ok"] for check in verdict["validity"]), verdict["validity"]
    assert "closed-loop" in verdict["summary"]
    assert any("closed-loop" in caveat for caveat in verdict["caveats"])
    assert verdict["verdict"] in ("warn", "inconclusive"), done.stdout


def test_several_processes_share_one_load(hardened: Sandbox, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    three = (str(POD_KILL), "--load", str(STEADY), "--workers", "3", "--rate", "90")
    done = hardened.run("run", *three, "--runs", str(runs), *QUICK)
    assert done.returncode == 0, done.stdout + done.stderr
    assert hardened.processes() == set()
    workers = {name for batch in Bundle.open(runs / "latest").requests() for name in batch["worker"].to_pylist()}
    assert workers == {"load-0", "load-1", "load-2"}
    assert NETWORK in str(Bundle.open(runs / "latest").manifest.load)


def test_load_from_elsewhere_is_imported_and_scored(hardened: Sandbox, tmp_path: Path) -> None:
    """Another generator sends while the drill runs: a Locust of its own, recorded by the listener of the docs."""
    listener = (REPOSITORY / "docs" / "importing.md").read_text().split("```python\n")[1].split("```")[0]
    (tmp_path / "locustfile.py").write_text(listener + CLOSED)
    host = ("--headless", "--host", f"http://{NETWORK}.0.1:8080")
    users = ("--users", "20", "--spawn-rate", "20")
    generator = subprocess.Popen(
        [sys.executable, "-m", "locust", "-f", "locustfile.py", *host, *users, "--stop-timeout", "3"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    runs = tmp_path / "runs"
    try:
        drill = (str(POD_KILL), "--load", "none", "--rate", "100", "--runs", str(runs))
        done = hardened.run("run", *drill, *QUICK)
        assert done.returncode == 3, done.stdout + done.stderr
        assert "no load was applied" in done.stdout
    finally:
        generator.terminate()
        generator.wait(20)
    (record,) = tmp_path.glob("requests-*.csv")
    done = hardened.run("import", str(record), "--into", str(runs / "latest"))
    assert done.returncode == 0, done.stderr
    hardened.run("score", str(runs / "latest"))
    verdict = verdict_of(runs)
    assert all(check["ok"] for check in verdict["validity"]), verdict["validity"]
    assert verdict["verdict"] in ("warn", "inconclusive")
    assert any("closed-loop" in caveat for caveat in verdict["caveats"])
