"""A server that stalls for 3 s in every 10 s: what an open loop sees of it, what plain Locust sees, and the truth."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.load import openloop
from benchmarks.load.figure import Figure, Goal
from benchmarks.load.machine import Cores
from benchmarks.load.planted import MS, Behaviour, S
from benchmarks.load.process import Generator, ServerProcess, plain

STALLING = Behaviour(fastest_ns=20 * MS, slowest_ns=100 * MS, stall_ns=3 * S, period_ns=10 * S)
RATE_PER_S = 100
BAD_MS = 150.0
"""Slower than this is bad: than any request that the server takes up at once."""
QUANTILES = (0.5, 0.9, 0.95, 0.99)
CROWDS = ((10, 10), (100, 1))
"""Closed-loop users, and requests a second of each."""


def measure(cores: Cores, folder: Path, *, periods: int) -> list[Figure]:
    """The bad share and the latency quantiles of whole periods of the server, wherever in one they begin."""
    window_s = periods * STALLING.period_ns / S
    with ServerProcess(STALLING, cores) as server:
        began_ns = server.read().began_ns
        run = openloop.run(server, cores, folder, rate_per_s=RATE_PER_S, window_s=window_s)
    due_ns = run.began_ns + np.arange(run.due) * (S // RATE_PER_S)
    truth_ms = STALLING.latencies_ns(due_ns - began_ns) / MS
    seen_ms = run.latency_ns / MS
    bad, true_bad = bad_share(seen_ms, run.due), bad_share(truth_ms, run.due)
    closed = {
        f"plain_{users}_users_percent": 100 * bad_share(times_ms, len(times_ms))
        for (users, _), times_ms in zip(CROWDS, closed_loops(cores, folder, window_s), strict=True)
    }
    quantiles = {
        f"{name}_p{100 * share:g}_ms": float(np.quantile(values, share))
        for share in QUANTILES
        for name, values in (("seen", seen_ms), ("true", truth_ms))
    }
    return [
        Figure(
            "stalling server, bad share, seen - true",
            100 * abs(bad - true_bad),
            "percentage points",
            Goal(at_most=1.0),
            {"seen_percent": 100 * bad, "true_percent": 100 * true_bad} | closed,
        ),
        Figure(
            "stalling server, worst quantile, seen / true - 1",
            100 * float(np.max(np.abs(np.quantile(seen_ms, QUANTILES) / np.quantile(truth_ms, QUANTILES) - 1))),
            "%",
            Goal(at_most=2.0),
            quantiles | {"waited_for_core_share": run.usage.waited_s / window_s},
        ),
    ]


def bad_share(latencies_ms: NDArray[np.float64], due: int) -> float:
    """The share of arrivals that were slow, or not answered at all."""
    return 1 - float(np.count_nonzero(latencies_ms <= BAD_MS)) / due


def closed_loops(cores: Cores, folder: Path, window_s: float) -> list[NDArray[np.float64]]:
    """The response times in milliseconds that plain Locust has of each crowd, all at the same time, a server each.

    Raises BenchmarkFailed.
    """
    with contextlib.ExitStack() as stack:
        running = []
        for users, pace_per_s in CROWDS:
            server = stack.enter_context(ServerProcess(STALLING, cores))
            times = folder / f"closed-{users}.txt"
            run_time = ["--run-time", f"{window_s:.0f}s", "--users", str(users), "--spawn-rate", str(users)]
            generator = Generator(
                plain("paced", server.url, *run_time),
                cores,
                folder / f"closed-{users}.log",
                {"PACE_PER_S": str(pace_per_s), "RESPONSE_TIMES": str(times)},
            )
            running.append((stack.enter_context(generator), times))
        for generator, _ in running:
            generator.wait(window_s + 30)
        return [np.loadtxt(times, ndmin=1) for _, times in running]
