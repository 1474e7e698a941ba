"""Bundles whose truth is known: what accuracy is measured against, and what tests of bundle readers build on.

`plant(root, Plan(...))` writes a whole bundle through the same writers as a real run and returns the truth. The same
plan gives the same bytes of every table.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bundle.manifest import Effect, LoadRecord, Manifest, Phase, PhaseName, Worker
from bundle.table import REQUESTS, SAMPLES, StreamWriter
from bundle.timeline import Attribute, Entry
from bundle.writer import BundleWriter
from scorer.planted_plan import APP, CONTEXT, EPOCH_NS, NAMESPACE, Outage, Plan
from scorer.planted_rows import Rows, rows_of
from scorer.planted_truth import Truth, truth_of

__all__ = ["APP", "CONTEXT", "EPOCH_NS", "NAMESPACE", "Outage", "Plan", "Truth", "plant"]

_S = 1_000_000_000
_MS = 1_000_000
_WATCH_DELAY_NS = 20 * _MS
"""How long a watch may take to deliver an event: the width of a watched entry's interval."""


def plant(root: Path, plan: Plan) -> Truth:
    """Write the bundle of a plan to `root`, which must not exist, and return the truth."""
    rng = np.random.default_rng(plan.seed)
    phases = _phases(plan)
    fault_start, recovery_end = phases[2].start_ns, phases[3].end_ns
    earliest = fault_start + _S
    fault = earliest + round(rng.random() * plan.fault_ms * _MS)
    if plan.killed:
        phases = (*phases[:3], Phase(name=PhaseName.RECOVERY, start_ns=phases[3].start_ns))
    writer = BundleWriter(
        root,
        Manifest(
            id=f"planted-{plan.seed}",
            drill=plan.drill,
            title="A planted drill",
            contexts=(CONTEXT,),
            namespace=NAMESPACE,
            seed=plan.seed,
            clock_wall_ns=EPOCH_NS,
            clock_mono_ns=0,
            watched=(CONTEXT,),
            phases=phases,
            clock_drift_ns=None if plan.killed else round(plan.drift_ms * _MS),
            outcome="running" if plan.killed else "completed",
            load=_load(plan),
            effects=(
                Effect(
                    kind="pods-replaced",
                    activity="kill",
                    context=CONTEXT,
                    namespace=NAMESPACE,
                    selector=f"app={APP}",
                    count=1,
                ),
            ),
        ),
    )
    end = recovery_end or 0
    rows, numbers = _arrivals(plan, rng, fault, end + (0 if plan.killed else 2 * _S))
    _write_requests(root, plan, rows, numbers)
    _write_samples(root, plan, rng, fault, end, np.bincount(numbers, minlength=plan.workers).tolist())
    for entry in sorted(_timeline(plan, fault, earliest), key=lambda entry: entry.latest_ns):
        writer.append(entry)
    if not plan.killed:
        writer.close()
    if plan.torn is not None:
        timeline = root / "timeline.jsonl"
        os.truncate(timeline, int(plan.torn * timeline.stat().st_size))
    return truth_of(plan, fault, rows, (earliest, end))


def _load(plan: Plan) -> LoadRecord:
    workers = tuple(
        Worker(name=name, clock_offset_ns=round(ahead * _MS), clock_uncertainty_ns=round(plan.uncertain_ms * _MS))
        for name, ahead in zip(_workers(plan), plan.offsets_ms or [0.0] * plan.workers, strict=True)
    )
    if plan.users is not None:
        return LoadRecord(model="closed", workers=workers)
    return LoadRecord(
        model="open",
        rate_per_s=None if plan.curves else plan.rate_per_s,
        curves=plan.curves,
        began_ns=EPOCH_NS if plan.curves else None,
        spacing=plan.spacing,
        timeout_s=5,
        workers=workers,
    )


def _workers(plan: Plan) -> list[str]:
    return [f"worker-{number + 1}" for number in range(plan.workers)]


def _phases(plan: Plan) -> tuple[Phase, ...]:
    lengths = {
        PhaseName.WARM_UP: plan.warm_up_s,
        PhaseName.BASELINE: plan.baseline_s,
        PhaseName.FAULT: 3.0,
        PhaseName.RECOVERY: plan.after_s - 2.0,
        PhaseName.COOL_DOWN: 2.0,
    }
    phases, now = [], EPOCH_NS
    for name, length_s in lengths.items():
        phases.append(Phase(name=name, start_ns=now, end_ns=now + round(length_s * _S)))
        now += round(length_s * _S)
    return tuple(phases)


