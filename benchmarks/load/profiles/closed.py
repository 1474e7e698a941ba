"""Closed-loop users that send one request after another: what one process of Locust can do at most."""

from __future__ import annotations

from locust import FastHttpUser, constant, task


class Closed(FastHttpUser):
    """Sends the next request when the answer is in."""

    wait_time = constant(0)

    @task
    def read(self) -> None:
        """One request, no body."""
        self.client.get("/read")
