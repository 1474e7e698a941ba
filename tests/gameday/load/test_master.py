"""A real master with real workers. Each start costs seconds, so that one run is looked at from several sides."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from bundle.rates import RateCurve
from bundle.table import iter_table
from gameday.load.arrivals import Spacing, due_times_ns
from gameday.load.process import LoadProcess
from gameday.load.running import LostWorker
from gameday.load.schedule import Part
from tests.gameday.load.target import Target

if TYPE_CHECKING:
    from tests.gameday.load.conftest import Starter

pytestmark = pytest.mark.timeout(180)

START_TIMEOUT_S = 60
HEADER = "from locust import FastHttpUser, constant_throughput, task\nfrom gameday.load.user import ArrivalUser\n"
OPEN = (
    HEADER
    + """
class Open(ArrivalUser):
    @task(3)
    def read(self): self.client.get("/read")
    @task(1)
    def write(self): self.client.post("/write", json={})
"""
)
CLOSED = (
    HEADER
    + """
class Closed(FastHttpUser):
    wait_time = constant_throughput(50)
    @task
    def get(self): self.client.get("/closed")
"""
)
MIXED = OPEN + CLOSED.removeprefix(HEADER)
NAMES = ("load-0", "load-1", "load-2")


def rows_of(load: LoadProcess) -> pa.Table:
    """The request rows of all workers, in order of their due time."""
    return pa.Table.from_batches(iter_table(load.plan.bundle, "requests")).sort_by("scheduled_ns")


def of_worker(rows: pa.Table, name: str) -> pa.Table:
    return rows.filter(pc.equal(pc.cast(rows["worker"], pa.string()), name))


def wait_until(true: Callable[[], object], timeout_s: float = START_TIMEOUT_S) -> None:
    """Poll what other processes do."""
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def wait_for_rows(load: LoadProcess, count: int) -> None:
    def enough() -> bool:
        assert load.poll() is None, load.last_words()
        return sum(batch.num_rows for batch in iter_table(load.plan.bundle, "requests")) >= count

    wait_until(enough)


def processes_of(load: LoadProcess) -> list[psutil.Process]:
    return [psutil.Process(pid) for pid in (load.pid, *load.pids.values())]


def gone(process: psutil.Process) -> bool:
    """Ended; a zombie where nobody reaps orphans."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


@pytest.fixture(scope="module")
def shared(starter: Starter) -> tuple[LoadProcess, int]:
    """Three workers that shared 200 Poisson arrivals a second, and when their schedule began."""
    load = starter.start(starter.plan(OPEN, rate_per_s=200, spacing=Spacing.POISSON, seed=7, workers=3))
    began_ns = load.wait_started(START_TIMEOUT_S)
    wait_for_rows(load, 400)
    processes = processes_of(load)
    assert load.stop()
    assert all(map(gone, processes))
    return load, began_ns


def complete(load: LoadProcess) -> pa.Table:
    """The rows up to the moment at which the first worker was told to stop."""
    rows = rows_of(load)
    until_ns = min(of_worker(rows, name)["scheduled_ns"].to_numpy()[-1] for name in NAMES)
    return rows.filter(pc.less_equal(rows["scheduled_ns"], until_ns))


def test_several_workers_send_one_schedule_each_arrival_once(shared: tuple[LoadProcess, int]) -> None:
    """To the nanosecond: they share a clock."""
    load, began_ns = shared
    scheduled = complete(load)["scheduled_ns"].to_numpy()
    assert scheduled.size > 300
    due = islice(due_times_ns(RateCurve.constant(200), Spacing.POISSON, "7:Open"), scheduled.size)
    assert (scheduled - began_ns).tolist() == list(due)


def test_each_worker_sends_every_third(shared: tuple[LoadProcess, int]) -> None:
    workers = complete(shared[0])["worker"].to_pylist()
    assert set(workers[:3]) == set(NAMES)
    parts = {workers[index]: Part(index, 3) for index in range(3)}
    assert all(parts[name].holds(number) for number, name in enumerate(workers))


def test_which_task_an_arrival_runs_does_not_depend_on_the_number_of_workers(shared: tuple[LoadProcess, int]) -> None:
    chooser = random.Random("tasks:7:Open")
    endpoints = complete(shared[0])["endpoint"].to_pylist()
    assert endpoints == chooser.choices(["/read"] * 3 + ["/write"], k=len(endpoints))


def test_they_end_in_order_with_every_arrival_answered(shared: tuple[LoadProcess, int], target: Target) -> None:
    rows = rows_of(shared[0])
    assert shared[0].poll() == 0
    assert pc.all(rows["ok"]).as_py()
    assert target.hits["GET /read"] + target.hits["POST /write"] == rows.num_rows


