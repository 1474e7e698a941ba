from __future__ import annotations

import pytest

from sandbox.link.fault import Fault, decode, encode


@pytest.mark.parametrize(
    ("towards", "host", "reached"),
    [
        ((), "127.64.32.1", True),
        (("127.64.32.1",), "127.64.32.1", True),
        (("127.64.32.1",), "127.64.32.2", False),
        (("127.64.32.0/20",), "127.64.47.255", True),
        (("127.64.32.0/20",), "127.64.48.0", False),
        (("10.0.0.1", "127.64.1.11"), "127.64.1.11", True),
        (("0.0.0.0/0",), "127.64.1.11", True),
    ],
)
def test_a_fault_concerns_what_is_sent_towards_its_targets(towards: tuple[str, ...], host: str, reached: bool) -> None:
    assert Fault(towards=towards).reaches(host) is reached


def test_faults_arrive_in_the_pod_as_the_agent_sent_them() -> None:
    faults = (Fault(latency_ns=100_000_000, jitter_ns=5, towards=("10.0.0.0/8",)), Fault(cut=True, loss=0.5))
    assert decode(encode(faults)) == faults
    assert "\n" not in encode(faults)
