"""A real Locust against a real server. Each run costs seconds to start, so it is looked at from several sides."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from bundle.rates import RateCurve
from bundle.table import iter_table
from gameday.load.arrivals import Spacing, due_times_ns
from gameday.load.errors import LoadFailed
from gameday.load.process import LoadProcess
from tests.gameday.load.target import REGION, Target

if TYPE_CHECKING:
    from tests.gameday.load.conftest import Starter

START_TIMEOUT_S = 30
"""Locust's import alone takes a second of an idle core."""
S = 1_000_000_000

HEADER = "from locust import FastHttpUser, constant_throughput, task\nfrom gameday.load.user import ArrivalUser\n"
GOOD = (
    HEADER
    + """
class Good(ArrivalUser):
    @task(3)
    def read(self): self.client.get("/read")
    @task(1)
    def write(self): self.client.post("/write", json={})
"""
)
ODD = (
    HEADER
    + """
from itertools import count
numbers = count()
class Odd(ArrivalUser):
    rate = 150
    timeout_s = 0.4
    @task
    def twice(self):
        self.client.get("/first")
        self.client.get("/second")
    @task
    def broken(self): 1 / 0
    @task
    def refused(self): self.client.get("/status/503", name="/refused")
    @task
    def closed(self): self.client.get("/close")
    @task
    def late(self): self.client.get("/hang")
    @task
    def dribbled(self): self.client.get("/dribble")
    @task
    def streamed(self):
        with self.client.get("/stuck", stream=True, catch_response=True) as answer:
            list(answer.iter_content())
    @task
    def own_answer(self):
        path = f"/echo/{next(numbers)}"
        with self.client.get(path, name="/echo", catch_response=True) as answer:
            if answer.text != path:
                answer.failure("the answer to another request")
    @task
    def broken_check(self):
        with self.client.get("/checked", catch_response=True):
            raise ValueError
"""
)
SHY = (
    HEADER
    + """
class Shy(ArrivalUser):
    timeout_s = 0.2
    max_inflight = 1
    turns = 0
    def on_start(self): self.client.get("/hang", name="/start")
    @task
    def by_turns(self):
        self.turns += 1
        self.client.get("/hang" if self.turns % 2 else f"/echo/{self.turns}", name="hang" if self.turns % 2 else "echo")
        self.client.get("/after")
"""
)
HANGING = (
    HEADER
    + """
class Hanging(ArrivalUser):
    max_inflight = 5
    @task
    def hang(self): self.client.get("/hang")
"""
)
MADE_ONCE = """
    made = []
    def __init__(self, environment):
        super().__init__(environment)
        self.made.append(1 / (1 - len(self.made)))
"""
DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(60)
"""
CLOSED = (
    HEADER
    + """
class Closed(FastHttpUser):
    wait_time = constant_throughput(50)
    @task
    def get(self): self.client.get("/closed")
"""
)


def rows_of(load: LoadProcess) -> pa.Table:
    """The request rows that a load recorded, in order of their due time."""
    return pa.Table.from_batches(iter_table(load.plan.bundle, "requests")).sort_by("scheduled_ns")


def samples_of(load: LoadProcess) -> dict[str, list[float]]:
    """The recorded readings of each series."""
    series: dict[str, list[float]] = {}
    for batch in iter_table(load.plan.bundle, "samples"):
        for row in batch.to_pylist():
            series.setdefault(row["series"], []).append(row["value"])
    return series


def wait_until(true: Callable[[], object], timeout_s: float = START_TIMEOUT_S) -> None:
    """Poll what another process writes to disk."""
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def wait_for_rows(load: LoadProcess, count: int, error: str = "") -> None:
    """Wait until so many rows whose error starts with `error` can be read."""

    def enough() -> bool:
        assert load.poll() is None, load.last_words()
        batches = list(iter_table(load.plan.bundle, "requests"))
        return sum(text.startswith(error) for batch in batches for text in batch["error"].to_pylist()) >= count

    wait_until(enough)


def only(rows: pa.Table, **values: Any) -> pa.Table:
    """The rows whose columns have these values."""
    for column, value in values.items():
        rows = rows.filter(pc.equal(pc.cast(rows[column], pa.string()), value))
    return rows


@dataclass(frozen=True)
class Run:
    """A load that has run, what it recorded, and the harness's clock around it."""

    load: LoadProcess
    rows: pa.Table
    stopped_by_itself: bool
    before_ns: int
    after_ns: int


