"""The drills of the runbook, one line each: how each is run, and what comes of it where the service is naive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.sandbox import REPOSITORY

REGIONS = ("us-east-1", "us-west-2", "eu-central-1")


@dataclass(frozen=True)
class Case:
    """A drill: `experiments/<name>.yaml` under `loadprofiles/<profile>.py`.

    naive: verdicts of objectives on the naive manner. Those that must fail are the weaknesses that were built in; those
    that must pass show that nothing else was the reason. environment: what shortens it.
    """

    name: str
    profile: str
    naive: Mapping[str, str]
    contexts: tuple[str, ...] = ("us-east-1",)
    elects: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """The command line after `gameday`."""
        experiment: Path = REPOSITORY / "experiments" / f"{self.name}.yaml"
        load = REPOSITORY / "loadprofiles" / f"{self.profile}.py"
        contexts = (word for context in self.contexts for word in ("--context", context))
        return ("run", str(experiment), "--load", str(load), *contexts, *self.options)


CASES = (
    # no readiness, so that a pod gets requests before it listens; no retries, so that users see it
    Case("pod-kill", "steady", {"failed-requests": "fail", "replacement-ready": "pass"}),
    Case("pod-kill-podchaos", "steady", {"failed-requests": "fail", "replacement-ready": "pass"}),
    # a time-out of 90 ms, and nobody who tries again; but no request waits for long, and all is well once it is over
    Case(
        "network-delay",
        "steady",
        {
            "availability": "fail",
            "delay-latency-rise": "fail",
            "no-timeout-storm": "pass",
            "delay-latency-after": "pass",
            "steady-state-after": "pass",
        },
        environment={"GAMEDAY_DELAY_DURATION": "15s"},
    ),
    # and writes acknowledged before a majority has them, which die with the region; its Raft is as good as the other's
    Case(
        "region-failover",
        "failover",
        {"failed-requests": "fail", "writes-lost": "fail", "leader-elected": "pass", "one-leader-a-term": "pass"},
        contexts=REGIONS,
        elects=True,
    ),
)
