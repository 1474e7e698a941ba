"""What a service reads from its environment, once, at its start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """One pod's settings.

    `warmup_s` stands for what a real service does before it listens (caches, models, connections). `drain_s` is how
    long it goes on serving after SIGTERM, so that the balancers have time to look elsewhere; None means that SIGTERM
    ends the process at once, in the middle of whatever it is answering. `work_s` is the CPU time of one evaluation.
    """

    host: str
    port: int
    region: str
    pod: str
    warmup_s: float
    drain_s: float | None
    work_s: float

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read POD_IP, PORT, REGION, POD_NAME, WARMUP_S, DRAIN_S and WORK_MS; ValueError where a number isn't one."""
        drain = environment.get("DRAIN_S", "")
        return cls(
            host=environment.get("POD_IP", "127.0.0.1"),
            port=int(environment.get("PORT", "8080")),
            region=environment.get("REGION", ""),
            pod=environment.get("POD_NAME", ""),
            warmup_s=float(environment.get("WARMUP_S", "0")),
            drain_s=float(drain) if drain else None,
            work_s=float(environment.get("WORK_MS", "3")) / 1000,
        )