@pytest.fixture(scope="module")
def good(starter: Starter) -> Run:
    """300 arrivals, more or less, of a healthy server at 200/s, Poisson, seed 7."""
    plan = starter.plan(GOOD, rate_per_s=200, spacing=Spacing.POISSON, seed=7)
    before_ns = plan.anchor.now_ns()
    load = starter.start(plan)
    load.wait_started(START_TIMEOUT_S)
    wait_for_rows(load, 300)
    stopped = load.stop()
    return Run(load, rows_of(load), stopped, before_ns, plan.anchor.now_ns())


@pytest.fixture(scope="module")
def odd(starter: Starter) -> Run:
    """A profile in which most things go wrong."""
    plan = starter.plan(ODD)
    before_ns = plan.anchor.now_ns()
    load = starter.start(plan)
    wait_for_rows(load, 300)
    stopped = load.stop()
    return Run(load, rows_of(load), stopped, before_ns, plan.anchor.now_ns())


def test_arrivals_are_due_exactly_when_the_seeded_schedule_says(good: Run) -> None:
    due = list(islice(due_times_ns(RateCurve.constant(200), Spacing.POISSON, "7:Good"), good.rows.num_rows))
    scheduled = good.rows["scheduled_ns"].to_numpy()
    assert (scheduled - scheduled[0]).tolist() == [at - due[0] for at in due]


def test_the_load_ends_in_order_with_its_code_and_every_arrival_answered(good: Run) -> None:
    assert good.stopped_by_itself
    assert good.load.poll() == 0
    assert pc.all(good.rows["ok"]).as_py()


def test_latency_counts_from_the_due_time_on_the_clock_of_the_bundle(good: Run) -> None:
    scheduled, start = good.rows["scheduled_ns"].to_numpy(), good.rows["start_ns"].to_numpy()
    end = scheduled + good.rows["latency_ns"].to_numpy()
    assert good.before_ns < scheduled[0]
    assert (scheduled <= start).all()
    assert (start < end).all()
    assert end.max() < good.after_ns


def test_each_row_is_one_request_that_the_server_saw(good: Run, target: Target) -> None:
    for method, path in (("GET", "/read"), ("POST", "/write")):
        rows = only(good.rows, endpoint=path)
        assert rows.num_rows == target.hits[f"{method} {path}"]
        assert set(rows["bytes"].to_pylist()) == {len(path)}
    assert set(good.rows["region"].to_pylist()) == {REGION}
    assert set(good.rows["worker"].to_pylist()) == {"load-0"}
    assert set(good.rows["status"].to_pylist()) == {200}


def test_tasks_are_chosen_by_weight(good: Run) -> None:
    """Three to one; four standard deviations of 300 draws are 10 points, and the draw is seeded."""
    assert only(good.rows, endpoint="/read").num_rows / good.rows.num_rows == pytest.approx(0.75, abs=0.1)


def test_the_generator_samples_itself(good: Run) -> None:
    samples = samples_of(good.load)
    series = ("began", "lag_s", "cpu_share", "due", "sent", "inflight", "rows")
    assert set(samples) == {f"load.{name}" for name in series}
    assert samples["load.rows"] == [good.rows.num_rows]
    assert samples["load.due"] == sorted(samples["load.due"])
    assert 0 < samples["load.sent"][-1] <= samples["load.due"][-1] <= good.rows.num_rows


def test_a_second_request_of_a_task_is_a_row_that_was_due_when_it_started(odd: Run) -> None:
    second = only(odd.rows, endpoint="/second")
    assert 0 < second.num_rows <= only(odd.rows, endpoint="/first").num_rows
    assert second["scheduled_ns"].to_pylist() == second["start_ns"].to_pylist()


def test_every_arrival_has_its_row_whatever_its_task_did(odd: Run) -> None:
    first = odd.rows.filter(pc.not_equal(pc.cast(odd.rows["endpoint"], pa.string()), "/second"))
    due = islice(due_times_ns(RateCurve.constant(150), Spacing.UNIFORM, "0:Odd"), first.num_rows)
    scheduled = first["scheduled_ns"].to_numpy()
    assert (scheduled - scheduled[0]).tolist() == list(due)


