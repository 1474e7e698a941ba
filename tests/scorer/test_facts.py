"""What is read from a bundle once, for every measure."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bundle.manifest import PhaseName
from bundle.reader import Bundle
from bundle.timeline import Entry
from scorer.facts import read_facts
from scorer.intervals import Interval
from scorer.planted import EPOCH_NS, Outage, Plan, plant
from scorer.span import Span

PlantedBundle = Callable[..., Bundle]
S = 1_000_000_000
FAULT_NS = EPOCH_NS + 7 * S


def begin(at_ns: int, activity: str) -> Entry:
    return Entry("fault", "begin", at_ns, at_ns + 5, attributes={"activity": activity})


def test_the_fault_is_the_begin_entry_of_the_activity_whose_effect_is_to_be_seen(planted: PlantedBundle) -> None:
    bundle = planted(Plan(fault_ms=40), extra=(begin(FAULT_NS - S, "announce"), begin(FAULT_NS + S, "kill")))
    assert read_facts(bundle).fault == Interval(FAULT_NS, FAULT_NS + 40_000_000)


def test_an_activity_that_nobody_named_is_the_fault_where_there_is_no_other(planted: PlantedBundle) -> None:
    bundle = planted(effects=())
    assert read_facts(bundle).fault == Interval(FAULT_NS, FAULT_NS + 40_000_000)


def test_the_window_reaches_from_the_fault_to_the_end_of_the_recovery_phase(planted: PlantedBundle) -> None:
    facts = read_facts(planted())
    assert facts.window == Span(FAULT_NS, facts.manifest.phases[3].end_ns or 0)
    assert facts.judged.done_ns.min() >= FAULT_NS
    assert facts.judged.scheduled_ns.max() < (facts.manifest.phases[3].end_ns or 0)


def test_requests_that_the_fault_found_under_way_are_judged(planted: PlantedBundle) -> None:
    facts = read_facts(planted(Plan(outages=(Outage(0, 0.5),), fault_ms=0, rate_per_s=2000, after_s=3)))
    cut = facts.requests.where(~facts.requests.ok & (facts.requests.scheduled_ns < FAULT_NS))
    assert len(cut) > 1
    assert facts.judged.bad == facts.requests.bad


@pytest.mark.parametrize(
    ("plan", "missing"),
    [
        (Plan(), 0),
        (Plan(silent=(10, 10.2)), 20),
        (Plan(silent=(10, 10.2), uncounted=True), 19),  # whether the window's edge held one more, nobody knows
        (Plan(silent=(10, 10.2), uncounted=True, spacing="poisson"), 0),
    ],
)
def test_arrivals_without_a_row_are_counted_where_their_workers_or_the_schedule_tell(
    planted: PlantedBundle, plan: Plan, missing: int
) -> None:
    assert read_facts(planted(plan)).unseen.missing == missing


def test_without_a_fault_the_window_begins_with_its_phase(planted: PlantedBundle) -> None:
    facts = read_facts(planted(keep=lambda entry: entry.kind != "fault"))
    assert facts.window is not None
    assert facts.window.start_ns == FAULT_NS - S


def test_without_fault_and_phase_there_is_no_window(planted: PlantedBundle) -> None:
    phases = planted().manifest.phases
    facts = read_facts(planted(phases=phases[:2], keep=lambda entry: entry.kind != "fault"))
    assert facts.window is None
    with pytest.raises(LookupError, match="the fault phase never began"):
        _ = facts.judged


def test_a_killed_run_lasts_as_long_as_its_rows(planted: PlantedBundle) -> None:
    facts = read_facts(planted(Plan(killed=True)))
    assert facts.ended_ns == facts.requests.done_ns.max() + 1
    assert facts.span_of(PhaseName.RECOVERY) == Span(EPOCH_NS + 9 * S, facts.ended_ns)
    assert facts.span_of(PhaseName.COOL_DOWN) is None


def acting(event: str, at_ns: int, status: str) -> Entry:
    return Entry("fault", event, at_ns, at_ns + 5, attributes={"activity": "kill", "status": status})


@pytest.mark.parametrize(
    ("entries", "acted"),
    [
        ((), None),
        ((acting("begin", 1, "failed"),), None),
        ((acting("injecting", 1, "succeeded"),), None),
        ((begin(1, "announce"),), None),
        ((acting("begin", 1, "succeeded"),), Interval(1, 6)),
        ((acting("begin", 1, "succeeded"), acting("begin", 9, "succeeded")), Interval(9, 14)),
        ((acting("begin", 1, "succeeded"), acting("begin", 9, "failed")), Interval(1, 6)),
    ],
)
def test_an_effects_action_was_at_work_when_it_last_succeeded(
    planted: PlantedBundle, entries: tuple[Entry, ...], acted: Interval | None
) -> None:
    facts = read_facts(planted(keep=lambda entry: entry.kind != "fault", extra=entries))
    assert facts.acted(facts.manifest.effects[0]) == acted


@pytest.mark.parametrize(
    ("journal", "status"),
    [
        (None, ""),
        ({"status": "completed", "deviated": True}, "completed"),
        ({"status": "failed", "deviated": True}, "completed"),
        ({"status": "failed", "deviated": False}, "failed"),
        ({"status": "aborted", "deviated": True}, "aborted"),
        ({}, "of no status"),
    ],
)
def test_an_experiment_that_deviated_by_a_probe_went_to_its_end(
    planted: PlantedBundle, journal: dict[str, object] | None, status: str
) -> None:
    bundle = planted()
    if journal is not None:
        (bundle.root / "journal.json").write_text(json.dumps(journal), encoding="utf-8")
    assert read_facts(bundle).journal_status == status


def test_pods_that_come_after_the_fault_replace_those_that_went(planted: PlantedBundle) -> None:
    facts = read_facts(planted(Plan(pods_killed=2)))
    (effect,) = facts.manifest.effects
    assert [pod.uid for pod in facts.victims(effect)] == ["old-0", "old-1"]
    assert [pod.uid for pod in facts.replacements(effect)] == ["new-0", "new-1"]


def test_the_baseline_lasts_up_to_the_fault_and_load_from_its_start(planted: PlantedBundle) -> None:
    facts = read_facts(planted(Plan(fault_ms=40)))
    assert facts.before_fault == Span(EPOCH_NS + S, FAULT_NS)
    assert facts.under_load == Span(EPOCH_NS + S, EPOCH_NS + 27 * S)
    without_fault = read_facts(planted(keep=lambda entry: entry.kind != "fault"))
    assert without_fault.before_fault == Span(EPOCH_NS + S, EPOCH_NS + 6 * S)


def test_without_a_baseline_there_is_nothing_before_the_fault(planted: PlantedBundle) -> None:
    phases = planted().manifest.phases
    facts = read_facts(planted(phases=(phases[0], *phases[2:])))
    assert (facts.before_fault, facts.under_load) == (None, None)


def test_a_lost_worker_was_there_up_to_its_last_row(planted: PlantedBundle) -> None:
    lost = Entry("load", "worker-lost", FAULT_NS, FAULT_NS, attributes={"worker": "worker-9", "error": "killed"})
    facts = read_facts(planted(Plan(workers=2, worker_lost_s=4, fault_ms=0), extra=(lost,)))
    assert facts.lost_workers.keys() == {"worker-2", "worker-9"}
    assert FAULT_NS + 3.9 * S < facts.lost_workers["worker-2"] < FAULT_NS + 4 * S
    assert facts.lost_workers["worker-9"] == EPOCH_NS  # it never sent a thing


@pytest.mark.parametrize(("outcome", "absurd"), [("completed", 2), ("running", 0)])
def test_an_answer_long_after_the_end_of_a_whole_recording_is_absurd(tmp_path: Path, outcome: str, absurd: int) -> None:
    """A time-out and a minute after; where the run was killed, the rows say when the recording ended."""
    truth = plant(tmp_path / "b", Plan(outages=()))
    path = tmp_path / "b" / "requests.parquet"
    table = pq.read_table(path)
    latency = table["latency_ns"].to_pylist()
    for row, seconds in ((-1, 66), (-2, 10**6), (-3, 64)):
        latency[row] = seconds * S
    number = table.schema.get_field_index("latency_ns")
    pq.write_table(table.set_column(number, table.schema.field(number), pa.array(latency)), path)
    bundle = Bundle.open(tmp_path / "b")
    manifest = bundle.manifest.model_copy(update={"outcome": outcome})
    assert read_facts(Bundle(tmp_path / "b", manifest)).absurd_rows == absurd
    assert truth.would_fail == 0
