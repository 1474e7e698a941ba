"""A latency spike made by load alone, to see whether the runbook's alerts and diagnostics hold (1.7): steady traffic,
and after half a minute, for one minute, evaluations that cost more than the eval-engines can do without a queue.

`--rate` scales both; `--duration` says when it is over: it begins after a third of that.

locust -f loadprofiles/latency-spike.py --headless --run-time 2m -H http://…
gameday run experiments/pod-kill.yaml --load loadprofiles/latency-spike.py --duration 30
"""

from __future__ import annotations

from locust import task
from traffic import Tars

from gameday.load.arrivals import Spacing
from gameday.load.shapes import step
from gameday.load.user import ArrivalUser

WORK_MS = 60


class Steady(Tars):
    """What goes on meanwhile."""

    rate = 50


class Evaluations(ArrivalUser):
    """Requests that keep a processor busy. They come as independent users send them, for that is what makes queues."""

    host = Tars.host
    rate = step((0, 0), (30, 25), (90, 0))
    spacing = Spacing.POISSON

    @task
    def evaluate(self) -> None:
        self.client.post("/api/v1/evaluations", json={"work_ms": WORK_MS})
