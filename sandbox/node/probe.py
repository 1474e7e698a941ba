"""Probes as the kubelet keeps them: when they are made, and what their results add up to. Pure.

Facts from Kubernetes 1.34 pkg/kubelet/prober (worker.go, prober_manager.go).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from sandbox.client import KubeObject


class ProbeKind(StrEnum):
    """What a probe decides."""

    READINESS = "Readiness"
    LIVENESS = "Liveness"
    STARTUP = "Startup"

    @property
    def field(self) -> str:
        """Its field in a container's spec."""
        return f"{self.value.lower()}Probe"


@dataclass(frozen=True)
class ProbeSpec:
    """One probe of a container, with Kubernetes' defaults."""

    kind: ProbeKind
    handler: KubeObject
    initial_delay_s: int
    period_s: int
    timeout_s: int
    success_threshold: int
    failure_threshold: int
    grace_s: int | None
    """`terminationGracePeriodSeconds` of the probe itself, which goes before the pod's."""

    @classmethod
    def of(cls, container: KubeObject, kind: ProbeKind) -> ProbeSpec | None:
        """The container's probe of that kind, if it has one."""
        spec = container.get(kind.field)
        if not spec:
            return None
        return cls(
            kind,
            spec,
            spec.get("initialDelaySeconds", 0),
            spec.get("periodSeconds", 10),
            spec.get("timeoutSeconds", 1),
            spec.get("successThreshold", 1),
            spec.get("failureThreshold", 3),
            spec.get("terminationGracePeriodSeconds"),
        )

    def first_due_s(self) -> float:
        """Seconds from the container's start to the first probe.

        Readiness is looked at as soon as a container runs; everything else comes with the ticks of the period, the
        first of which that isn't before the initial delay.
        """
        if self.kind is ProbeKind.READINESS and self.initial_delay_s == 0:
            return 0.0
        return math.ceil(max(self.initial_delay_s, 1) / self.period_s) * float(self.period_s)


@dataclass(frozen=True)
class ProbeState:
    """What the results so far say; `verdict` is None until a threshold is reached."""

    verdict: bool | None = None
    last: bool | None = None
    run: int = 0

    def observe(self, success: bool, spec: ProbeSpec) -> ProbeState:
        """The state after one more result: the verdict changes when enough equal results follow each other."""
        run = self.run + 1 if success is self.last else 1
        threshold = spec.success_threshold if success else spec.failure_threshold
        state = replace(self, last=success, run=run)
        return replace(state, verdict=success) if run >= threshold else state
