"""A harness, and a load that runs elsewhere: real processes on another address, with clocks that are wrong."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from bundle.clock import Anchor
from bundle.table import iter_table, read_stream
from gameday.load.errors import LoadFailed
from gameday.load.remote import RemoteLoad
from gameday.load.running import LostWorker
from tests.gameday.load.pods import Pods, run
from tests.gameday.load.target import Target

pytestmark = pytest.mark.timeout(240)

S = 1_000_000_000
RATE = 60
PROFILE = """
import os
from common import BY
from locust import task
from gameday.load.user import ArrivalUser
class Open(ArrivalUser):
    @task
    def read(self): self.client.get(BY + os.environ["GAMEDAY_WORKER"])
"""
SKEWS_S = {"load-0": 1.7, "load-1": 0.0}
IN_A_DAY = ["unshare", "--user", "--map-root-user", "--time", "--monotonic", "86400"]
"""A command whose monotonic clock is a day ahead."""


def time_namespaces() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*IN_A_DAY, "true"], capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def pods(target: Target, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pods]:
    """A master whose clock is 0.9 s behind, a worker 1.7 s ahead, and one whose wall clock is right but whose
    monotonic clock, where the machine allows it, is another one altogether."""
    folder = tmp_path_factory.mktemp("pods")
    (folder / "profile.py").write_text(PROFILE)
    (folder / "common.py").write_text('BY = "/by/"\n')
    pods = Pods(folder, folder / "profile.py", target.url, Anchor.take())
    pods.start_master(workers=2, skew_s=-0.9)
    pods.start_worker("load-0", SKEWS_S["load-0"])
    pods.start_worker("load-1", None, IN_A_DAY if time_namespaces() else [])
    try:
        pods.wait_listening()
        yield pods
    finally:
        pods.close()


def wait_until(true: Callable[[], object], timeout_s: float = 30) -> None:
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def wait_quiet(target: Target, within_s: float) -> None:
    """Until nothing was asked for during a second, in which the load would send 60."""
    deadline = time.monotonic() + within_s
    while True:
        before = target.hits.total()
        time.sleep(1)
        if target.hits.total() == before:
            return
        assert time.monotonic() < deadline, "load is still being sent"


def rows_of(load: RemoteLoad) -> pa.Table:
    return pa.Table.from_batches(iter_table(load.plan.bundle, "requests")).sort_by("scheduled_ns")


def of_worker(rows: pa.Table, name: str) -> pa.Table:
    return rows.filter(pc.equal(pc.cast(rows["worker"], pa.string()), name))


def wait_for_rows(load: RemoteLoad, count: int) -> None:
    def enough() -> bool:
        assert load.poll() is None, load.failure("it ended")
        return sum(batch.num_rows for batch in iter_table(load.plan.bundle, "requests")) >= count

    wait_until(enough)


def test_workers_elsewhere_share_one_schedule_and_their_clocks_are_known(pods: Pods, target: Target) -> None:
    load, began_ns = run(pods.plan(rate_per_s=RATE))
    wait_for_rows(load, 120)
    assert load.stop()
    rows, workers = rows_of(load), {worker.name: worker for worker in load.workers()}
    assert set(workers) == set(SKEWS_S)
    for name in SKEWS_S:
        offset_ns, uncertainty_ns = workers[name].clock_offset_ns, workers[name].clock_uncertainty_ns
        assert abs(offset_ns) <= uncertainty_ns, "it was set back when the load began, and has hardly drifted since"
        assert uncertainty_ns < S / 10, "of use"
        own = of_worker(rows, name)
        scheduled, start = own["scheduled_ns"].to_numpy(), np.sort(own["start_ns"].to_numpy())
        assert set(np.diff(scheduled)) <= {2 * S // RATE, 2 * S // RATE + 1}, "every second arrival of the schedule"
        assert scheduled[0] == pytest.approx(began_ns, abs=2 * S // RATE)
        end = np.sort(scheduled + own["latency_ns"].to_numpy())
        seen = np.array([load.plan.anchor.utc_ns(at_ns) for at_ns in target.times_ns[f"/by/{name}"]])
        assert (start - offset_ns - uncertainty_ns <= seen).all(), "by the clock of the server, which is the bundle's"
        assert (seen <= end - offset_ns + uncertainty_ns).all()
    assert rows.num_rows == target.hits.total()
    assert pc.all(rows["ok"]).as_py()


def test_the_streams_are_those_of_the_workers_to_the_last_byte(pods: Pods) -> None:
    load, _ = run(pods.plan(rate_per_s=RATE))
    wait_for_rows(load, 30)
    assert load.stop()
    for table in ("requests", "samples"):
        for name in SKEWS_S:
            stream = load.plan.bundle / table / f"{name}.arrows"
            assert sum(batch.num_rows for batch in read_stream(stream)) > 0
            assert stream.read_bytes() == (pods.folder / f"spool-{name}" / table / stream.name).read_bytes()


@pytest.mark.usefixtures("pods")
def test_nothing_is_sent_before_a_harness_asks_for_it(target: Target) -> None:
    before = target.hits.total()
    time.sleep(0.5)
    assert target.hits.total() == before


def test_a_wrong_token_is_refused_in_one_line(pods: Pods) -> None:
    with pytest.raises(LoadFailed, match=r"the load did not begin: the token is not the one of this load; ") as refused:
        run(pods.plan(rate_per_s=RATE, token="a guess"))
    assert "a guess" not in str(refused.value)


def test_another_profile_than_the_one_that_lies_there_is_refused(pods: Pods) -> None:
    other = pods.profile.with_name("other.py")
    other.write_text(PROFILE + "\n# and one line more\n")
    with pytest.raises(LoadFailed, match="the load profile there, or what it imports, is another one than yours"):
        run(pods.plan(rate_per_s=RATE, profile=other))


def test_so_is_one_that_imports_another_file_than_lies_there(pods: Pods) -> None:
    other = pods.profile.with_name("other_common.py")
    other.write_text('BY = "/other/"')
    with pytest.raises(LoadFailed, match="the load profile there, or what it imports, is another one than yours"):
        run(pods.plan(rate_per_s=RATE, common=other))


def test_two_harnesses_cannot_have_the_same_load(pods: Pods) -> None:
    load, _ = run(pods.plan(rate_per_s=RATE))
    with pytest.raises(LoadFailed, match="another harness uses this load"):
        run(pods.plan(rate_per_s=RATE))
    assert load.poll() is None
    assert load.stop()


def test_a_killed_harness_ends_the_load_within_seconds(pods: Pods, target: Target) -> None:
    plan = pods.plan(rate_per_s=RATE)
    script = f"""
