"""Writes alone, each with a key of its own, 20 a second. Those that were acknowledged go into the ledger of the bundle:
what the service has promised to keep, to be read back after the drill.

locust -f loadprofiles/writes.py --headless -H http://…
gameday run experiments/pod-kill.yaml --load loadprofiles/writes.py
"""

from __future__ import annotations

import random
import uuid

from locust import task
from traffic import AGENTS, Tars

from gameday.load.ledger import acknowledged
from gameday.load.user import ArrivalUser


class Writes(ArrivalUser):
    """One write an arrival."""

    host = Tars.host
    rate = 20

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
