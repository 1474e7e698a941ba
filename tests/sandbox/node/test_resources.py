from __future__ import annotations

import os
import subprocess
import sys

from sandbox.node.resources import Consumer, Consumption, by_session, exposition, of_machine

BURN = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass\n"
"""Uses 0.3 s of CPU time."""
HOLDING = "import sys; print('done', flush=True); sys.stdin.read()"


def test_a_container_uses_what_its_process_and_its_children_use_also_those_that_ended() -> None:
    ended = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BURN!r}])\n"
    running = f"subprocess.Popen([sys.executable, '-c', {BURN + HOLDING!r}])\n"
    with subprocess.Popen(
        [sys.executable, "-c", ended + running + "sys.stdin.read()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        used = by_session([process.pid])[process.pid]
        process.communicate()
    assert 0.58 < used.cpu_s < 5  # twice 0.3 s, counted in hundredths, and the starts of three interpreters
    assert used.memory_bytes > 2**20


def test_a_process_of_another_session_does_not_count() -> None:
    assert by_session([1_000_000_000]) == {1_000_000_000: Consumption()}
    assert by_session([os.getsid(0)])[os.getsid(0)].memory_bytes > 0


def test_the_machine_uses_cpu_and_memory() -> None:
    before = of_machine()
    assert before.cpu_s > 0
    assert before.memory_bytes > 0
    assert of_machine().cpu_s >= before.cpu_s


def test_the_text_is_that_of_a_kubelet() -> None:
    consumer = Consumer("tars", "web-1", "app", 7, 1_800_000_000_250_000_000)
    used = {7: Consumption(1.25, 4096)}
    text = exposition([consumer], used, Consumption(90.5, 2**30), 1_800_000_030_000_000_000)
    assert [line for line in text.splitlines() if not line.startswith("#")] == [
        'container_cpu_usage_seconds_total{container="app",namespace="tars",pod="web-1"} 1.25 1800000030000',
        'container_memory_working_set_bytes{container="app",namespace="tars",pod="web-1"} 4096 1800000030000',
        'container_start_time_seconds{container="app",namespace="tars",pod="web-1"} 1800000000.250000',
        "node_cpu_usage_seconds_total 90.5 1800000030000",
        "node_memory_working_set_bytes 1073741824 1800000030000",
        "scrape_error 0",
        "resource_scrape_error 0",
    ]
