"""The benchmark's server as a process: it must do what is planted, or the figures that rest on it mean nothing."""

from __future__ import annotations

import http.client
import os
import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks.load.machine import Cores
from benchmarks.load.planted import MS, Behaviour
from benchmarks.load.process import ServerProcess


def took_ms(port: int) -> float:
    """How long one request takes on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    before = time.monotonic()
    connection.request("GET", "/read")
    response = connection.getresponse()
    assert (response.status, response.read()) == (200, b"ok")
    connection.close()
    return (time.monotonic() - before) * 1000


def any_core() -> Cores:
    return Cores(generator=min(os.sched_getaffinity(0)), server=max(os.sched_getaffinity(0)))


def test_it_counts_its_requests_and_answers_none_before_its_time() -> None:
    behaviour = Behaviour(fastest_ns=30 * MS, slowest_ns=90 * MS)
    with ServerProcess(behaviour, any_core()) as server:
        port = server.read().port
        for number in range(3):
            assert took_ms(port) >= behaviour.service_ns(number) / MS
        assert server.read().requests == 3


def test_while_it_stalls_it_accepts_and_answers_at_the_end_of_the_stall() -> None:
    """It stalls from 0.2 to 1 s of every second; what is sent at 0.4 s is answered at 1 s and not before."""
    with ServerProcess(Behaviour(0, 1, 800 * MS, 1000 * MS), any_core()) as server:
        reading = server.read()
        into_period_ns = (reading.now_ns - reading.began_ns) % (1000 * MS)
        time.sleep((1400 * MS - into_period_ns) / 1e9)
        with ThreadPoolExecutor(8) as threads:
            before_ns = time.monotonic_ns()
            list(threads.map(took_ms, [reading.port] * 8))
            done_ns = time.monotonic_ns()
        begins_ns = server.behaviour.begins_ns(before_ns - reading.began_ns)
        assert done_ns - reading.began_ns >= begins_ns
