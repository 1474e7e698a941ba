"""Writes and reads, half and half, 40 a second. Each acknowledged write goes into the ledger of the bundle, to be read
back in every region after the drill.

locust -f loadprofiles/failover.py --headless -H http://…
gameday run experiments/region-failover.yaml --load loadprofiles/failover.py --context … --context …
"""

from __future__ import annotations

import random
import uuid

from locust import task
from traffic import AGENTS, Tars

from gameday.load.ledger import acknowledged
from gameday.load.user import ArrivalUser


class Failover(ArrivalUser):
    """One request an arrival."""

    host = Tars.host
    rate = 40

    @task
    def list_agents(self) -> None:
        self.client.get("/api/v1/agents")

    @task
    def write_task(self) -> None:
        key = str(uuid.uuid4())
        answer = self.client.post(
            f"/api/v1/agents/{random.choice(AGENTS)}/tasks",
            json={"kind": "summarise"},
            headers={"Idempotency-Key": key},
            name="/api/v1/agents/{id}/tasks",
        )
        if answer.status_code in (200, 201):
            acknowledged(key, answer)
