from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.load.planted import MS, Behaviour, S

STALLING = Behaviour(fastest_ns=20 * MS, slowest_ns=100 * MS, stall_ns=3 * S, period_ns=10 * S)


@pytest.mark.parametrize(
    ("arrived_s", "begins_s"),
    [(0, 0), (6.999, 6.999), (7, 10), (9.999, 10), (10, 10), (16.5, 16.5), (17.5, 20)],
)
def test_what_arrives_in_a_stall_is_begun_at_its_end(arrived_s: float, begins_s: float) -> None:
    assert STALLING.begins_ns(round(arrived_s * S)) == round(begins_s * S)


def test_a_server_that_does_not_stall_begins_at_once() -> None:
    assert Behaviour().begins_ns(12_345) == 12_345
    assert Behaviour().service_ns(7) == 0


@given(first=st.integers(0, 10**6), fastest=st.integers(0, 50), spread=st.integers(1, 100))
def test_service_times_fill_their_range_evenly_wherever_one_begins_to_count(
    first: int, fastest: int, spread: int
) -> None:
    """A thousand of them have the quantiles of the range to within half a percent of it."""
    behaviour = Behaviour(fastest_ns=fastest * MS, slowest_ns=(fastest + spread) * MS)
    times_ms = np.array([behaviour.service_ns(number) for number in range(first, first + 1000)]) / MS
    shares = np.linspace(0.05, 0.95, 19)
    assert np.quantile(times_ms, shares) == pytest.approx(fastest + spread * shares, abs=0.005 * spread)


@pytest.mark.parametrize("began_s", [0, 3.21, 8])
def test_latencies_of_whole_periods_have_the_stalls_share_wherever_they_begin(began_s: float) -> None:
    """Latency is the service time, 60 ms at the mean, and in 3 s of 10 a wait besides, of 1.5 s at the mean."""
    due_ns = np.arange(2000) * 10 * MS + round(began_s * S)
    latencies_ms = STALLING.latencies_ns(due_ns) / MS
    assert np.mean(latencies_ms > 100) == pytest.approx(0.3, abs=0.01)
    assert np.mean(latencies_ms) == pytest.approx(60 + 0.3 * 1500, rel=0.01)
    assert latencies_ms.min() >= 20


@given(st.builds(Behaviour, *(st.integers(0, 10**12) for _ in range(4))))
def test_a_behaviour_is_read_back_from_its_text(behaviour: Behaviour) -> None:
    assert Behaviour.parse(behaviour.text()) == behaviour