@pytest.mark.parametrize(
    ("endpoint", "error", "status", "sent"),
    [
        ("broken", "unsent: the task raised ZeroDivisionError", 0, False),
        ("/refused", "HTTP 503", 503, True),
        ("/close", "connection closed", 0, True),
        ("/hang", "timeout", 0, True),
        ("/dribble", "timeout", 200, True),
        ("streamed", "abandoned: the task raised TimeoutError", 0, True),
        ("/echo", "", 200, True),
        ("broken_check", "abandoned: the task raised ValueError", 0, True),
    ],
)
def test_a_row_says_what_became_of_its_request(odd: Run, endpoint: str, error: str, status: int, sent: bool) -> None:
    rows = only(odd.rows, endpoint=endpoint)
    assert rows.num_rows > 0
    assert set(zip(*(rows[column].to_pylist() for column in ("error", "status", "ok")), strict=True)) == {
        (error, status, not error)
    }
    assert {start is not None for start in rows["start_ns"].to_pylist()} == {sent}
    assert {latency is not None for latency in rows["latency_ns"].to_pylist()} == {sent}


def test_a_request_that_the_server_broke_off_is_not_sent_again_behind_our_back(odd: Run, target: Target) -> None:
    """geventhttpclient by itself sends a GET up to three times."""
    assert target.hits["GET /close"] == only(odd.rows, endpoint="/close").num_rows


@pytest.mark.parametrize("endpoint", ["/hang", "/dribble"])
def test_a_time_out_comes_at_its_time(odd: Run, endpoint: str) -> None:
    """Not before it; and on a machine that is late by as much again at the median there is nothing to measure."""
    rows = only(odd.rows, endpoint=endpoint)
    took_s = (rows["latency_ns"].to_numpy() - (rows["start_ns"].to_numpy() - rows["scheduled_ns"].to_numpy())) / S
    assert took_s.min() >= 0.4
    assert np.median(took_s) < 0.8


def test_a_slot_that_timed_out_serves_the_next_arrival_unharmed(starter: Starter) -> None:
    """There is one slot. Its start hangs, then every other first request; whatever comes after one is answered."""
    load = starter.start(starter.plan(SHY, rate_per_s=2))
    wait_for_rows(load, 15)
    assert load.stop()
    rows = rows_of(load)
    assert only(rows, endpoint="/start")["error"].to_pylist() == ["timeout"]
    assert set(only(rows, endpoint="hang")["error"].to_pylist()) == {"timeout"}
    for endpoint in ("echo", "/after"):
        assert only(rows, endpoint=endpoint).num_rows > 1
        assert set(only(rows, endpoint=endpoint)["error"].to_pylist()) == {""}


