"""The mixed T.A.R.S. traffic, which the profiles beside this file send at rates of their own.

Not a profile itself: it has no rate.
"""

from __future__ import annotations

import os
import random
import uuid

from locust import task

from gameday.load.user import ArrivalUser

AGENTS = ("navigator", "analyst", "reviewer")


class Tars(ArrivalUser):
    """Mostly reads, one write in ten with a key of its own, and some evaluations."""

    abstract = True
    host = os.environ.get("GAMEDAY_HOST", "http://127.64.0.1:8080")

    @task(6)
    def list_agents(self) -> None:
        self.client.get("/api/v1/agents")

    @task(1)
    def write_task(self) -> None:
        self.client.post(
            f"/api/v1/agents/{random.choice(AGENTS)}/tasks",
            json={"kind": "summarise"},
            headers={"Idempotency-Key": str(uuid.uuid4())},
            name="/api/v1/agents/{id}/tasks",
        )

    @task(2)
    def dashboard(self) -> None:
        self.client.get("/api/v1/dashboard")

    @task(1)
    def evaluate(self) -> None:
        self.client.post("/api/v1/evaluations", json={})