def _arrivals(plan: Plan, rng: np.random.Generator, fault_ns: int, end_ns: int) -> tuple[Rows, npt.NDArray[np.int64]]:
    """All arrivals, and the number of the worker that each was dealt out to."""
    rows = rows_of(plan, rng, fault_ns, end_ns)
    numbers = np.arange(len(rows.ok)) % plan.workers
    if plan.worker_lost_s is not None:  # it takes what it had not written with it
        gone = (numbers == plan.workers - 1) & (rows.done >= fault_ns + round(plan.worker_lost_s * _S))
        rows = replace(rows, lost=rows.lost | gone)
    if plan.missing == "requests":
        rows = replace(rows, lost=rows.lost | (numbers == plan.workers - 1))
    return rows, numbers


def _write_requests(root: Path, plan: Plan, every: Rows, numbers: npt.NDArray[np.int64]) -> None:
    rows, numbers = every.where(~every.lost), numbers[~every.lost]
    late, service, unsent, ok = rows.late, rows.service, rows.unsent, rows.ok & ~rows.unsent
    first, last = np.random.default_rng([plan.seed, 1]).uniform(
        -plan.uncertain_ms, plan.uncertain_ms, (2, plan.workers)
    )
    ahead = (np.array(plan.offsets_ms or [0.0] * plan.workers) + first)[numbers]
    ahead += (last - first)[numbers] * np.linspace(0, 1, len(numbers))
    scheduled = rows.scheduled + np.round(ahead * _MS).astype(np.int64)
    errors, count = np.where(ok, 0, np.where(unsent, 2, 1)), len(ok)
    constant = np.zeros(count, dtype=np.int32)
    columns = [
        pa.array(scheduled),
        pa.array(scheduled + late, mask=unsent),
        pa.array(late + service, mask=unsent),
        pa.array(np.where(ok, 200, 0).astype(np.uint16)),
        pa.array(ok),
        pa.array(np.where(ok, 128, 0)),
        _names(constant, ["GET /health"]),
        _names(constant, [CONTEXT]),
        _names(errors, ["", "connection refused", "unsent: no free slot"]),
        _names(numbers, _workers(plan)),
    ]
    stream = StreamWriter(root / "requests" / "worker-1.arrows", REQUESTS)
    batch = pa.RecordBatch.from_arrays(columns, schema=REQUESTS)
    for start in range(0, batch.num_rows, 1000):
        stream.append(batch.slice(start, 1000))
    stream.close()


