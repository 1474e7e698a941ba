"""The network delay on a whole sandbox: how true it is, and what is left of it whatever happens to the drill."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bundle.reader import Bundle
from bundle.timeline import Entry, read_timeline
from gameday.observe.asking import Direct
from gameday.observe.polling import replicas_of
from tests.e2e.inventory import clusters_of
from tests.e2e.sandbox import REPOSITORY, STEADY, Sandbox, verdict_of
from tests.e2e.test_drill import QUICK

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

DELAY = REPOSITORY / "experiments" / "network-delay.yaml"
NAME = "gameday-network-delay"
COLLECTION = "/apis/chaos-mesh.org/v1alpha1/namespaces/tars/networkchaos"
WITHIN_MS = 5


def lasting(where: Sandbox, duration: str) -> Sandbox:
    """The same sandbox, whose delays last so long."""
    return Sandbox(where.state, {**where.environment, "GAMEDAY_DELAY_DURATION": duration})


def words(runs: Path) -> tuple[str, ...]:
    """The drill's command line."""
    return ("run", str(DELAY), "--load", str(STEADY), "--context", "us-east-1", "--runs", str(runs), *QUICK)


def chaos_left(where: Sandbox) -> list[str]:
    """The NetworkChaos that are there."""
    items = clusters_of(where)[0].get(COLLECTION)["items"]
    return [item["metadata"]["name"] for item in items]


def delay_s(where: Sandbox) -> float:
    """How long the slowest pod of us-east-1 takes to answer, at the best of three times."""
    pods = clusters_of(where)[0].list("pods")["items"]
    agents = replicas_of(pods, "us-east-1", "orchestration-agent")
    assert len(agents) == 3
    return max(min(answer_s(Direct(agent.address, 8094)) for _ in range(3)) for agent in agents)


def answer_s(pod: Direct) -> float:
    """How long a pod takes to answer, once."""
    began_s = time.monotonic()
    assert pod.get("/health")[0] == 200
    pod.close()
    return time.monotonic() - began_s


@contextmanager
def delayed_drill(where: Sandbox, runs: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A drill whose delay is on, and its bundle."""
    drill = subprocess.Popen(
        where.gameday(*words(runs)),
        cwd=REPOSITORY,
        env=where.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline_s = time.monotonic() + 120
        while not (begun := [p.parent for p in runs.glob("*/timeline.jsonl") if "begin" in happened(p.parent)]):
            assert drill.poll() is None, "the drill ended before"
            assert time.monotonic() < deadline_s, "the delay never began"
            time.sleep(0.1)
        yield drill, begun[0]
    finally:
        drill.kill()
        drill.wait()


def faults(root: Path) -> list[Entry]:
    """What the timeline says of the fault."""
    return [entry for entry in read_timeline(root / "timeline.jsonl")[0] if entry.kind == "fault"]


def happened(root: Path) -> list[str]:
    """The events of the fault."""
    return [fault.event for fault in faults(root)]


def test_the_measured_delay_is_the_one_asked_for(hardened: Sandbox, tmp_path: Path) -> None:
    done = lasting(hardened, "10s").run(*words(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    verdict = verdict_of(tmp_path)
    assert all(check["ok"] for check in verdict["validity"])
    root = tmp_path / "latest"
    begin, end = (entry for entry in faults(root) if entry.event in ("begin", "end"))
    (pod,) = json.loads(str(begin.attributes["output"]))
    trips_ms: dict[str, list[float]] = {}
    for batch in Bundle.open(root).samples():
        for t_ns, series, source, value in zip(*(batch.column(i).to_pylist() for i in range(4)), strict=True):
            asked_ns = t_ns - value * 1e9
            if series == "pod.round_trip_s" and begin.latest_ns < asked_ns and t_ns < end.earliest_ns:
                trips_ms.setdefault(source, []).append(value * 1e3)
    medians = {source: statistics.median(each) for source, each in trips_ms.items()}
    late = medians.pop(f"us-east-1/{pod}")
    assert len(medians) == 2
    assert abs(late - statistics.median(medians.values()) - 100) <= WITHIN_MS
    # Chaos Mesh counts the duration from creationTimestamp, which is cut to whole seconds
    assert 8.8 <= (end.earliest_ns - begin.latest_ns) / 1e9 <= 10.2
    assert chaos_left(hardened) == []


def test_an_abort_ends_the_delay_at_once(hardened: Sandbox, tmp_path: Path) -> None:
    where = lasting(hardened, "10m")
    with delayed_drill(where, tmp_path) as (drill, root):
        assert delay_s(where) >= 0.1
        drill.send_signal(signal.SIGINT)
        assert drill.wait(60) == 5
    assert chaos_left(where) == []
    assert delay_s(where) < 0.1
    assert happened(root) == ["injecting", "begin", "end"]


def test_a_killed_drill_is_recovered(hardened: Sandbox, tmp_path: Path) -> None:
    where = lasting(hardened, "10m")
    with delayed_drill(where, tmp_path) as (drill, root):
        drill.kill()
        drill.wait()
        for pid in where.processes():  # before the experiment's own rollback can be run
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    assert chaos_left(where) == [NAME]
    assert delay_s(where) >= 0.1
    refused = where.run(*words(tmp_path))
    assert refused.returncode == 4
    recovered = where.run("recover", str(root))
    assert recovered.returncode == 0, recovered.stderr
    assert f"networkchaos tars/{NAME} in us-east-1 of this run is gone" in recovered.stdout
    assert chaos_left(where) == []
    assert delay_s(where) < 0.1


def test_a_resource_of_that_name_is_refused_before_anything_is_touched(hardened: Sandbox, tmp_path: Path) -> None:
    cluster = clusters_of(hardened)[0]
    spec = {
        "action": "delay",
        "mode": "one",
        "selector": {"labelSelectors": {"app": "nobody"}},
        "delay": {"latency": "1ms"},
    }
    body = {"apiVersion": "chaos-mesh.org/v1alpha1", "kind": "NetworkChaos", "metadata": {"name": NAME}, "spec": spec}
    made = cluster._request(
        "POST", COLLECTION, timeout_s=10, body=json.dumps(body).encode(), content_type="application/json"
    )
    assert made.status == 201, made.data
    try:
        refused = hardened.run(*words(tmp_path))
        assert refused.returncode == 4
        (line,) = refused.stderr.strip().splitlines()
        assert f"there is a networkchaos {NAME} already" in line
        assert f"kubectl --context us-east-1 -n tars delete networkchaos {NAME}" in line
        assert not list(tmp_path.iterdir())
    finally:
        cluster.delete(f"{COLLECTION}/{NAME}", uid=json.loads(made.data)["metadata"]["uid"])
