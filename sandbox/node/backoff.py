"""When a crashed container may start again: at once the first time, then after 10 s, 20 s, ... up to 5 min.

Facts from Kubernetes 1.34 kuberuntime_manager.go (doBackOff) and client-go flowcontrol.Backoff.
"""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.clock import NS_PER_S

INITIAL_S = 10
MAXIMUM_S = 300
FORGOTTEN_S = 2 * MAXIMUM_S


@dataclass(frozen=True)
class Backoff:
    """The delay that the next restart has to keep, and when it was set."""

    delay_s: int = 0
    set_ns: int = 0

    def wait_s(self, finished_ns: int, now_ns: int) -> float:
        """Seconds from now until a container that ended at `finished_ns` may start again."""
        if self._forgotten(finished_ns):
            return 0.0
        return max(0.0, self.delay_s - (now_ns - finished_ns) / NS_PER_S)

    def started(self, finished_ns: int, now_ns: int) -> Backoff:
        """The back-off after a restart: twice as long, or from the beginning after a run of ten good minutes."""
        if not self.delay_s or self._forgotten(finished_ns):
            return Backoff(INITIAL_S, now_ns)
        return Backoff(min(2 * self.delay_s, MAXIMUM_S), now_ns)

    def _forgotten(self, finished_ns: int) -> bool:
        return finished_ns - self.set_ns > FORGOTTEN_S * NS_PER_S
