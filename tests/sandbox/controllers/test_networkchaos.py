from __future__ import annotations

import pytest

from sandbox.client import KubeObject
from sandbox.controllers.chaos import Failed
from sandbox.controllers.networkchaos import fault_of
from sandbox.link.fault import Fault

MS = 1_000_000


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        ({"action": "delay", "delay": {"latency": "100ms", "jitter": "10ms", "correlation": "25"}},
         Fault(latency_ns=100 * MS, jitter_ns=10 * MS, latency_correlation=0.25)),
        ({"action": "loss", "loss": {"loss": "12.5", "correlation": "0"}}, Fault(loss=0.125)),
        ({"action": "netem", "delay": {"latency": "1s"}, "loss": {"loss": "100"}}, Fault(latency_ns=1000 * MS, loss=1)),
        # netem gets every parameter that is there, whichever the action names.
        ({"action": "loss", "delay": {"latency": "1s"}}, Fault(latency_ns=1000 * MS)),
        ({"action": "partition", "delay": {"latency": "1s"}}, Fault(cut=True)),
    ],
)  # fmt: skip
def test_a_spec_becomes_the_fault_that_it_asks_for(spec: KubeObject, fault: Fault) -> None:
    assert fault_of(spec, []) == fault


def test_a_fault_is_aimed_at_the_targets() -> None:
    spec = {"action": "partition"}
    assert fault_of(spec, ["127.64.32.1", "10.0.0.0/8"]).towards == ("127.64.32.1", "10.0.0.0/8")


def test_an_action_without_its_parameters_fails_as_in_chaos_mesh() -> None:
    with pytest.raises(Failed, match="invalid spec for netem action, at least one is required"):
        fault_of({"action": "delay"}, [])
