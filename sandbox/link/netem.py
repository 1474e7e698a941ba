"""When what a pod sends arrives: netem's delay, jitter and loss as a user of TCP meets them. Pure.

netem drops and delays packets; TCP hides the first by sending again and keeps the order. So a lost packet is a late one
here, and everything behind it on its connection is late as well (`outbox`).

Facts from Linux net/sched/sch_netem.c (correlated random numbers, uniform jitter) and net/ipv4/tcp_timer.c (time-outs).
"""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from sandbox.link.fault import Fault

NEVER = 2**63 - 1
FIRST_RTO_NS = 200_000_000
"""TCP's shortest retransmission time-out, which is what a connection with a short round trip has."""
LONGEST_RTO_NS = 120_000_000_000
RETRIES = 15
"""After as many tries TCP would give the connection up; what is lost so often is taken to arrive with the last."""


class Correlated:
    """Random numbers from 0 to 1, each resembling the one before by `correlation` as netem's do."""

    def __init__(self, correlation: float, random: Random) -> None:
        self._correlation = correlation
        self._random = random
        self._last = random.random()

    def next(self) -> float:
        """The next one."""
        fresh = self._random.random()
        self._last = fresh + (self._last - fresh) * self._correlation
        return self._last


class Emulator:
    """One fault, in force."""

    def __init__(self, fault: Fault, random: Random) -> None:
        self.fault = fault
        self._delays = Correlated(fault.latency_correlation, random)
        self._losses = Correlated(fault.loss_correlation, random)

    def arrival_ns(self, sent_ns: int) -> int:
        """When a packet arrives that is sent now; NEVER where nothing does."""
        fault = self.fault
        if fault.cut or fault.loss >= 1:
            return NEVER
        if fault.loss:
            sent_ns = self._got_through_ns(sent_ns)
        delay_ns = fault.latency_ns
        if fault.jitter_ns:
            delay_ns += round((2 * self._delays.next() - 1) * fault.jitter_ns)
        return sent_ns + max(delay_ns, 0)

    def _got_through_ns(self, sent_ns: int) -> int:
        timeout_ns = FIRST_RTO_NS
        for _ in range(RETRIES):
            if self._losses.next() >= self.fault.loss:
                break
            sent_ns += timeout_ns
            timeout_ns = min(2 * timeout_ns, LONGEST_RTO_NS)
        return sent_ns


def arrival_ns(emulators: Iterable[Emulator], host: str, sent_ns: int) -> int:
    """When a packet to `host` arrives that is sent now: faults add up, as netems do that are chained."""
    for each in emulators:
        if each.fault.reaches(host):
            sent_ns = each.arrival_ns(sent_ns)
            if sent_ns == NEVER:
                break
    return sent_ns


def retransmission_ns(sent_ns: int, healed_ns: int) -> int:
    """When TCP sends again what it sent first at `sent_ns` in vain: the first time that is not before `healed_ns`."""
    timeout_ns = FIRST_RTO_NS
    while sent_ns < healed_ns:
        sent_ns += timeout_ns
        timeout_ns = min(2 * timeout_ns, LONGEST_RTO_NS)
    return sent_ns
