"""The environment variables by which other programs find a sandbox."""

from __future__ import annotations

from sandbox.network import Network
from sandbox.state import State


def exports(state: State) -> dict[str, str]:
    """KUBECONFIG, and GAMEDAY_PROMETHEUS where each region has one."""
    record = state.record()
    found = {"KUBECONFIG": str(state.kubeconfig)}
    if record is not None and record.prometheus:
        found["GAMEDAY_PROMETHEUS"] = Network(record.network).prometheus
    return found
