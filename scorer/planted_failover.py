"""Drills in which a region is lost and comes back, whose truth is known: leaders as polls see them, and replicas."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bundle.manifest import Effect
from bundle.reader import Bundle
from bundle.table import LEDGER, REQUESTS, SAMPLES
from bundle.timeline import Entry
from scorer.planted import plant
from scorer.planted_plan import APP, NAMESPACE, Outage, Plan

REGIONS = ("us-east-1", "us-west-2", "eu-central-1")
_S = 1_000_000_000

Sample = tuple[str, str, int, float]
"""Series, source, when (UTC ns), value."""


@dataclass(frozen=True, slots=True)
class Reign:
    """A replica of a region leads a term, in seconds from the fault; `until_s` None: to the end."""

    region: str
    term: int | None
    from_s: float
    until_s: float | None = None


@dataclass(frozen=True, slots=True)
class FailoverPlan:
    """What to plant. Seconds from the fault. The first region loses its replicas with the fault."""

    seed: int = 0
    reigns: tuple[Reign, ...] = (
        Reign("us-east-1", 3, -100.0, 0.05),
        Reign("us-west-2", 4, 0.4),
    )
    poll_s: float = 0.02
    round_trip_s: float = 0.005
    """How long an answer takes at most; what it says was true at some time in between."""
    unpolled: tuple[str, ...] = ()
    polled_s: tuple[float, float, float] = (1e3, 1e3, 1e3)
    """When the poll of each region dies without a word."""
    asked_s: float = 8.0
    """The replicas are asked back."""
    ready_s: float | None = 11.0
    serving_s: float | None = 11.2
    """From then on the first region answers again."""
    nameless: float = 0.0
    """The share of requests whose region isn't recorded."""
    region_slow_ms: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """By so much each region answers more slowly."""
    region_fails: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """The share of its requests that each region answers with an error."""
    writes: int = 40
    """How many writes the first region acknowledges; afterwards each region is asked for all of them."""
    lost_writes: int = 0
    """So many of them the last region hasn't got."""
    outages: tuple[Outage, ...] = ()
    after_s: float = 20.0
    fault_ms: float = 40.0
    rate_per_s: float = 100.0


@dataclass(frozen=True, slots=True)
class FailoverTruth:
    """What really happened, in UTC nanoseconds; in how far the rest is true is in the plan."""

    fault_ns: int
    first_answer_ns: int | None
    """When the first region's first good answer to a request came that was sent after its replicas were ready."""


def plant_failover(root: Path, plan: FailoverPlan) -> FailoverTruth:
    """Write the bundle of a plan to `root`, which must not exist, and return the truth."""
    base = plant(
        root,
        Plan(
            seed=plan.seed,
            rate_per_s=plan.rate_per_s,
            outages=plan.outages,
            after_s=plan.after_s,
            fault_ms=plan.fault_ms,
            pods_killed=0,
            watch_jitter=True,
            drill="region-failover",
        ),
    )
    bundle, rng = Bundle.open(root), np.random.default_rng([plan.seed, 7])
    entries = [entry for entry in bundle.timeline if entry.kind not in ("pod", "deployment")]
    entries += [*_replicas(plan, rng, base.fault_ns)]
    phases = bundle.manifest.phases
    start_ns, end_ns = phases[0].start_ns, max(phase.end_ns or 0 for phase in phases)
    for region in REGIONS[1:]:
        entries += [
            Entry("observer", "connected", start_ns, start_ns, region, source="watch", attributes={"watches": watches})
            for watches in ("pods", "deployments")
        ]
    for region in REGIONS:
        if region not in plan.unpolled:
            until_ns = _polled_until_ns(plan, region, base.fault_ns, end_ns)
            entries += _polled(plan, rng, region, base.fault_ns, start_ns, until_ns)
    lines = [entry.to_json() for entry in sorted(entries, key=lambda entry: entry.latest_ns)]
    (root / "timeline.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    effect = Effect(
        kind="replicas", activity="kill", context=REGIONS[0], namespace=NAMESPACE, name=APP, count=0, selector=""
    )
    changes = {"contexts": REGIONS, "watched": REGIONS, "effects": (effect,), "timeline_entries": len(lines)}
    manifest = bundle.manifest.model_copy(update=changes)
    (root / "manifest.json").write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
    _add_samples(root, _pulses(start_ns, end_ns))
    _add_samples(root, _polls(plan, base.fault_ns, start_ns, end_ns))
    _write_ledger(root, plan, base.fault_ns)
    return FailoverTruth(base.fault_ns, _answer(root, plan, rng, base.fault_ns))


def _polled(
    plan: FailoverPlan, rng: np.random.Generator, region: str, fault_ns: int, start_ns: int, end_ns: int
) -> Iterator[Entry]:
    """What polling one region's role shows: an entry for each change."""
    yield Entry("observer", "connected", start_ns, start_ns, region, source="poll", attributes={"watches": "leaders"})
    poll_ns, trip_ns = round(plan.poll_s * _S), round(plan.round_trip_s * _S)
    asked, before_ns, leading = start_ns + int(rng.integers(poll_ns)), start_ns, None
    first = True
    while asked < end_ns:
        answered = asked + int(rng.integers(1, trip_ns + 1))
        said_s = (int(rng.integers(asked, answered + 1)) - fault_ns) / _S
        reigns = [reign for reign in plan.reigns if reign.region == region]
        now = next((r for r in reigns if r.from_s <= said_s and (r.until_s is None or said_s < r.until_s)), None)
        if now != leading:
            event = "lost" if now is None else "present" if first else "seen"
            term = {} if now is None or now.term is None else {"term": now.term}
            earliest = asked if first else before_ns
            yield Entry(
                "leader",
                event,
                earliest,
                answered,
                region,
                NAMESPACE,
                f"{APP}-0",
                "",
                "poll",
                {"region": region, **term},
            )
        leading, before_ns, first = now, asked, False
        asked = max(asked + poll_ns, answered)