from pathlib import PosixPath
from bundle.clock import Anchor
from gameday.load.remote import LoadAddress, RemoteLoad, RemotePlan
from gameday.load.schedule import Asked
at = LoadAddress({plan.at.host!r}, {plan.at.port}, {plan.at.token!r})
plan = RemotePlan(at, {plan.profile_sha256!r}, {plan.host!r}, {plan.bundle!r}, {plan.anchor!r}, 60, {plan.asked!r}, 0)
load = RemoteLoad(plan)
load.wait_started(60)
print("started", flush=True)
input()
"""
    harness = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with harness:
        assert harness.stdout is not None
        assert harness.stdout.readline() == "started\n", pods.logs()
        before = target.hits.total()
        wait_until(lambda: target.hits.total() > before + 20)
        os.kill(harness.pid, signal.SIGKILL)
        harness.wait()
    wait_quiet(target, within_s=4)


def test_a_killed_worker_is_told_once_and_the_others_go_on(pods: Pods) -> None:
    load, _ = run(pods.plan(rate_per_s=RATE))
    wait_for_rows(load, 60)
    pods.kill("load-1")
    told: list[LostWorker] = []
    wait_until(lambda: told.extend(load.newly_lost()) or told)
    wait_for_rows(load, rows_of(load).num_rows + 30)
    assert load.newly_lost() == []
    assert load.stop()
    assert [lost.name for lost in told] == ["load-1"]
    kept = of_worker(rows_of(load), "load-0")
    assert set(np.diff(kept["scheduled_ns"].to_numpy())) <= {2 * S // RATE, 2 * S // RATE + 1}
    pods.start_worker("load-1", 0.0)


def test_a_killed_master_is_told_and_its_workers_stop_by_themselves(pods: Pods, target: Target) -> None:
    """The last test of these pods. Workers give a master 10 s that says nothing, as they look once a second."""
    load, _ = run(pods.plan(rate_per_s=RATE))
    wait_for_rows(load, 60)
    pods.kill("master")
    wait_until(lambda: load.poll() is not None, 5)
    assert "the connection broke" in load.failure("the load ended").line() or "reset" in load.failure("").line()
    assert not load.stop()
    wait_quiet(target, within_s=10 + 1 + 4)


def test_pods_that_are_told_to_end_do_so_in_order(pods: Pods) -> None:
    assert pods.close() == {"load-0": 0, "load-1": 0}
