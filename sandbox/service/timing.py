"""How fast the Raft finds out that its leader is gone."""

from __future__ import annotations

from dataclasses import dataclass

LEAST_RATIO = 3


@dataclass(frozen=True)
class Timing:
    """The leader sends every `heartbeat_s`; who hears nothing for `election_s` to twice that calls an election."""

    heartbeat_s: float = 0.1
    election_s: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < LEAST_RATIO * self.heartbeat_s < self.election_s:
            raise ValueError(
                f"an election is called after {self.election_s:g} s without a heartbeat, and heartbeats come every "
                f"{self.heartbeat_s:g} s: more than {LEAST_RATIO} must fit"
            )
