"""Bundles and verdicts for the report: one drill that passed, one that failed, built with the bundle's own writers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from bundle.manifest import Effect, LoadRecord, Manifest, Phase, PhaseName
from bundle.reader import Bundle
from bundle.table import REQUESTS, StreamWriter
from bundle.timeline import Entry
from bundle.writer import BundleWriter
from scorer.verdict import Grade, Measure, Objective, PhaseSpan, Stage, ValidityCheck, Verdict

START_NS = 1_764_000_000_000_000_000
FAULT_S = 30.0
_PHASES = (("warm-up", 0, 5), ("baseline", 5, 29), ("fault", 29, 33), ("recovery", 33, 50), ("cool-down", 50, 54))


@dataclass(frozen=True)
class Drill:
    """A bundle and the verdict on it."""

    bundle: Bundle
    verdict: Verdict


def ns(seconds: float) -> int:
    """UTC nanoseconds of a moment of the run."""
    return START_NS + int(seconds * 1e9)


def write_requests(root: Path, due_s: np.ndarray, latency_s: np.ndarray, ok: np.ndarray, sent: np.ndarray) -> None:
    """One stream of request rows; a row that was not sent has neither start nor latency."""
    due_ns = START_NS + (due_s * 1e9).astype(np.int64)
    rows = len(due_ns)

    def same(text: str) -> pa.Array:
        return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array([text]))

    writer = StreamWriter(root / "requests" / "w1.arrows", REQUESTS)
    columns = [
        pa.array(due_ns),
        pa.array(due_ns, mask=~sent),
        pa.array((latency_s * 1e9).astype(np.int64), mask=~sent),
        pa.array(np.where(ok, 200, 0).astype(np.uint16)),
        pa.array(ok),
        pa.array(np.full(rows, 120, np.int64)),
        same("GET /health"),
        same("us-east-1"),
        same(""),
        same("w1"),
    ]
    writer.append(pa.RecordBatch.from_arrays(columns, schema=REQUESTS))
    writer.close()


def build_bundle(
    root: Path,
    *,
    outage_s: float = 0.0,
    rate: float = 100.0,
    context: str = "us-east-1",
    deployment: str = "orchestration-agent",
    with_fault: bool = True,
    closed: bool = True,
) -> Bundle:
    """A pod-kill drill of 54 s whose fault comes after 30 s; 40 % of the requests fail for `outage_s` after it."""
    rng = np.random.default_rng(4)
    manifest = Manifest(
        id="20251124-160000-pod-kill",
        drill="pod-kill",
        title="Kill one orchestration-agent pod",
        contexts=(context,),
        namespace="tars",
        seed=7,
        tools={"chaostoolkit": "1.19.0", "locust": "2.47.0"},
        clock_wall_ns=START_NS,
        clock_mono_ns=0,
        clock_drift_ns=1_200_000,
        watched=(context,),
        load=LoadRecord(model="open", rate_per_s=rate, spacing="poisson", host="http://127.0.0.1:8000", timeout_s=5.0),
        effects=(
            Effect(
                kind="pods-replaced",
                activity="kill-a-pod",
                context=context,
                namespace="tars",
                selector="app=orchestration-agent",
            ),
        ),
        phases=tuple(
            Phase(name=PhaseName(name), start_ns=ns(start), end_ns=ns(end) if closed or name != "cool-down" else None)
            for name, start, end in _PHASES
        ),
        outcome="completed" if closed else "running",
    )
    writer = BundleWriter(root, manifest)
    due_s = np.sort(rng.uniform(0, 54, int(54 * rate)))
    after_s = due_s - FAULT_S
    hit = (after_s >= 0) & (after_s < outage_s) & (rng.uniform(size=due_s.size) < 0.4)
    slow = np.where((after_s >= 0) & (after_s < 2.5), 0.030 * np.exp(-after_s.clip(0)), 0.0)
    latency_s = rng.lognormal(np.log(0.006), 0.4, due_s.size) + slow
    latency_s[hit] = 5.0  # they timed out
    sent = ~(hit & (rng.uniform(size=due_s.size) < 0.1))
    write_requests(root, due_s, latency_s, ~hit, sent)
    labels = {"app": "orchestration-agent"}

    def seen(at_s: float, event: str, ready: int, name: str = deployment, **labels: str) -> None:
        writer.append(
            Entry(
                "deployment",
                event,
                ns(at_s) - 5_000_000,
                ns(at_s),
                context,
                "tars",
                name,
                "u-1",
                "watch",
                {"desired": 2, "ready": ready, "available": ready, "labels": labels},
            )
        )

    seen(0.1, "present", 2, **labels)
    seen(0.1, "present", 2, name="dashboard-api", app="dashboard-api")
    for when, at_s in (("before", 29.4), ("after", 32.8)):
        writer.append(Entry("hypothesis", "end", ns(at_s), ns(at_s), attributes={"when": when, "met": True}))
    if with_fault:
        writer.append(Entry("fault", "begin", ns(30.0), ns(30.18), attributes={"activity": "kill-a-pod"}))
        ended = {"activity": "kill-a-pod", "status": "succeeded"}
        writer.append(Entry("fault", "end", ns(30.2), ns(30.25), attributes=ended))
        seen(30.22, "modified", 1, **labels)
        seen(32.4 + outage_s / 3, "modified", 2, **labels)
    if closed:
        writer.close()
    return Bundle.open(root)


def measure(
    name: str,
    value: float | None,
    low: float | None,
    high: float | None,
    unit: str,
    n: int = 5400,
    stages: tuple[Stage, ...] = (),
) -> Measure:
    """A measure with a method and a line of evidence that name it."""
    return Measure(
        name=name,
        value=value,
        low=low,
        high=high,
        unit=unit,
        n=n,
        method=f"how {name} is found",
        evidence=(f"{n} rows from the fault on",),
        stages=stages,
    )


def objective(
    title: str,
    verdict: Grade,
    target: float,
    found: Measure,
    says: str,
    threshold: float | None = None,
    at_least: bool = False,
) -> Objective:
    """An objective named as its measure is."""
    return Objective(
        name=found.name,
        title=title,
        verdict=verdict,
        comparison="at least" if at_least else "at most",
        target=target,
        threshold=target if threshold is None else threshold,
        measure=found,
        says=says,
    )


_STAGES = (
    Stage(name="detect", value=0.04, low=0.01, high=0.06),
    Stage(name="reschedule", value=0.31, low=0.30, high=0.33),
    Stage(name="ready", value=1.87, low=1.85, high=1.90, dominant=True),
)
_CHECKS = (
    ValidityCheck(
        name="fault-proven",
        title="The fault took effect",
        ok=True,
        says="pod orchestration-agent-6d4f lost its UID 0.21 s after the fault began",
    ),
    ValidityCheck(
        name="load-kept", title="The load kept its rate", ok=True, says="5400 of 5400 due arrivals were sent"
    ),
    ValidityCheck(name="observers", title="No observer was blind", ok=True, says="longest gap 0.0 s of 1 s allowed"),
)


def passing_verdict() -> Verdict:
    """Every objective within its target."""
    ready = measure("recovery-ready", 2.22, 2.2, 2.4, "s", n=2, stages=_STAGES)
    return Verdict(
        drill="pod-kill",
        title="Kill one orchestration-agent pod",
        run="20251124-160000-pod-kill",
        verdict=Grade.PASS,
        summary="all 6 objectives within target; no request failed, a new pod was ready after 2.22 s",
        validity=_CHECKS,
        objectives=(
            objective(
                "Failed requests", Grade.PASS, 0, measure("failed-requests", 0, 0, 0, "requests"), "none of 5400 failed"
            ),
            objective("New pod ready", Grade.PASS, 60, ready, "ready within [2.2, 2.4] s of 60 s"),
            objective(
                "Time to recover, as users see it",
                Grade.PASS,
                600,
                measure("recovery-user", 0, 0, 0.18, "s"),
                "users saw no bad request",
            ),
            objective(
                "Error rate", Grade.PASS, 1, measure("error-rate", 0, 0, 0.0683, "%"), "at most 0.0683 %", threshold=5
            ),
            objective(
                "Availability",
                Grade.PASS,
                99.5,
                measure("availability", 100, 99.9317, 100, "%"),
                "at least 99.93 %",
                threshold=99,
                at_least=True,
            ),
            objective(
                "API latency p95",
                Grade.PASS,
                150,
                measure("latency-p95", 12.37, 12.02, 12.81, "ms"),
                "at most 12.81 ms",
                threshold=200,
            ),
        ),
        measures=(measure("error-budget-availability", 0, 0, 0.0412, "%"),),
        phases=tuple(PhaseSpan(name=name, start_s=start, end_s=end) for name, start, end in _PHASES),
        contexts=("us-east-1",),
        targets_sha256="ab" * 32,
    )


def failing_verdict() -> Verdict:
    """Requests failed, availability can't be told, and users were not seen to recover."""
    good = passing_verdict()
    never = measure("recovery-user", None, 20.0, None, "s")
    changed = {
        "failed-requests": objective(
            "Failed requests",
            Grade.FAIL,
            0,
            measure("failed-requests", 153, 153, 153, "requests"),
            "153 of 5400 requests failed or were never sent, 0 allowed",
        ),
        "recovery-user": objective(
            "Time to recover, as users see it",
            Grade.INCONCLUSIVE,
            600,
            never,
            "not recovered within the 20 s watched; watch for 600 s to settle it",
        ),
        "error-rate": objective(
            "Error rate",
            Grade.WARN,
            1,
            measure("error-rate", 2.833, 2.407, 3.311, "%"),
            "at most 3.311 %, over the target of 1 %",
            threshold=5,
        ),
        "availability": objective(
            "Availability",
            Grade.FAIL,
            99.5,
            measure("availability", 97.17, 96.689, 97.593, "%"),
            "at most 97.593 %, below the threshold of 99 %",
            threshold=99,
            at_least=True,
        ),
    }
    return good.model_copy(
        update={
            "verdict": Grade.FAIL,
            "summary": "153 of 5400 requests failed while one pod of two was being replaced",
            "objectives": tuple(changed.get(one.name, one) for one in good.objectives),
        }
    )


