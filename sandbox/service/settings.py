"""What a service reads from its environment, once, at its start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.service.seat import Seat, seats_of
from sandbox.service.timing import Timing


@dataclass(frozen=True)
class Settings:
    """One pod's settings.

    `warmup_s` stands for what a real service does before it listens (caches, models, connections). `drain_s` is how
    long it goes on serving after SIGTERM, so that the balancers have time to look elsewhere; None means that SIGTERM
    ends the process at once, in the middle of whatever it is answering. `work_s` is the CPU time of one evaluation.
    `seats` and `raft_directory`: see `seat`; none makes every pod a Raft of its own, which forgets with its process.
    """

    host: str
    port: int
    region: str
    pod: str
    warmup_s: float
    drain_s: float | None
    work_s: float
    seats: tuple[Seat, ...] = ()
    raft_directory: Path | None = None
    raft_port: int = 8097
    timing: Timing = field(default_factory=Timing)
    acknowledge_committed: bool = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read POD_IP, PORT, REGION, POD_NAME, WARMUP_S, DRAIN_S, WORK_MS, RAFT_MEMBERS, RAFT_DIRECTORY, RAFT_PORT,
        RAFT_HEARTBEAT_S, RAFT_ELECTION_S and ACKNOWLEDGE. ValueError where a value makes no sense."""
        acknowledge = environment.get("ACKNOWLEDGE", "received")
        if acknowledge not in ("received", "committed"):
            raise ValueError(f"ACKNOWLEDGE {acknowledge!r} is neither received nor committed")
        directory = environment.get("RAFT_DIRECTORY")
        drain = environment.get("DRAIN_S", "")
        return cls(
            host=environment.get("POD_IP", "127.0.0.1"),
            port=int(environment.get("PORT", "8080")),
            region=environment.get("REGION", ""),
            pod=environment.get("POD_NAME", ""),
            warmup_s=float(environment.get("WARMUP_S", "0")),
            drain_s=float(drain) if drain else None,
            work_s=float(environment.get("WORK_MS", "3")) / 1000,
            seats=seats_of(environment.get("RAFT_MEMBERS", "")),
            raft_directory=Path(directory) if directory else None,
            raft_port=int(environment.get("RAFT_PORT", "8097")),
            timing=Timing(
                float(environment.get("RAFT_HEARTBEAT_S", Timing.heartbeat_s)),
                float(environment.get("RAFT_ELECTION_S", Timing.election_s)),
            ),
            acknowledge_committed=acknowledge == "committed",
        )
