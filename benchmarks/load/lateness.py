"""How late arrivals are sent: at a moderate rate, and up to which rate they are on time."""

from __future__ import annotations

import statistics
from pathlib import Path

from benchmarks.load import openloop
from benchmarks.load.capacity import closed_loop, turn
from benchmarks.load.figure import Figure, Goal
from benchmarks.load.machine import Cores
from benchmarks.load.planted import Behaviour
from benchmarks.load.process import ServerProcess, plain
from benchmarks.load.search import highest

MODERATE_PER_S = 500.0
SENT_SHARE = 0.999
ON_TIME_MS = 5.0
TURN_S = 1.5
CHANCES = 2
"""A rate is held if one of so many runs holds it: other processes of the machine can spoil a run, not better it."""


def at_moderate_rate(cores: Cores, folder: Path, *, window_s: float) -> list[Figure]:
    """Lateness at 500 requests/s."""
    with ServerProcess(Behaviour(), cores) as server:
        run = openloop.run(server, cores, folder, rate_per_s=MODERATE_PER_S, window_s=window_s)
    name = f"at {MODERATE_PER_S:g} requests/s, "
    beside = {
        "p99.9_ms": run.lateness_ms(0.999),
        "cpu_share": run.usage.cpu_s / window_s,
        "waited_for_core_share": run.usage.waited_s / window_s,
    }
    return [
        Figure(name + "lateness, p50", run.lateness_ms(0.5), "ms", Goal(at_most=1.0)),
        Figure(name + "lateness, p99", run.lateness_ms(0.99), "ms", Goal(at_most=2.0), beside),
        Figure(name + "sent / due", run.sent_share, "", Goal(at_least=SENT_SHARE)),
        Figure(name + "bytes a row in the stream", run.bytes_per_row, "B"),
    ]


def highest_rate(cores: Cores, folder: Path, *, tries: int, window_s: float) -> list[Figure]:
    """The highest rate that is sent on time, over that of plain Locust's closed loop, measured between the tries."""
    closed_per_s: list[float] = []
    waited: list[float] = []
    with (
        ServerProcess(Behaviour(), cores) as server,
        closed_loop(plain("closed", server.url), server, cores, folder / "closed.log") as closed,
    ):

        def on_time(share: float) -> bool:
            for _ in range(CHANCES):
                closed_per_s.append(turn(server, closed, TURN_S).rate_per_s)
                rate_per_s = share * statistics.median(closed_per_s)
                run = openloop.run(server, cores, folder, rate_per_s=rate_per_s, window_s=window_s)
                waited.append(run.usage.waited_s / window_s)
                late_ms = run.lateness_ms(0.99)
                held = late_ms <= ON_TIME_MS and run.sent_share >= SENT_SHARE
                print(
                    f"  {rate_per_s:,.0f}/s, {share:.2f} of closed loop: p99 {late_ms:.1f} ms late, "
                    f"{run.sent_share:.4f} sent: {'on time' if held else 'late'}",
                    flush=True,
                )
                if held:
                    return True
            return False

        share = highest(on_time, 0.5, 1.1, tries)
    plain_per_s = statistics.median(closed_per_s)
    beside = {
        "open_per_s": share * plain_per_s,
        "plain_closed_per_s": plain_per_s,
        "resolution": 0.6 / 2**tries,
        "waited_for_core_share": max(waited),
    }
    return [Figure("highest open-loop rate on time / plain closed loop", share, "", Goal(at_least=0.8), beside)]
