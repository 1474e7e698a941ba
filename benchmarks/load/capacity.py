"""How much one process can send at most: recorded against plain Locust, closed loop, the same users and server.

Two processes share one core by turns: while one is measured the other is halted, so that both meet the same seconds of
the machine, whose cores may be twice as fast in one as in the next. Each pair is two new processes, for a process may
be faster than its twin for as long as it lives.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load.figure import Figure, Goal
from benchmarks.load.machine import Cores
from benchmarks.load.planted import Behaviour, S
from benchmarks.load.process import Generator, ServerProcess, Usage, anchor, plain, recorded, wait_for_requests

USERS = 20
SETTLE_S = 0.05
SERVER_AT_MOST = 0.8
"""Share of its core above which the server, not the generator, might be what is measured."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a generator did while it was its turn."""

    requests: int
    wall_s: float
    usage: Usage
    server_cpu_s: float

    def __add__(self, other: Turn) -> Turn:
        """Both turns as one."""
        return Turn(
            self.requests + other.requests,
            self.wall_s + other.wall_s,
            self.usage + other.usage,
            self.server_cpu_s + other.server_cpu_s,
        )

    @property
    def rate_per_s(self) -> float:
        """Requests answered a second."""
        return self.requests / self.wall_s

    @property
    def cpu_per_million_s(self) -> float:
        """CPU seconds of the generator per million requests."""
        return self.usage.cpu_s / self.requests * 1e6


NO_TURN = Turn(0, 0.0, Usage(0.0, 0.0), 0.0)


def turn(server: ServerProcess, generator: Generator, length_s: float) -> Turn:
    """Let a halted generator run for so long, and halt it again."""
    generator.go_on()
    time.sleep(SETTLE_S)
    before, used = server.read(), generator.usage()
    time.sleep(length_s)
    after, usage = server.read(), generator.usage() - used
    generator.check()
    generator.halt()
    return Turn(
        after.requests - before.requests,
        (after.now_ns - before.now_ns) / S,
        usage,
        (after.cpu_ns - before.cpu_ns) / S,
    )


def closed_loop(command: list[str], server: ServerProcess, cores: Cores, log: Path) -> Generator:
    """A closed-loop generator that has begun, and was halted."""
    users = ["--users", str(USERS), "--spawn-rate", str(USERS)]
    generator = Generator([*command, *users], cores, log, anchor())
    wait_for_requests(server, generator, 500)
    generator.halt()
    return generator


def measure(cores: Cores, folder: Path, *, pairs: int, turns: int, turn_s: float) -> list[Figure]:
    """The ratio of both rates, and what recording costs.

    turns: of each process of a pair, each `turn_s` long; who comes first changes from one to the next. A pair's ratio
    is the median of those of its turns.
    """
    ratios, costs_s, busiest = [], [], 0.0
    totals = {"plain": NO_TURN, "recorded": NO_TURN}
    with ServerProcess(Behaviour(), cores) as server:
        for pair in range(pairs):
            log, bundle = folder / f"pair-{pair}.log", folder / f"pair-{pair}"
            with (
                closed_loop(plain("closed", server.url), server, cores, log) as plain_one,
                closed_loop(recorded("closed", server.url, bundle), server, cores, log) as recorded_one,
            ):
                generators = {"plain": plain_one, "recorded": recorded_one}
                rates, cpu_s = [], []
                for number in range(turns):
                    order = list(generators) if (pair + number) % 2 else list(reversed(generators))
                    done = {kind: turn(server, generators[kind], turn_s) for kind in order}
                    totals = {kind: total + done[kind] for kind, total in totals.items()}
                    busiest = max(busiest, *(one.server_cpu_s / one.wall_s for one in done.values()))
                    rates.append(done["recorded"].rate_per_s / done["plain"].rate_per_s)
                    cpu_s.append(done["recorded"].cpu_per_million_s - done["plain"].cpu_per_million_s)
            ratios.append(statistics.median(rates))
            costs_s.append(statistics.median(cpu_s))
            print(f"  pair {pair + 1}: recorded / plain = {ratios[-1]:.4f}", flush=True)
    wall_s = sum(total.wall_s for total in totals.values())
    waited_s = sum(total.usage.waited_s for total in totals.values())
    beside = {
        "lowest": min(ratios),
        "highest": max(ratios),
        "pairs": float(pairs),
        "recorded_per_s": totals["recorded"].rate_per_s,
        "plain_per_s": totals["plain"].rate_per_s,
        "waited_for_core_share": waited_s / wall_s,
    }
    cpu = {f"{kind}_all_s": total.cpu_per_million_s for kind, total in totals.items()}
    return [
        Figure("highest rate, recorded / plain", statistics.median(ratios), "", Goal(at_least=0.97), beside),
        Figure("the server's share of its core, at most", busiest, "", Goal(at_most=SERVER_AT_MOST)),
        Figure("CPU of recording a million requests, by difference", statistics.median(costs_s), "s", beside=cpu),
    ]