def test_when_nothing_answers_arrivals_go_on_and_the_unsent_ones_are_rows(starter: Starter) -> None:
    """Five hang, the limit; 20 more come due; then the load is stopped and gives the five its grace and no more."""
    load = starter.start(starter.plan(HANGING, rate_per_s=50, grace_s=1))
    wait_for_rows(load, 20, "unsent")
    before = time.monotonic()
    assert load.stop()
    assert time.monotonic() - before < 1 + 2
    rows = rows_of(load)
    assert rows["error"].to_pylist() == (
        ["abandoned: the load was stopped"] * 5 + ["unsent: 5 arrivals were in flight, the limit"] * (rows.num_rows - 5)
    )
    assert set(np.diff(rows["scheduled_ns"].to_numpy())) == {S // 50}
    assert (rows["latency_ns"].to_numpy()[:5] > 1 * S).all()


def test_a_closed_loop_file_is_recorded_as_it_is(starter: Starter) -> None:
    load = starter.start(starter.plan(CLOSED))
    wait_for_rows(load, 20)
    assert load.stop()
    rows = rows_of(load)
    assert rows["scheduled_ns"].to_pylist() == rows["start_ns"].to_pylist()
    assert set(rows["endpoint"].to_pylist()) == {"/closed"}
    assert set(samples_of(load)) <= {"load.lag_s", "load.cpu_share", "load.rows"}
    assert samples_of(load)["load.rows"] == [rows.num_rows]


def test_at_rate_zero_the_load_runs_and_sends_nothing(starter: Starter) -> None:
    load = starter.start(starter.plan(GOOD, rate_per_s=0))
    load.wait_started(START_TIMEOUT_S)
    wait_until(lambda: "load.due" in samples_of(load))
    assert load.poll() is None
    assert load.stop()
    assert list(iter_table(load.plan.bundle, "requests")) == []
    assert set(samples_of(load)["load.due"]) == {0}


def test_a_profile_that_raises_at_import_is_told_with_the_end_of_the_log(starter: Starter) -> None:
    load = starter.start(starter.plan("import nowhere_to_be_found"))
    with pytest.raises(LoadFailed, match=r"before it sent anything: .*ModuleNotFoundError: .*'nowhere_to_be_found'"):
        load.wait_started(START_TIMEOUT_S)
    assert load.stop()


def test_a_profile_whose_users_cannot_be_made_ends_the_load(starter: Starter) -> None:
    """The first object is Locust's own, the second is ours."""
    load = starter.start(starter.plan(GOOD + MADE_ONCE))
    wait_until(lambda: load.poll() is not None)
    assert load.last_words().endswith("Good cannot go on: ZeroDivisionError: division by zero")


def test_a_load_that_takes_too_long_to_start_is_given_up_and_killed_where_it_does_not_listen(starter: Starter) -> None:
    load = starter.start(starter.plan(DEAF))
    wait_until(lambda: load.last_words() == "deaf")
    with pytest.raises(LoadFailed, match=r"sent nothing within 0 s: deaf; see .*locust\.log"):
        load.wait_started(0)
    assert not load.stop(0.1)
    assert load.poll() == -signal.SIGKILL


def test_when_the_disk_is_full_the_load_ends_and_says_why(starter: Starter) -> None:
    plan = starter.plan(GOOD, rate_per_s=50)
    (plan.bundle / "requests").mkdir(parents=True)
    (plan.bundle / "requests" / "load-0.arrows").symlink_to("/dev/full")
    load = starter.start(plan)
    wait_until(lambda: load.poll() is not None)
    assert "the bundle cannot be written, so the load ends: [Errno 28] No space left on device" in load.last_words()


def test_a_bundle_that_cannot_be_written_at_all_ends_the_load_at_once(starter: Starter) -> None:
    plan = starter.plan(GOOD)
    plan.bundle.mkdir()
    (plan.bundle / "requests").write_text("a file is in the way")
    with pytest.raises(LoadFailed, match=r"ended with code 2 before it sent anything: .*the bundle cannot be written"):
        starter.start(plan).wait_started(START_TIMEOUT_S)


def test_a_load_dies_with_its_harness(starter: Starter) -> None:
    """The harness is killed with no chance to clean up; 0.2 s later its load should be gone, the rest is for a busy
    machine. It may be a zombie where nobody reaps orphans."""
    plan = starter.plan(GOOD, rate_per_s=50)
    harness = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"""
from bundle.clock import Anchor
from gameday.load.arrivals import Spacing
from gameday.load.process import LoadPlan, LoadProcess
from gameday.load.schedule import Asked
from pathlib import PosixPath
load = LoadProcess({plan!r})
load.wait_started({START_TIMEOUT_S})
print(load.pid, flush=True)
input()
""",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with harness:
        assert harness.stdout is not None
        load = psutil.Process(int(harness.stdout.readline()))
        os.kill(harness.pid, signal.SIGKILL)
        harness.wait()
    wait_until(lambda: not load.is_running() or load.status() == psutil.STATUS_ZOMBIE, timeout_s=3)


def test_nothing_but_the_plan_says_what_is_sent(
    starter: Starter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record states the plan's rate: variables and configuration files must not send another one."""
    monkeypatch.setenv("GAMEDAY_RATE", "500")
    monkeypatch.setenv("GAMEDAY_PART", "0/2")
    monkeypatch.setenv("LOCUST_TAGS", "none")
    (tmp_path / "locust.conf").write_text("rate = 400\n")
    monkeypatch.chdir(tmp_path)
    load = starter.start(starter.plan(GOOD, rate_per_s=50))
    load.wait_started(START_TIMEOUT_S)
    wait_for_rows(load, 20)
    assert load.stop()
    assert set(np.diff(np.sort(rows_of(load)["scheduled_ns"].to_numpy()))) == {S // 50}


def test_whoever_gives_up_waiting_is_not_kept(starter: Starter) -> None:
    load = starter.start(starter.plan(GOOD))
    assert load.wait_started(START_TIMEOUT_S, lambda _: True) is None
    load.stop(5)
