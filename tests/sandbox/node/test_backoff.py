from __future__ import annotations

from sandbox.clock import NS_PER_S
from sandbox.node.backoff import Backoff


def delays_of(run_s: float, crashes: int) -> list[float]:
    """How long each restart has to wait, for a container that ends `run_s` after each start."""
    backoff, now_ns, waits = Backoff(), NS_PER_S, []
    for _ in range(crashes):
        finished_ns = now_ns + int(run_s * NS_PER_S)
        wait_s = backoff.wait_s(finished_ns, finished_ns)
        waits.append(wait_s)
        now_ns = finished_ns + int(wait_s * NS_PER_S)
        backoff = backoff.started(finished_ns, now_ns)
    return waits


def test_the_first_restart_comes_at_once_and_each_later_one_waits_twice_as_long_up_to_five_minutes() -> None:
    assert delays_of(run_s=1, crashes=8) == [0, 10, 20, 40, 80, 160, 300, 300]


def test_ten_good_minutes_make_a_container_begin_anew() -> None:
    assert delays_of(run_s=601, crashes=4) == [0, 0, 0, 0]
    assert delays_of(run_s=599, crashes=4) == [0, 10, 20, 40]


def test_the_wait_counts_from_the_end_of_the_container() -> None:
    backoff = Backoff(delay_s=20, set_ns=0)
    assert backoff.wait_s(finished_ns=5 * NS_PER_S, now_ns=12 * NS_PER_S) == 13.0
    assert backoff.wait_s(finished_ns=5 * NS_PER_S, now_ns=26 * NS_PER_S) == 0.0