def _write_samples(
    root: Path, plan: Plan, rng: np.random.Generator, fault_ns: int, end_ns: int, recorded: list[int]
) -> None:
    """The lag of the generator four times a second, the pulse of the API server once; at the end how many
    rows each worker recorded."""
    missing = {"samples": _workers(plan)[-1], "pulse": CONTEXT}.get(plan.missing)
    lost_ns = end_ns if plan.worker_lost_s is None else fault_ns + round(plan.worker_lost_s * _S)
    for series, source, every_ns, mean_s in (
        *(("load.lag_s", worker, _S // 4, plan.lag_ms / 1e3) for worker in _workers(plan)),
        ("api.round_trip_s", CONTEXT, _S, 2e-3),
    ):
        if source == missing:
            continue
        lost = plan.worker_lost_s is not None and source == _workers(plan)[-1]
        times = np.arange(EPOCH_NS, lost_ns if lost else end_ns, every_ns)
        values = rng.exponential(mean_s, len(times))
        parts = [(times, series, values)]
        if source in _workers(plan) and not (plan.killed or lost or plan.uncounted):
            count = float(recorded[_workers(plan).index(source)])
            parts.append((np.array([end_ns]), "load.rows", np.array([count])))
        stream = StreamWriter(root / "samples" / f"{source}.arrows", SAMPLES)
        for when, name, readings in parts:
            none = np.zeros(len(when), dtype=np.int32)
            columns = [pa.array(when), _names(none, [name]), _names(none, [source]), pa.array(readings)]
            stream.append(pa.RecordBatch.from_arrays(columns, schema=SAMPLES))
        stream.close()


def _timeline(plan: Plan, fault_ns: int, earliest_ns: int) -> list[Entry]:
    jitter = np.random.default_rng([plan.seed, 2])
    wait_ns = _WATCH_DELAY_NS if plan.poll_s is None else round(plan.poll_s * _S)

    def watched(kind: str, event: str, at_s: float, name: str, uid: str, **attributes: str | int | bool) -> Entry:
        at_ns = fault_ns + round(at_s * _S)
        if plan.poll_s is not None:
            received = EPOCH_NS - (EPOCH_NS - at_ns) // wait_ns * wait_ns
        else:
            received = at_ns + (int(jitter.integers(wait_ns)) if plan.watch_jitter else wait_ns // 2)
        return Entry(
            kind,
            event,
            received - wait_ns,
            received,
            CONTEXT,
            NAMESPACE,
            name,
            uid,
            "watch",
            {"labels": {"app": APP}, **attributes},
        )

    def observed(event: str, at_s: float, watches: str) -> Entry:
        at = fault_ns + round(at_s * _S)
        return Entry("observer", event, at, at, CONTEXT, source="watch", attributes={"watches": watches})

    def noted(kind: str, event: str, earliest: int, latest: int, **attributes: Attribute) -> Entry:
        return Entry(kind, event, earliest, latest, source="control", attributes=attributes)

    before_s = -(plan.baseline_s + 1.5)
    entries = [observed("connected", before_s, watches) for watches in ("pods", "deployments")]
    entries += [
        watched("pod", "present", before_s, f"agent-{n}", f"old-{n}", phase="Running", ready=True) for n in range(3)
    ]
    entries.append(watched("deployment", "present", before_s, APP, "deployment", desired=3, ready=3))
    latest_ns = earliest_ns + round(plan.fault_ms * _MS)
    for when, at, met, failed in (
        ("before", earliest_ns - _S // 10, plan.hypothesis_met, []),
        ("after", latest_ns + _S, not plan.unmet_after, list(plan.unmet_after)),
    ):
        entries += [
            noted("hypothesis", "begin", at, at, when=when),
            noted("hypothesis", "end", at, at, when=when, met=met, probes=5, failed=failed),
        ]
    rolled_ns = latest_ns + 3 * _S // 2
    output = json.dumps([f"agent-{n}" for n in range(plan.pods_killed)])
    entries += [
        noted("fault", "injecting", earliest_ns, earliest_ns, activity="kill"),
        noted("fault", "begin", earliest_ns, latest_ns, activity="kill", status="succeeded", output=output),
        noted("rollback", "begin", rolled_ns, rolled_ns),
        noted("rollback", "end", rolled_ns, rolled_ns, status="succeeded", failed=[]),
        noted("fault", "end", rolled_ns, rolled_ns, activity="kill"),
    ]
    for n in range(plan.pods_killed):
        entries += [
            watched("pod", "deleted", 0.05, f"agent-{n}", f"old-{n}", phase="Running", deleting=True),
            watched("pod", "added", 0.1, f"agent-new-{n}", f"new-{n}", phase="Pending", ready=False),
        ]
        if plan.ready_s is not None:
            running_s = 0.1 + (plan.ready_s - 0.1) / 3
            entries += [
                watched("pod", "modified", at_s, f"agent-new-{n}", f"new-{n}", phase="Running", ready=ready)
                for at_s, ready in ((running_s, False), (plan.ready_s, True))
            ]
    if plan.pods_killed:
        left = 3 - plan.pods_killed
        entries.append(watched("deployment", "modified", 0.12, APP, "deployment", desired=3, ready=left))
        if plan.ready_s is not None:
            entries.append(watched("deployment", "modified", plan.ready_s, APP, "deployment", desired=3, ready=3))
    if plan.worker_lost_s is not None:
        lost_ns = fault_ns + round(plan.worker_lost_s * _S)
        entries.append(noted("load", "worker-lost", lost_ns, lost_ns, worker=_workers(plan)[-1], error="killed"))
    if plan.blind is not None:
        entries += [observed("lost", plan.blind[0], "pods"), observed("resumed", plan.blind[1], "pods")]
    return entries


def _names(codes: npt.NDArray[np.integer], names: list[str]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array(names))
