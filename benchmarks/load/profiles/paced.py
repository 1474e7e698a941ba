"""Closed-loop users at a pace of their own, and what plain Locust knows of their requests: its response times.

PACE_PER_S: requests a second of each user. RESPONSE_TIMES: the file that gets them at the end, milliseconds, a line
each.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from locust import FastHttpUser, constant_throughput, events, task

_TIMES_MS: list[float] = []


class Paced(FastHttpUser):
    """Sends the next request at its pace, or when the answer is in if that is later."""

    wait_time = constant_throughput(float(os.environ["PACE_PER_S"]))

    @task
    def read(self) -> None:
        """One request, no body."""
        self.client.get("/read")


@events.request.add_listener  # type: ignore[untyped-decorator]  # Locust leaves it unannotated
def keep(response_time: float, **_: Any) -> None:
    """Keep the response time of a request."""
    _TIMES_MS.append(response_time)


@events.quit.add_listener  # type: ignore[untyped-decorator]  # Locust leaves it unannotated
def write(**_: Any) -> None:
    """Write what was kept."""
    Path(os.environ["RESPONSE_TIMES"]).write_text("".join(f"{time_ms}\n" for time_ms in _TIMES_MS), encoding="utf-8")
