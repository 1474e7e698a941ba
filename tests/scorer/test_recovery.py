"""Recovery as users see it. How often the interval holds the truth is in test_accuracy.py."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from bundle.manifest import LoadRecord, Worker
from bundle.reader import Bundle
from scorer.facts import read_facts
from scorer.planted import Outage, Plan
from scorer.recovery import _soft_ends, _thin_ends, end_of_outage, following, recovery_user
from scorer.requests import Requests
from scorer.source import Held, gather
from scorer.stretch import Following, Stretch
from scorer.targets import Slo, Targets
from scorer.trail import Trail
from scorer.verdict import Measure

PlantedBundle = Callable[..., Bundle]
AVAILABILITY = Slo(title="Availability", sli="availability", objective=99)
STRICT = Slo(title="Availability", sli="availability", objective=99.5)
LATENCY = Slo(title="Latency", sli="latency", objective=90, latency_ms=1)


def requests(marks: str) -> Requests:
    """One request a second: `.` good, `x` failed, `s` slow."""
    start = np.arange(len(marks), dtype=np.int64) * 1_000_000_000
    latency = np.array([5_000_000 if mark == "s" else 0 for mark in marks], dtype=np.int64)
    ok = np.array([mark != "x" for mark in marks], dtype=np.bool_)
    return Requests(start, start, latency, np.ones(len(marks), dtype=np.bool_), ok)


def followed(rows: Requests, *slos: Slo) -> tuple[Trail, Stretch]:
    """The requests and their good stretch, which must hold for 10 s; two bad ones of three show an outage."""
    source = Held(rows)
    asked = Following(0, 10**18, slos or (AVAILABILITY,), (3,) * max(1, len(slos)), 10_000_000_000)
    stretch: Stretch = gather(source, [asked])[0]
    return Trail(source, asked.cut, stretch.sizes), stretch


@pytest.mark.parametrize(
    ("marks", "first", "broken_at", "flaps", "held"),
    [
        ("." * 20, 0, None, 0, True),
        ("xxx" + "." * 20, 3, 2, 0, True),
        ("xxx" + "." * 9, 3, 2, 0, False),
        ("x" * 9, 9, 8, 0, False),
        ("x..x" + "." * 20, 4, 3, 1, True),
        ("x....x....x" + "." * 20, 11, 10, 2, True),
        ("." * 98 + "x" + "." * 20, 99, 98, 0, True),  # 1 of 99 is beyond 1 %
        ("." * 99 + "x" + "." * 20, 0, None, 0, True),  # 1 of 100 is not
        ("." * 99 + "xx" + "." * 20, 101, 100, 0, True),
        ("ssss" + "." * 9 + "s" + "." * 20, 4, 3, 0, True),
        ("ssss" + "." * 8 + "s" + "." * 20, 13, 12, 1, True),
        ("", 0, None, 0, False),
    ],
)
def test_the_good_stretch_begins_where_every_sli_stays_within_its_slo(
    marks: str, first: int, broken_at: int | None, flaps: int, held: bool
) -> None:
    _, stretch = followed(requests(marks), AVAILABILITY, LATENCY)
    assert (stretch.first, stretch.broken_by and stretch.broken_by.index) == (first, broken_at)
    assert (stretch.flaps, stretch.held) == (flaps, held)


@pytest.fixture
def recovered(planted: PlantedBundle, targets: Targets) -> Callable[[Plan], Measure]:
    return lambda plan: recovery_user(read_facts(planted(plan)), targets)


def test_a_hard_outage_ends_between_its_last_bad_request_and_the_first_good_ones(
    recovered: Callable[[Plan], Measure],
) -> None:
    taken = recovered(Plan(outages=(Outage(0, 3),), fault_ms=0))
    assert taken.low is not None
    assert taken.high is not None
    assert taken.low <= 3 <= taken.high
    assert taken.high - taken.low < 0.045
    assert taken.value == pytest.approx(3, abs=0.02)
    assert [stage.name for stage in taken.stages] == ["detect", "reschedule", "start", "traffic good"]
    assert sum(stage.value or 0 for stage in taken.stages) == pytest.approx(taken.value, abs=0.001)


def test_users_who_never_saw_a_bad_request_recovered_at_once_as_far_as_requests_can_tell(
    recovered: Callable[[Plan], Measure],
) -> None:
    taken = recovered(Plan(outages=(), fault_ms=0))
    assert (taken.value, taken.low) == (0, 0)
    assert taken.high == pytest.approx(5.98, abs=0.05)  # 598 requests at 100/s
    assert taken.evidence[0].startswith(
        "no request was bad; an outage of more than 0.5 % would have shown in the first 598 requests"
    )


def test_too_few_requests_after_the_fault_leave_recovery_open(recovered: Callable[[Plan], Measure]) -> None:
    taken = recovered(Plan(outages=(), rate_per_s=20))
    assert (taken.value, taken.low, taken.high) == (0, 0, None)
    assert taken.evidence[0].startswith(
        "no request was bad, but it needs 598 requests after the fault to exclude an outage, has"
    )


def test_an_outage_that_outlasts_the_recording_is_censored(recovered: Callable[[Plan], Measure]) -> None:
    taken = recovered(Plan(outages=(Outage(0, 60, 0.5),), fault_ms=0))
    assert (taken.value, taken.high) == (None, None)
    assert taken.low == pytest.approx(22, abs=0.3)
    assert taken.evidence == ("users had not recovered for 5 s when the recording ended, 22.0 s after the fault",)


def test_good_for_less_than_the_hold_time_is_not_recovered(recovered: Callable[[Plan], Measure]) -> None:
    assert recovered(Plan(outages=(Outage(0, 18),), fault_ms=0)).high is None
    assert recovered(Plan(outages=(Outage(0, 16),), fault_ms=0)).value == pytest.approx(16, abs=0.05)


def test_an_outage_that_comes_back_is_a_flap_and_not_a_recovery(recovered: Callable[[Plan], Measure]) -> None:
    taken = recovered(Plan(outages=(Outage(0, 2), Outage(8, 9)), fault_ms=0))
    assert taken.value == pytest.approx(9, abs=0.05)
    assert taken.evidence[-1] == "flaps: 1"


def test_a_thin_outage_is_bounded_by_how_thin_it_was(recovered: Callable[[Plan], Measure]) -> None:
    taken = recovered(Plan(outages=(Outage(0, 5, 1 / 9),), fault_ms=0))
    assert taken.low is not None
    assert taken.high is not None
    assert taken.low <= 5 <= taken.high
    assert 0.1 < taken.high - taken.low < 1.5


def test_one_stray_bad_request_is_no_proof_of_an_outage_and_bounded_by_what_the_slo_tolerates(
    recovered: Callable[[Plan], Measure],
) -> None:
    taken = recovered(Plan(outages=(Outage(1, 1.006),), fault_ms=0, after_s=30))
    assert taken.evidence[0].startswith("bad requests for Availability: 1;")
    assert taken.low == 0
    assert taken.value == pytest.approx(1, abs=0.03)
    assert taken.high == pytest.approx(1 + 9.19, abs=0.05)  # 919 requests at 100/s
    assert recovered(Plan(outages=(Outage(1, 1.006),), fault_ms=0, after_s=8)).high is None


def test_what_is_uncertain_of_a_workers_clock_widens_both_bounds(planted: PlantedBundle, targets: Targets) -> None:
    blurred = LoadRecord(model="open", workers=(Worker(name="worker-1", clock_uncertainty_ns=70_000_000),))
    sharp, blunt = (recovery_user(read_facts(planted(**changes)), targets) for changes in ({}, {"load": blurred}))
    assert blunt.low == pytest.approx((sharp.low or 0) - 0.07)
    assert blunt.high == pytest.approx((sharp.high or 0) + 0.07)


def test_a_brown_out_by_latency_is_an_outage_for_users(recovered: Callable[[Plan], Measure]) -> None:
    taken = recovered(Plan(outages=(Outage(0, 4, slow_ms=400),), fault_ms=0))
    assert taken.value == pytest.approx(4, abs=0.05)
    assert "for API latency" in taken.evidence[0]


def test_the_faults_own_span_widens_the_interval(recovered: Callable[[Plan], Measure]) -> None:
    sharp, blunt = (recovered(Plan(outages=(Outage(0, 3),), fault_ms=fault_ms)) for fault_ms in (0, 500))
    assert blunt.high is not None
    assert blunt.low is not None
    assert sharp.high is not None
    assert sharp.low is not None
    assert blunt.high - blunt.low == pytest.approx(sharp.high - sharp.low + 0.5, abs=0.02)


def test_the_order_of_rows_changes_nothing_where_requests_start_at_once(
    planted: PlantedBundle, targets: Targets
) -> None:
    facts = read_facts(planted(Plan(outages=(Outage(0, 3, 1 / 3),), seed=5)))
    pairs = np.arange(len(facts.requests)) // 2 * 2
    tied = replace(
        facts.requests, scheduled_ns=facts.requests.scheduled_ns[pairs], start_ns=facts.requests.start_ns[pairs]
    )
    one, other = (
        recovery_user(replace(facts, source=Held(tied.where(order))), targets)
        for order in (np.arange(len(tied)), np.arange(len(tied))[::-1])
    )
    assert one == other


def test_a_row_from_after_the_recording_makes_nothing_last(planted: PlantedBundle, targets: Targets) -> None:
    facts = read_facts(planted(Plan(outages=(Outage(0, 19),))))
    late = facts.requests.where(np.array([*range(len(facts.requests)), -1]))
    late.scheduled_ns[-1] += 86_400 * 10**9
    late.start_ns[-1] += 86_400 * 10**9
    assert recovery_user(replace(facts, source=Held(late)), targets).high is None


@pytest.mark.parametrize(("apart", "shown"), [(3, True), (4, False)])
def test_bad_requests_show_an_outage_only_where_tolerated_ones_hardly_ever_lie_so_close(
    apart: int, shown: bool, planted: PlantedBundle, targets: Targets
) -> None:
    """At 99.5 %, the chance of another bad request within 3 is 1.5 %, a third of what may err is 1.7 %."""
    strict = targets.model_copy(update={"slos": {"strict": STRICT}})
    assert following(read_facts(planted(Plan())), strict).near == (3,)
    _, stretch = followed(requests("." * 50 + "x" + "." * (apart - 1) + "x" + "." * 9), STRICT)
    assert stretch.broken_by is not None
    assert stretch.broken_by.index == 50 + apart
    assert (stretch.broken_by.shown is not None) is shown


def test_without_a_fault_there_is_nothing_to_recover_from(planted: PlantedBundle, targets: Targets) -> None:
    facts = read_facts(planted(keep=lambda entry: entry.kind != "fault"))
    with pytest.raises(LookupError, match="no fault was recorded to recover from"):
        recovery_user(facts, targets)


def test_a_stall_that_few_waiting_users_hide_among_many_good_answers_is_no_recovery(
    recovered: Callable[[Plan], Measure],
) -> None:
    """Ten slow answers after 2,200 good ones are within 0.5 %; an open workload has 300 of them."""
    taken = recovered(Plan(users=10, pace_s=0.1, after_s=40, outages=(Outage(22, 25, held="answered"),)))
    assert taken.low is not None
    assert taken.high is not None
    assert 21.5 <= taken.low <= 22.5
    assert 24.85 <= taken.high <= 26.5


def test_users_who_all_wait_when_the_recording_ends_have_not_recovered(
    planted: PlantedBundle, targets: Targets
) -> None:
    bundle = planted(Plan(users=10, pace_s=0.1, outages=(Outage(10, 60, held="failed"),)))
    rows = pq.read_table(bundle.root / "requests.parquet")
    pq.write_table(rows.filter(pc.field("ok")), bundle.root / "requests.parquet")
    taken = recovery_user(read_facts(Bundle.open(bundle.root)), targets)
    assert taken.high is None
    assert taken.evidence[0].endswith(": nobody had sent anything for 12.0 s")


@pytest.mark.parametrize(("timeout_s", "low_s"), [(1.0, 2), (None, 0)])
def test_failures_of_which_only_the_end_is_known_show_an_outage_up_to_a_time_out_before(
    planted: PlantedBundle, targets: Targets, timeout_s: float | None, low_s: float
) -> None:
    bundle = planted(Plan(fault_ms=0))
    assert bundle.manifest.load is not None
    load = bundle.manifest.load.model_copy(update={"lacks": ("failed-start",), "timeout_s": timeout_s})
    taken = recovery_user(read_facts(planted(Plan(fault_ms=0), load=load)), targets)
    assert taken.low == pytest.approx(low_s, abs=0.05)
    assert taken.high == pytest.approx(3, abs=0.05)


@pytest.mark.parametrize(
    ("hits", "thin"),
    [
        (list(range(40)), []),
        (list(range(0, 270, 9)), []),
        ([0, 4, 7, 9, 20, 24, 26, 40], []),
        ([*range(30), 60], [1, 2, 3, 4, 5]),
        ([*range(30), 60, 95, 120], [1, 2, 3, 4, 5]),
        ([*range(0, 100, 3), 400], [1, 2, 3, 4, 5]),
        ([*range(0, 100, 3), 108], []),
        ([7], []),
    ],
)
def test_an_outage_is_seen_to_have_thinned_out_by_how_far_its_last_bad_requests_lie_apart(
    hits: list[int], thin: list[int]
) -> None:
    assert list(_thin_ends(np.array(hits))) == thin


def test_a_hard_outage_that_thinned_out_may_have_gone_on_for_longer_than_its_hard_part_tells(
    targets: Targets,
) -> None:
    """One bad request, 30 after the hard part: it may as well have been one in 700."""
    marks = "x" * 30 + "." * 30 + "x" + "." * 900
    latest, _ = end_of_outage(*followed(requests(marks), STRICT), targets, 0)
    assert latest is not None
    assert latest.index > 61 + 700
    latest, _ = end_of_outage(*followed(requests("x" * 30 + "." * 900), AVAILABILITY), targets, 0)
    assert latest is not None
    assert latest.index == 30


@pytest.mark.parametrize(
    ("hits", "let_through", "soft"),
    [
        (range(30), [], []),
        ([*range(30), 31], [30], [1]),
        ([*range(30), 31, 32, 33], [30], [3]),
        ([*range(30), 31, 40, 41], [30, 31], [3]),
        ([*range(0, 60, 2)], range(1, 30), []),
        ([0, 3], [1], []),
        ([0, 1, 4], [2], [1]),
        ([5], [], []),
    ],
)
def test_an_outage_is_another_once_it_has_let_requests_through(
    hits: Sequence[int], let_through: Sequence[int], soft: list[int]
) -> None:
    """Requests lie a second apart and take none, so that each good one shows."""
    marks = np.full(max(hits) + 40, ".")
    marks[list(hits)] = "x"
    trail, _ = followed(requests("".join(marks)))
    seen = trail.let_through(np.array(hits))
    assert (1 + np.flatnonzero(seen)).tolist() == list(let_through)
    assert list(_soft_ends(seen)) == soft


def test_requests_that_overlap_do_not_show_that_others_were_let_through() -> None:
    rows = requests("xxx.x.....")
    slow = replace(rows, latency_ns=np.where(rows.ok, 1_500_000_000, 0))
    seen, hidden = (followed(some)[0].let_through(np.array([0, 1, 2, 4])).tolist() for some in (rows, slow))
    assert seen == [False, False, True]
    assert hidden == [False, False, False]


def test_requests_without_a_row_may_have_been_bad_as_late_as_they_could_still_break_the_slo(
    targets: Targets,
) -> None:
    """Three of 300 requests are no more than 1 %; what may go on unseen after that is as much as before."""
    lenient = targets.model_copy(update={"slos": {"lenient": AVAILABILITY}})
    latest, _ = end_of_outage(*followed(requests("x" * 30 + "." * 900)), lenient, 3)
    assert latest is not None
    assert latest.index == 30 + (300 - 3)


def test_any_number_of_missing_rows_leaves_recovery_open(planted: PlantedBundle, targets: Targets) -> None:
    load = planted(Plan(outages=())).manifest.load
    assert load is not None
    for missing in (3000, 2**62):
        lost = load.model_copy(update={"unreadable": missing})
        taken = recovery_user(read_facts(planted(Plan(outages=()), load=lost)), targets)
        assert (taken.value, taken.high) == (0, None)
        assert f"it needs {missing + 1} requests" in taken.evidence[0]
