"""Arrivals of the window that left no row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from bundle.manifest import LoadRecord, Worker
from bundle.rates import RateCurve
from bundle.reader import Bundle
from scorer.facts import Facts, read_facts
from scorer.planted import Outage, Plan

PlantedBundle = Callable[..., Bundle]
CLEAN = Plan(outages=())
LOAD = LoadRecord(model="open", rate_per_s=100, spacing="uniform", workers=(Worker(name="worker-1"),))


@pytest.mark.parametrize(
    ("plan", "missing"),
    [
        (CLEAN, 0),
        (Plan(silent=(10, 10.2), uncounted=True), 19),
        (Plan(silent=(10, 10.2), uncounted=True, workers=4), 19),  # the schedule is one, whoever sends it
        (Plan(silent=(10, 10.2), uncounted=True, spacing="poisson"), 0),
        (Plan(silent=(10, 10.2), uncounted=True, curves=(RateCurve(((0, 0), (17, 200))),)), 40),
        (Plan(curves=(RateCurve(((0, 100), (12, 100), (12, 0), (20, 0), (20, 100))),), silent=(6, 12)), 0),
        (Plan(curves=(RateCurve(((0, 0), (10, 60))), RateCurve.constant(40))), 0),
        (Plan(curves=(RateCurve(((0, 0), (10, 60))), RateCurve.constant(40)), spacing="poisson"), 0),
    ],
)
def test_arrivals_without_a_row_are_counted_where_the_schedule_tells(
    planted: PlantedBundle, plan: Plan, missing: int
) -> None:
    facts = read_facts(planted(plan))
    assert facts.unseen.missing == pytest.approx(missing, abs=1 if plan.curves else 0)
    assert (facts.unseen.omission, facts.unseen.evidence) == (None, ())


@pytest.mark.parametrize(
    ("plan", "missing"),
    [
        (Plan(silent=(10, 10.2)), 20),
        (Plan(silent=(-2, -1.8)), 20),  # where they were due nobody knows, but that they were
        (Plan(silent=(10, 10.2), workers=4), 20),
        (Plan(silent=(10, 10.2), users=10, pace_s=0.1, wait_s=0), 0),
        (Plan(uncounted=True), 0),
    ],
)
def test_rows_that_a_worker_recorded_and_nobody_has_are_missing(
    planted: PlantedBundle, plan: Plan, missing: int
) -> None:
    assert read_facts(planted(plan)).unseen.missing == missing


def test_so_are_those_of_a_poisson_process_whose_number_no_schedule_tells(planted: PlantedBundle) -> None:
    whole, holed = (read_facts(planted(Plan(spacing="poisson", silent=silent))) for silent in (None, (10, 10.2)))
    assert holed.unseen.missing == len(whole.requests) - len(holed.requests) > 0


@pytest.mark.parametrize("spacing", ["uniform", "poisson"])
def test_what_a_lost_worker_would_have_sent_is_missing(planted: PlantedBundle, spacing: str) -> None:
    facts = read_facts(planted(Plan(outages=(), spacing=spacing, workers=4, worker_lost_s=12)))
    gone = 8 * 25  # 8 s of a quarter of 100 requests/s
    assert facts.lost_workers.keys() == {"worker-4"}
    assert gone - 2 <= facts.unseen.missing <= (gone if spacing == "uniform" else 4 * gone)


def test_answers_that_a_lost_worker_waited_for_are_missing_as_well(planted: PlantedBundle) -> None:
    """Half of its requests hang as it dies, so that what it had sent for seconds is lost as well."""
    hangs = Plan(outages=(Outage(15, 22, 0.5, held="failed"),), spacing="poisson", workers=2, worker_lost_s=19.5)
    facts = read_facts(planted(hangs))
    assert facts.unseen.missing >= 4.5 * 25 + 0.5 * 50


def test_a_worker_lost_after_the_window_takes_nothing_from_it(planted: PlantedBundle) -> None:
    facts = read_facts(planted(Plan(outages=(), spacing="poisson", workers=2, worker_lost_s=21.9)))
    assert facts.unseen.missing <= 4 * (300**0.5) + 20  # what may hide in a time-out's length of Poisson arrivals


def test_failures_near_the_windows_edges_may_belong_to_it_where_clocks_are_coarse(planted: PlantedBundle) -> None:
    coarse = LOAD.model_copy(update={"workers": (Worker(name="worker-1", clock_uncertainty_ns=1_000_000_000),)})
    for outage, outside in ((Outage(-0.5, 2), 50), (Outage(19, 20.3), 30), (Outage(5, 10), 0)):
        plan = Plan(outages=(outage,), fault_ms=0)
        assert read_facts(planted(plan)).unseen.missing == 0
        assert read_facts(planted(plan, load=coarse)).unseen.missing == pytest.approx(outside, abs=3)


@pytest.mark.parametrize(("timeout_s", "outside"), [(0.5, 50), (5.0, 130), (None, 130)])
def test_failures_that_were_sent_before_they_count_may_belong_to_the_window(
    planted: PlantedBundle, timeout_s: float | None, outside: int
) -> None:
    """Where a record has their end alone: they were sent up to a time-out before."""
    load = LOAD.model_copy(update={"lacks": ("failed-start",), "timeout_s": timeout_s})
    facts = read_facts(planted(Plan(outages=(Outage(19, 21.3),), fault_ms=0), load=load))
    assert facts.unseen.missing == pytest.approx(outside, abs=3)


def test_users_who_wait_leave_out_what_an_open_workload_would_have_sent(planted: PlantedBundle) -> None:
    facts = read_facts(planted(Plan(users=10, pace_s=0.1, baseline_s=20, outages=(Outage(0, 3, held="failed"),))))
    assert facts.unseen.missing == 0
    assert facts.unseen.omitted == facts.unseen.unknown
    assert 290 <= facts.unseen.omitted <= 300 + 80  # 3 s, and what is uncertain of the baseline's rate
    assert facts.unseen.evidence == (
        "at the baseline's rate, 103.7 requests/s at most, an open workload would have sent up to "
        f"{facts.unseen.omitted} more",
    )


@pytest.mark.parametrize("lacks", [("schedule",), ("scheduled-time",), ("generator-health", "schedule")])
def test_an_imported_record_that_cannot_tell_is_taken_for_a_closed_loop(
    planted: PlantedBundle, lacks: tuple[str, ...]
) -> None:
    facts = read_facts(planted(Plan(silent=(5, 8)), load=LOAD.model_copy(update={"lacks": lacks})))
    assert facts.unseen.omitted >= 300
    assert facts.unseen.unknown <= 300 + 200  # what was lost is counted once


def test_without_a_baseline_what_users_left_out_cannot_be_known(planted: PlantedBundle) -> None:
    plan = Plan(users=10, pace_s=0.1)
    phases = planted(plan).manifest.phases
    with pytest.raises(LookupError, match="no baseline was recorded"):
        _ = read_facts(planted(plan, phases=(phases[0], *phases[2:]))).unseen


def test_where_no_load_was_recorded_nothing_is_missing(planted: PlantedBundle) -> None:
    assert read_facts(planted(CLEAN, load=None)).unseen.unknown == 0


def with_load(planted: PlantedBundle, plan: Plan, **changes: object) -> Facts:
    facts = read_facts(planted(plan))
    assert facts.manifest.load is not None
    load = facts.manifest.load.model_copy(update=changes)
    return replace(facts, manifest=facts.manifest.model_copy(update={"load": load}))


def test_requests_that_could_not_be_read_are_unseen(planted: PlantedBundle) -> None:
    assert with_load(planted, CLEAN, unreadable=3).unseen.missing == 3


def test_by_a_clock_that_nobody_knows_any_failure_may_have_been_in_the_window(planted: PlantedBundle) -> None:
    """The outage lies before the window by the record; 45 s is nothing for a clock that nobody looked after."""
    plan = Plan(outages=(Outage(-4, -2),), after_s=20)
    assert with_load(planted, plan).unseen.missing == 0
    assert with_load(planted, plan, lacks=("clock",)).unseen.missing == pytest.approx(200, abs=2)
