"""How often the autoscaler and the metrics behind it act, as kube-controller-manager and metrics-server call it.

Only the defaults are those of a cluster. Shorter ones are for tests: what was measured with them says nothing of how
fast a cluster scales.
"""

from __future__ import annotations

import re
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

_UNITS_S = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
SHORTEST_S = 0.1


def duration_s(text: str) -> float:
    """Read a duration as Go writes it: `15s`, `1m30s`, `500ms`. Raises ValueError on anything else."""
    if not text or _PART.sub("", text):
        raise ValueError(f"{text!r} is no duration such as 15s or 1m30s")
    return sum(float(number) * _UNITS_S[unit] for number, unit in _PART.findall(text))


def period_s(text: str) -> float:
    """Read a duration that may not be so short that nothing else would be done; raises ValueError."""
    seconds = duration_s(text)
    if seconds < SHORTEST_S:
        raise ValueError(f"{text!r} is shorter than {SHORTEST_S:g}s")
    return seconds


def share(text: str) -> float:
    """Read a share from 0 to 1; raises ValueError."""
    if not 0 <= (value := float(text)) <= 1:
        raise ValueError(f"{text!r} is no number from 0 to 1")
    return value


def _setting(default: float, flag: str, read: Any, says: str) -> Any:
    return field(default=default, metadata={"flag": flag, "read": read, "says": says})


@dataclass(frozen=True)
class Periods:
    """The settings, each with the flag that sets it."""

    sync_s: float = _setting(
        15.0, "horizontal-pod-autoscaler-sync-period", period_s, "How often each autoscaler is looked at."
    )
    downscale_stabilization_s: float = _setting(
        300.0,
        "horizontal-pod-autoscaler-downscale-stabilization",
        duration_s,
        "How far back the highest recommendation counts before anything is scaled down.",
    )
    cpu_initialization_s: float = _setting(
        300.0,
        "horizontal-pod-autoscaler-cpu-initialization-period",
        duration_s,
        "How long after a pod's start its CPU samples may be left out.",
    )
    initial_readiness_delay_s: float = _setting(
        30.0,
        "horizontal-pod-autoscaler-initial-readiness-delay",
        duration_s,
        "How long after a pod's start a change of its readiness counts as its first one.",
    )
    tolerance: float = _setting(
        0.1, "horizontal-pod-autoscaler-tolerance", share, "Which deviation from the target is let be, as a share."
    )
    metric_resolution_s: float = _setting(
        15.0, "metric-resolution", period_s, "How often the CPU time and memory of pods and nodes are measured."
    )

    @classmethod
    def add_to(cls, parser: ArgumentParser) -> None:
        """Add the flags to a parser."""
        for each in fields(cls):
            flag, read = each.metadata["flag"], each.metadata["read"]
            parser.add_argument(
                f"--{flag}", dest=each.name, type=read, default=each.default, help=each.metadata["says"]
            )

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Periods:
        """Take the settings out of parsed arguments."""
        return cls(**{each.name: given[each.name] for each in fields(cls)})

    def arguments(self) -> Iterator[str]:
        """Return the flags that say the same."""
        for each in fields(self):
            value, unit = getattr(self, each.name), "" if each.metadata["read"] is share else "s"
            yield f"--{each.metadata['flag']}={value:f}{unit}"
