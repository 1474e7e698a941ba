"""Writes and reads, half and half, 40 a second. Each acknowledged write goes into the ledger of the bundle, to be read
back in every region after the drill.

locust -f loadprofiles/failover.py --headless -H http://…
gameday run experiments/region-failover.yaml --load loadprofiles/failover.py --context … --context …
"""

from __future__ import annotations

import writes  # the module: Locust would run a user class that is named here
from locust import task


class Failover(writes.Writes):
    """One request an arrival."""

    rate = 40

    @task
    def list_agents(self) -> None:
        self.client.get("/api/v1/agents")
