"""What can be planted: the plan of a drill whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

EPOCH_NS = 1_764_000_000_000_000_000
CONTEXT, NAMESPACE, APP = "us-east-1", "tars", "orchestration-agent"


@dataclass(frozen=True, slots=True)
class Outage:
    """A stretch in which each request is bad with the probability `share`. Seconds from the fault."""

    start_s: float
    end_s: float
    share: float = 1.0
    slow_ms: float | None = None
    """Bad by being this slow rather than by failing."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to plant. Seconds; the fault is at the start of the fault phase plus one second, uncertain by `fault_ms`."""

    seed: int = 0
    rate_per_s: float = 100.0
    spacing: Literal["uniform", "poisson"] = "uniform"
    warm_up_s: float = 1.0
    baseline_s: float = 5.0
    after_s: float = 20.0
    """From the fault to the end of the recovery phase; the cool-down of 2 s comes after it."""
    outages: tuple[Outage, ...] = (Outage(0.0, 3.0),)
    background: float = 0.0
    """The share of requests that fail at any time, fault or not."""
    fault_ms: float = 40.0
    ready_s: float | None = 6.0
    """When the replacement pod is ready, in seconds from the fault; None: never."""
    pods_killed: int = 1
    """How many pods really lose their UID; the harness expects one."""
    blind: tuple[float, float] | None = None
    """The pods' watch is lost and resumed, in seconds from the fault."""
    unsent: tuple[float, float] | None = None
    """Arrivals that the generator records as due and doesn't send, in seconds from the fault."""
    silent: tuple[float, float] | None = None
    """Arrivals that the generator loses without a trace, in seconds from the fault."""
    late_ms: float = 0.2
    """The generator's mean lateness."""
    lag_ms: float = 0.2
    """The mean of the lag that the generator's event loop records."""
    hypothesis_met: bool = True
    unmet_after: tuple[str, ...] = ()
    """Probes of the hypothesis that fail when it is evaluated again after the method."""
    killed: bool = False
    """The harness was killed in the recovery phase: tables and phases stay open."""
    drill: str = "pod-kill"