def invalid_verdict() -> Verdict:
    """The fault did nothing, so nothing was shown."""
    good = passing_verdict()
    idle = ValidityCheck(
        name="fault-proven",
        title="The fault took effect",
        ok=False,
        says="no pod that matches app=orchestration-agent lost its UID in us-east-1",
    )
    return good.model_copy(
        update={
            "verdict": Grade.INVALID,
            "summary": "nothing was shown: the fault did not take effect",
            "validity": (idle, *good.validity[1:]),
            "objectives": (),
            "measures": (),
        }
    )


class Builders:
    """What tests call to make bundles and verdicts of their own."""

    bundle = staticmethod(build_bundle)
    passing = staticmethod(passing_verdict)
    failing = staticmethod(failing_verdict)
    invalid = staticmethod(invalid_verdict)
    measure = staticmethod(measure)
    objective = staticmethod(objective)


@pytest.fixture
def build() -> Builders:
    """The builders; test modules can't import this file."""
    return Builders()


@pytest.fixture
def passed(tmp_path: Path) -> Drill:
    """A drill that nobody noticed."""
    return Drill(build_bundle(tmp_path / "passed"), passing_verdict())


@pytest.fixture
def failed(tmp_path: Path) -> Drill:
    """A drill with failed and unsent requests."""
    return Drill(build_bundle(tmp_path / "failed", outage_s=4.0), failing_verdict())