def _replicas(plan: FailoverPlan, rng: np.random.Generator, fault_ns: int) -> Iterator[Entry]:
    """What the watch tells of the deployment that loses its replicas, up to 20 ms late."""
    marks: list[tuple[str, float, int, int]] = [
        ("present", -6.0, 3, 3),
        ("modified", 0.01, 0, 3),
        ("modified", 0.1, 0, 0),
    ]
    marks += [("modified", plan.asked_s, 3, 0)] if plan.asked_s < plan.after_s else []
    marks += [("modified", plan.ready_s, 3, 3)] if plan.ready_s is not None else []
    for event, at_s, desired, ready in marks:
        at_ns = fault_ns + round(at_s * _S)
        delivered = at_ns + int(rng.integers(_S // 50))
        yield Entry(
            "deployment",
            event,
            delivered - _S // 50,
            delivered,
            REGIONS[0],
            NAMESPACE,
            APP,
            "deployment",
            "watch",
            {"labels": {"app": APP}, "desired": desired, "ready": ready},
        )


def _polled_until_ns(plan: FailoverPlan, region: str, fault_ns: int, end_ns: int) -> int:
    return min(end_ns, fault_ns + round(plan.polled_s[REGIONS.index(region)] * _S))


def _pulses(start_ns: int, end_ns: int) -> Iterator[Sample]:
    """The other regions' API servers answer once a second."""
    return (("api.round_trip_s", name, at_ns, 2e-3) for name in REGIONS[1:] for at_ns in range(start_ns, end_ns, _S))


def _polls(plan: FailoverPlan, fault_ns: int, start_ns: int, end_ns: int) -> Iterator[Sample]:
    """Each poll tells once a second how far apart its questions were."""
    for region in REGIONS:
        if region not in plan.unpolled:
            until_ns = _polled_until_ns(plan, region, fault_ns, end_ns)
            for at_ns in range(start_ns + _S, until_ns, _S):
                yield "poll.widest_s", f"{region}/{APP}-0", at_ns, plan.poll_s


def _add_samples(root: Path, samples: Iterable[Sample]) -> None:
    series, sources, times, values = zip(*samples, strict=True)
    columns = [
        pa.array(times),
        pa.array(series).dictionary_encode(),
        pa.array(sources).dictionary_encode(),
        pa.array(values),
    ]
    tables = [pq.read_table(root / "samples.parquet", schema=SAMPLES), pa.Table.from_arrays(columns, schema=SAMPLES)]
    pq.write_table(pa.concat_tables(tables).unify_dictionaries(), root / "samples.parquet")


def _write_ledger(root: Path, plan: FailoverPlan, fault_ns: int) -> None:
    """A row for each acknowledgement, and one for each region's answer afterwards."""
    asked = ["unknown"] + ["found"] * len(REGIONS)
    rows = [
        (f"write-{n}", region, "lost" if region == REGIONS[-1] and n < plan.lost_writes else word)
        for region, word in zip((REGIONS[0], *REGIONS), asked, strict=True)
        for n in range(plan.writes)
    ]
    columns = [
        pa.array([key for key, _, _ in rows], pa.string()),
        pa.array([fault_ns - _S] * len(rows), pa.int64()),
        pa.array([region for _, region, _ in rows], pa.string()).dictionary_encode(),
        pa.array([word for _, _, word in rows], pa.string()).dictionary_encode(),
    ]
    pq.write_table(pa.Table.from_arrays(columns, schema=LEDGER), root / "ledger.parquet")


def _answer(root: Path, plan: FailoverPlan, rng: np.random.Generator, fault_ns: int) -> int | None:
    """Deal the requests out to regions, and say when the first region's first good answer came after it was ready."""
    table = pq.read_table(root / "requests.parquet", schema=REQUESTS)
    start = table.column("start_ns").to_numpy()
    after_s = (start - fault_ns) / _S
    back_s = float("inf") if plan.serving_s is None else plan.serving_s
    gone = (after_s >= 0) & (after_s < back_s)
    region = np.where(gone, rng.integers(1, 3, len(start)), rng.integers(0, 3, len(start)))
    slow = np.array(plan.region_slow_ms)[region] * 1e6
    failed = rng.random(len(start)) < np.array(plan.region_fails)[region]
    latency = table.column("latency_ns").to_numpy() + slow.astype(np.int64)
    ok = table.column("ok").to_numpy() & ~failed
    named = np.where(rng.random(len(start)) < plan.nameless, 3, region)
    errors = np.where(ok, 0, 1)
    columns = {
        "latency_ns": pa.array(latency),
        "ok": pa.array(ok),
        "status": pa.array(np.where(ok, 200, 500).astype(np.uint16)),
        "region": pa.DictionaryArray.from_arrays(pa.array(named.astype(np.int32)), pa.array([*REGIONS, ""])),
        "error": pa.DictionaryArray.from_arrays(pa.array(errors.astype(np.int32)), pa.array(["", "HTTP 500"])),
    }
    for name, column in columns.items():
        table = table.set_column(table.schema.get_field_index(name), REQUESTS.field(name), column)
    pq.write_table(table, root / "requests.parquet")
    if plan.ready_s is None:
        return None
    back = ok & (named == 0) & (after_s >= plan.ready_s)
    done = table.column("scheduled_ns").to_numpy()[back] + latency[back]
    return int(done.min()) if len(done) else None