def test_workers_of_one_machine_share_its_clock(shared: tuple[LoadProcess, int]) -> None:
    assert [(w.name, w.clock_offset_ns, w.clock_uncertainty_ns) for w in shared[0].workers()] == [
        (name, 0, 0) for name in NAMES
    ]


def test_a_killed_worker_is_told_once_and_the_others_lose_nothing(starter: Starter) -> None:
    load = starter.start(starter.plan(OPEN, rate_per_s=75, workers=3))
    load.wait_started(START_TIMEOUT_S)
    wait_for_rows(load, 75)
    assert load.newly_lost() == []
    os.kill(load.pids["load-1"], signal.SIGKILL)
    told: list[LostWorker] = []
    wait_until(lambda: told.extend(load.newly_lost()) or told, 10)
    killed_at = rows_of(load).num_rows
    wait_for_rows(load, killed_at + 120)
    assert load.newly_lost() == []
    assert load.poll() is None
    assert load.stop()
    assert load.newly_lost() == [], "that the others ended was asked for"
    assert [lost.name for lost in told] == ["load-1"]
    assert told[0].error.startswith("exit code -9: ")
    rows = rows_of(load)
    for name in ("load-0", "load-2"):
        scheduled = of_worker(rows, name)["scheduled_ns"].to_numpy()
        assert set(np.diff(scheduled)) == {3 * 1_000_000_000 // 75}, "every third arrival, from the first to the last"


def test_without_any_worker_the_load_has_ended(starter: Starter) -> None:
    load = starter.start(starter.plan(OPEN, rate_per_s=50, workers=2))
    load.wait_started(START_TIMEOUT_S)
    for pid in load.pids.values():
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: load.poll() is not None, 10)
    assert load.poll() == -signal.SIGKILL
    load.stop(5)
    assert all(map(gone, [psutil.Process(load.pid)] if psutil.pid_exists(load.pid) else []))


def test_without_its_master_the_load_has_ended_and_its_workers_are_stopped_in_order(starter: Starter) -> None:
    load = starter.start(starter.plan(OPEN, rate_per_s=50, workers=2))
    load.wait_started(START_TIMEOUT_S)
    wait_for_rows(load, 20)
    workers = [psutil.Process(pid) for pid in load.pids.values()]
    os.kill(load.pid, signal.SIGKILL)
    wait_until(lambda: load.poll() is not None, 10)
    assert load.poll() == -signal.SIGKILL
    assert not load.stop(), "it did not end by itself"
    assert all(map(gone, workers))
    assert pc.all(rows_of(load)["ok"]).as_py()


def test_all_processes_die_with_their_harness(starter: Starter) -> None:
    plan = starter.plan(OPEN, rate_per_s=50, workers=2)
    script = f"""
from bundle.clock import Anchor
from gameday.load.arrivals import Spacing
from gameday.load.process import LoadPlan, LoadProcess
from gameday.load.schedule import Asked
from pathlib import PosixPath
load = LoadProcess({plan!r})
load.wait_started({START_TIMEOUT_S})
print(load.pid, *load.pids.values(), flush=True)
input()
"""
    harness = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with harness:
        assert harness.stdout is not None
        processes = [psutil.Process(int(pid)) for pid in harness.stdout.readline().split()]
        assert len(processes) == 3
        os.kill(harness.pid, signal.SIGKILL)
        harness.wait()
    wait_until(lambda: all(map(gone, processes)), timeout_s=3)


def test_a_closed_loop_profile_is_spread_as_locust_does(starter: Starter) -> None:
    load = starter.start(starter.plan(CLOSED, workers=2))
    load.wait_started(START_TIMEOUT_S)
    wait_for_rows(load, 20)
    assert load.stop()
    rows = rows_of(load)
    assert rows["scheduled_ns"].to_pylist() == rows["start_ns"].to_pylist()


@pytest.mark.parametrize(
    ("profile", "options", "code", "says"),
    [
        (MIXED, ["--master"], 2, "ArrivalUsers and other users in one file cannot share a load"),
        (OPEN, ["--master", "--expect-workers-max-wait", "1"], 1, "0 of 1 workers were ready after 1 s"),
        (OPEN, ["--master", "--gameday-relay", "127.0.0.1:1"], 2, "GAMEDAY_LOAD_TOKEN is not set"),
        (OPEN, ["--gameday-forward"], 2, "--gameday-forward sends the record of a --worker"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path: Path, profile: str, options: list[str], code: int, says: str) -> None:
    (tmp_path / "profile.py").write_text(profile)
    command = [sys.executable, "-m", "locust", "-f", str(tmp_path / "profile.py"), "--headless", *options]
    command += ["--master-bind-host", "127.0.0.1", "--master-bind-port", "0", "-H", "http://127.0.0.1:1"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
