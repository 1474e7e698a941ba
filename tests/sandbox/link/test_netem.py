from __future__ import annotations

from itertools import pairwise
from random import Random
from statistics import correlation, mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.link.fault import Fault
from sandbox.link.netem import FIRST_RTO_NS, NEVER, Correlated, Emulator, arrival_ns, retransmission_ns

MS = 1_000_000
SENT_NS = 5_000 * MS
FAULTS = st.builds(
    Fault,
    latency_ns=st.integers(0, 10_000 * MS),
    jitter_ns=st.integers(0, 1_000 * MS),
    latency_correlation=st.floats(0, 1),
    loss=st.floats(0, 1),
    loss_correlation=st.floats(0, 1),
    cut=st.booleans(),
)


class Chance(Random):
    """Random numbers that a test sets, one after another; the first starts a correlation."""

    def __init__(self, *numbers: float) -> None:
        super().__init__()
        self._numbers = list(numbers)

    def random(self) -> float:
        return self._numbers.pop(0)


@pytest.mark.parametrize(
    ("fault", "chances", "late_ms"),
    [
        (Fault(), (), 0),
        (Fault(latency_ns=100 * MS), (), 100),
        (Fault(cut=True), (), None),
        (Fault(loss=1.0), (), None),
        # Jitter is uniform: the least, the middle, the most; and never before it was sent.
        (Fault(latency_ns=100 * MS, jitter_ns=10 * MS), (0.0,), 90),
        (Fault(latency_ns=100 * MS, jitter_ns=10 * MS), (0.5,), 100),
        (Fault(latency_ns=100 * MS, jitter_ns=10 * MS), (1.0,), 110),
        (Fault(latency_ns=5 * MS, jitter_ns=10 * MS), (0.0,), 0),
        # Lost once, twice, three times: TCP tries again after 200 ms, and waits twice as long each time.
        (Fault(loss=0.5), (0.5,), 0),
        (Fault(loss=0.5), (0.49, 0.5), 200),
        (Fault(loss=0.5), (0.0, 0.0, 0.9), 600),
        (Fault(loss=0.5, latency_ns=30 * MS), (0.0, 0.0, 0.0, 0.9), 1430),
    ],
)
def test_when_a_packet_arrives(fault: Fault, chances: tuple[float, ...], late_ms: int | None) -> None:
    emulator = Emulator(fault, Chance(0.0, 0.0, *chances))
    assert emulator.arrival_ns(SENT_NS) == (NEVER if late_ms is None else SENT_NS + late_ms * MS)


@given(FAULTS, st.integers(0, 2**62), st.integers(0, 2**32))
def test_nothing_arrives_before_it_was_sent_or_after_what_it_can_be_late(fault: Fault, sent_ns: int, seed: int) -> None:
    arrived_ns = Emulator(fault, Random(seed)).arrival_ns(sent_ns)
    assert arrived_ns >= sent_ns
    if not fault.loss and not fault.cut:
        assert arrived_ns - sent_ns <= fault.latency_ns + fault.jitter_ns + 1


def test_as_much_is_lost_as_was_asked_for() -> None:
    emulator = Emulator(Fault(loss=0.25), Random(1))
    late = [emulator.arrival_ns(0) > 0 for _ in range(20_000)]
    assert mean(late) == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize("wanted", [0.0, 0.25, 0.9])
def test_numbers_resemble_the_one_before_as_much_as_was_asked_for(wanted: float) -> None:
    numbers = Correlated(wanted, Random(1))
    drawn = [numbers.next() for _ in range(20_000)]
    assert all(0 <= each <= 1 for each in drawn)
    assert correlation(*zip(*pairwise(drawn), strict=True)) == pytest.approx(wanted, abs=0.02)


def test_faults_add_up_and_leave_other_destinations_alone() -> None:
    faults = (Fault(latency_ns=100 * MS), Fault(latency_ns=20 * MS, towards=("10.0.0.0/8",)))
    emulators = [Emulator(each, Random(1)) for each in faults]
    assert arrival_ns(emulators, "10.1.1.1", SENT_NS) == SENT_NS + 120 * MS
    assert arrival_ns(emulators, "11.1.1.1", SENT_NS) == SENT_NS + 100 * MS
    assert arrival_ns([], "11.1.1.1", SENT_NS) == SENT_NS
    cut = Emulator(Fault(cut=True), Random(1))
    assert arrival_ns([cut, *emulators], "11.1.1.1", SENT_NS) == NEVER


@pytest.mark.parametrize(
    ("healed_ms", "again_ms"), [(-1, 0), (0, 0), (1, 200), (200, 200), (201, 600), (1000, 1400), (30_000, 51_000)]
)
def test_after_a_partition_tcp_goes_on_with_its_next_try(healed_ms: int, again_ms: int) -> None:
    """Tries come 0.2, 0.6, 1.4, 3, 6.2, 12.6, 25.4, 51 s after the first."""
    assert retransmission_ns(SENT_NS, SENT_NS + healed_ms * MS) == SENT_NS + again_ms * MS


@given(st.integers(0, 2**40), st.integers(0, 10**13))
def test_a_try_comes_after_the_healing_and_waits_no_longer_than_the_partition_and_one_time_out(
    sent_ns: int, cut_ns: int
) -> None:
    again_ns = retransmission_ns(sent_ns, sent_ns + cut_ns)
    assert cut_ns <= again_ns - sent_ns <= 2 * cut_ns + FIRST_RTO_NS
