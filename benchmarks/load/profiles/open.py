"""The same request from an open loop, at the rate of the command line."""

from __future__ import annotations

from locust import task

from gameday.load.user import ArrivalUser


class Open(ArrivalUser):
    """Sends each request when it is due."""

    @task
    def read(self) -> None:
        """One request, no body."""
        self.client.get("/read")
