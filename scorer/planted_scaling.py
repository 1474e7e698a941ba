"""Drills in which an autoscaler follows a load that rises and falls, whose truth is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bundle.manifest import Effect
from bundle.rates import RateCurve
from bundle.reader import Bundle
from bundle.timeline import Attribute, Entry
from scorer.planted import plant
from scorer.planted_plan import CONTEXT, EPOCH_NS, NAMESPACE, Outage, Plan

TARGET = "eval-engine"
_S = 1_000_000_000
_NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class ScalingPlan:
    """What to plant. Seconds from the load's rise, which is at the fault. The autoscaler reads its metric, itself read
    every `metric_s`, every `sync_s`."""

    seed: int = 0
    metric_s: float = 3.0
    sync_s: float = 3.0
    crossed_s: float = 0.3
    """CPU passes its target."""
    scales: bool = True
    ready_after_s: float | None = 2.0
    """A new pod is ready so long after it was created; None: never."""
    serving_after_s: float | None = 0.1
    """And is given traffic so long after that; None: nobody watches what serves."""
    fall_s: float | None = 16.0
    stabilization_s: float = 4.0
    after_s: float = 40.0
    users_hit: bool = True
    """Requests fail until a new pod serves."""


@dataclass(frozen=True, slots=True)
class ScalingTruth:
    """What really happened, in seconds from the load's rise; infinite what never did."""

    up_s: float
    created_s: float
    ready_s: float
    good_s: float
    down_s: float


def plant_scaling(root: Path, plan: ScalingPlan) -> ScalingTruth:
    """Write the bundle of a plan to `root`, which must not exist, and return the truth."""
    rng = np.random.default_rng([plan.seed, 11])
    truth = _truth(plan, rng)
    before_s = 7.0  # warm-up, baseline, and the first second of the fault's phase
    points = [(0.0, 20.0), (before_s, 20.0), (before_s, 100.0)]
    if plan.fall_s is not None:
        points += [(before_s + plan.fall_s, 100.0), (before_s + plan.fall_s, 10.0)]
    hit = plan.users_hit and truth.good_s > 0
    outages = (Outage(0.0, min(truth.good_s, plan.after_s + 2)),) if hit else ()
    plant(
        root,
        Plan(
            seed=plan.seed,
            curves=(RateCurve(tuple(points)),),
            outages=outages,
            after_s=plan.after_s,
            pods_killed=0,
            fault_ms=0,
            drill="autoscale-peak",
        ),
    )
    bundle = Bundle.open(root)
    rise_ns = EPOCH_NS + round(before_s * _S)
    entries = [entry for entry in bundle.timeline if entry.kind not in ("pod", "deployment")]
    entries += [*_hpa(plan, rng, truth, rise_ns), *_pods(plan, rng, truth, rise_ns)]
    seen = {"watches": "autoscalers"}
    entries.append(Entry("observer", "connected", EPOCH_NS, EPOCH_NS, CONTEXT, source="watch", attributes=seen))
    lines = [entry.to_json() for entry in sorted(entries, key=lambda entry: entry.latest_ns)]
    (root / "timeline.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    effect = Effect(kind="load-step", activity="kill", context=CONTEXT, namespace=NAMESPACE, name=TARGET)
    manifest = bundle.manifest.model_copy(update={"effects": (effect,), "timeline_entries": len(lines)})
    (root / "manifest.json").write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return truth


def _truth(plan: ScalingPlan, rng: np.random.Generator) -> ScalingTruth:
    metric_s, sync_s = rng.uniform(0, plan.metric_s), rng.uniform(0, plan.sync_s)

    def read_by(at_s: float) -> float:
        """When the autoscaler has read a metric that was taken after a moment."""
        taken = metric_s + plan.metric_s * np.ceil((at_s - metric_s) / plan.metric_s)
        return float(sync_s + plan.sync_s * np.ceil((taken - sync_s) / plan.sync_s))

    up = read_by(plan.crossed_s) if plan.scales else _NEVER
    created = up + 0.05
    ready = _NEVER if plan.ready_after_s is None else created + plan.ready_after_s
    at_work = ready + (plan.serving_after_s or 0.0)
    down = _NEVER if plan.fall_s is None or not plan.scales else read_by(plan.fall_s + plan.stabilization_s)
    return ScalingTruth(up, created, ready, at_work, down)


def _hpa(plan: ScalingPlan, rng: np.random.Generator, truth: ScalingTruth, rise_ns: int) -> Iterator[Entry]:
    marks = [("present", -6.0, 2, 20), ("modified", truth.up_s, 4, 95)]
    if plan.fall_s is not None:
        marks += [("modified", max(truth.up_s, plan.fall_s) + 0.5, 4, 15), ("modified", truth.down_s, 2, 15)]
    for event, at_s, desired, cpu in marks:
        if at_s < _NEVER:
            attributes: dict[str, Attribute] = {
                "target": TARGET,
                "min": 2,
                "max": 10,
                "current": 2,
                "desired": desired,
                "cpu_percent": cpu,
                "cpu_target_percent": 70,
                "stabilization_s": plan.stabilization_s,
            }
            yield _watched(rng, rise_ns, "hpa", event, at_s, TARGET, "hpa", attributes)


def _pods(plan: ScalingPlan, rng: np.random.Generator, truth: ScalingTruth, rise_ns: int) -> Iterator[Entry]:
    def pod(event: str, at_s: float, name: str, ready: bool) -> Entry:
        attributes: dict[str, Attribute] = {"phase": "Running", "ready": ready, "labels": {"app": TARGET}}
        return _watched(rng, rise_ns, "pod", event, at_s, name, name, attributes)

    yield from (pod("present", -6.0, f"{TARGET}-6d5f-old{n}", True) for n in range(2))
    yield pod("added", 1.0, f"{TARGET}-canary-77aa-other", True)  # of another deployment
    if truth.created_s < _NEVER:
        name = f"{TARGET}-6d5f-new0"
        yield pod("added", truth.created_s, name, False)
        if truth.ready_s < _NEVER:
            yield pod("modified", truth.ready_s, name, True)
            if plan.serving_after_s is not None:
                ready: dict[str, Attribute] = {"service": TARGET, "ready": [name]}
                yield _watched(rng, rise_ns, "endpointslice", "modified", truth.good_s, f"{TARGET}-x", "slice", ready)


def _watched(
    rng: np.random.Generator,
    rise_ns: int,
    kind: str,
    event: str,
    at_s: float,
    name: str,
    uid: str,
    attributes: dict[str, Attribute],
) -> Entry:
    """An entry as a watch delivers it, up to 20 ms late."""
    delivered = rise_ns + round(at_s * _S) + int(rng.integers(_S // 50))
    return Entry(kind, event, delivered - _S // 50, delivered, CONTEXT, NAMESPACE, name, uid, "watch", attributes)
