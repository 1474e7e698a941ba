"""What can be planted: the plan of a drill whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bundle.rates import RateCurve

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
    held: Literal["", "answered", "failed"] = ""
    """Bad by being held until the outage is over, and then answered, or failed."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to plant. Seconds; the fault is at the start of the fault phase plus one second, uncertain by `fault_ms`."""

    seed: int = 0
    rate_per_s: float = 100.0
    spacing: Literal["uniform", "poisson"] = "uniform"
    curves: tuple[RateCurve, ...] = ()
    """Instead of the rate: how it changes, from the start of the warm-up on."""
    users: int | None = None
    """A closed workload of so many users instead, each waiting for its answer: the rate and its spacing are theirs."""
    pace_s: float = 0.0
    """A user starts a request no sooner than this after its last start."""
    wait_s: float = 0.0
    """A user waits so long on average after an answer, from nothing to twice that."""
    speed: float = 1.0
    """How long the service takes for an answer from `sped_from_s` after the fault on, as a multiple of before."""
    sped_from_s: float = 0.0
    workers: int = 1
    """Processes that the arrivals are dealt out to."""
    worker_lost_s: float | None = None
    """The last of them dies, in seconds from the fault."""
    offsets_ms: tuple[float, ...] = ()
    """How far the clock of each worker is ahead, as the manifest says; one for each worker, or none: all are right."""
    uncertain_ms: float = 0.0
    """By so much at most each worker's clock strays from that, drifting all the while, and the manifest says so."""
    drift_ms: float = 0.0
    """How far the wall clock had moved at the end of the run."""
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
    watch_jitter: bool = False
    """News from the API server comes after anything between nothing and 20 ms, rather than always after half of it."""
    poll_s: float | None = None
    """Pods and deployments are polled so often rather than watched: what happened is seen at the next poll."""
    blind: tuple[float, float] | None = None
    """The pods' watch is lost and resumed, in seconds from the fault."""
    unsent: tuple[float, float] | None = None
    """Arrivals that the generator records as due and doesn't send, in seconds from the fault."""
    silent: tuple[float, float] | None = None
    """Arrivals whose rows are lost, in seconds from the fault."""
    uncounted: bool = False
    """No worker says how many rows it recorded, as those of old bundles, so that lost ones leave no trace."""
    missing: Literal["", "requests", "samples", "pulse"] = ""
    """What isn't in the bundle: the rows of the last worker, its samples, or those of the API server's pulse."""
    torn: float | None = None
    """The timeline ends after this share of its bytes, wherever that is."""
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
