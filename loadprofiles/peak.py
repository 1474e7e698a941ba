"""Peak load, as the runbook validates autoscaling with (2.4): 100 requests a second for 600 s, and then low load, so
that it can be seen whether the replicas come down again.

`--rate` sets the peak, and the low load in proportion; `--duration` how long the peak lasts.

locust -f loadprofiles/peak.py --headless --run-time 20m -H http://…
gameday run experiments/pod-kill.yaml --load loadprofiles/peak.py --duration 60
"""

from __future__ import annotations

from locust import task
from traffic import Tars

from gameday.load.shapes import step


class Peak(Tars):
    """The peak from the first moment on, then a tenth of it: the mixed traffic, and evaluations on top of it."""

    rate = step((0, 100), (600, 10))

    @task(6)
    def evaluate_in_bulk(self) -> None:
        """Seven requests in sixteen are evaluations: they are what needs more replicas."""
        self.client.post("/api/v1/evaluations", json={})
