"""Whether the load kept its rate: by constant rates, curves, several workers, and users who wait."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundle.manifest import LoadRecord, Worker
from bundle.rates import RateCurve
from bundle.reader import Bundle
from scorer.facts import read_facts
from scorer.load_rate import load_rate
from scorer.planted import EPOCH_NS, Outage, Plan, plant
from scorer.score import score
from scorer.source import Held
from scorer.targets import Targets

PlantedBundle = Callable[..., Bundle]
S = 1_000_000_000
RAMP = RateCurve(((0, 5), (16, 200)))
SPIKE = RateCurve(((0, 50), (8, 50), (8, 400), (11, 400), (11, 50)))
PAUSE = RateCurve(((0, 100), (8, 100), (8, 0), (15, 0), (15, 100)))
LATE = RateCurve(((0, 0), (3, 0), (3, 100)))
"""Nothing is due in the first third of the baseline."""
DRIPS = RateCurve(((0, 100), (7, 100), (7, 0), (10, 0), (10, 0.2)))
ENDS = RateCurve(((0, 100), (20, 100), (20, 0)))
WAVES = RateCurve(((0, 0), (2, 100), (4, 0)), repeats=True)
CURVES = {"ramp": RAMP, "spike": SPIKE, "pause": PAUSE, "late": LATE, "drips": DRIPS, "ends": ENDS, "waves": WAVES}


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("spacing", ["uniform", "poisson"])
@pytest.mark.parametrize("workers", [1, 3])
def test_a_rate_that_changes_is_kept_where_its_curve_is_followed(
    planted: PlantedBundle, targets: Targets, name: str, spacing: str, workers: int
) -> None:
    for seed in range(3):
        plan = Plan(seed=seed, outages=(), curves=(CURVES[name],), spacing=spacing, workers=workers)
        ok, says = load_rate(read_facts(planted(plan)), targets)
        assert ok, says


@pytest.mark.parametrize("spacing", ["uniform", "poisson"])
def test_classes_of_users_add_up(planted: PlantedBundle, targets: Targets, spacing: str) -> None:
    ok, says = load_rate(read_facts(planted(Plan(outages=(), curves=(RAMP, PAUSE, WAVES), spacing=spacing))), targets)
    assert ok, says


def of(spacing: str, **plan: object) -> Plan:
    return replace(Plan(outages=(), spacing=spacing), **plan)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        (of("uniform", curves=(RAMP,), unsent=(2, 4)), "sent "),
        (of("poisson", curves=(RAMP,), unsent=(2, 4)), "sent "),
        (of("uniform", curves=(SPIKE,), silent=(2, 2.05)), "no arrival is recorded as due for 0.05 s (at most 0.03"),
        (of("poisson", curves=(SPIKE,), silent=(2, 2.1)), "no arrival is recorded as due for 0.1"),
        (of("uniform", curves=(PAUSE,), silent=(8, 8.2)), "no arrival is recorded as due for 0.21 s (at most 0.12 s"),
        (of("uniform", curves=(SPIKE,), unsent=(1, 1.3)), "longest silence 0.30 s (at most 1 s)"),
        (of("uniform", rate_per_s=300, baseline_s=60, unsent=(5, 6.2)), "longest silence 1.20 s (at most 1 s)"),
        (of("uniform", baseline_s=90, curves=(PAUSE,), unsent=(5, 6.2)), "longest silence 1.21 s (at most 1 s)"),
        (
            of("uniform", baseline_s=2, after_s=60, curves=(replace(PAUSE),), unsent=(3.8, 12.2)),
            "longest silence 1.4",  # 0.2 s before the pause and 1.2 s after it: in between nothing was due
        ),
    ],
)
def test_what_was_lost_or_unsent_under_a_curve_is_seen(
    planted: PlantedBundle, targets: Targets, plan: Plan, says: str
) -> None:
    ok, said = load_rate(read_facts(planted(plan)), targets)
    assert not ok
    assert says in said


@settings(max_examples=15)
@given(
    rate=st.floats(5, 300),
    spacing=st.sampled_from(["uniform", "poisson"]),
    seed=st.integers(0, 1 << 30),
    before_s=st.floats(0, 1000),
    unsent_s=st.floats(0, 2),
    silent_s=st.floats(0, 0.5),
)
def test_a_curve_that_is_constant_is_judged_like_a_constant_rate(
    tmp_path_factory: pytest.TempPathFactory,
    targets: Targets,
    rate: float,
    spacing: str,
    seed: int,
    before_s: float,
    unsent_s: float,
    silent_s: float,
) -> None:
    root: Path = tmp_path_factory.mktemp("curve") / "b"
    plant(root, of(spacing, seed=seed, rate_per_s=rate, unsent=(3, 3 + unsent_s), silent=(7, 7 + silent_s)))
    rated = Bundle.open(root)
    assert rated.manifest.load is not None
    load = rated.manifest.load.model_copy(
        update={
            "rate_per_s": None,
            "curves": (RateCurve.constant(rate),),
            "began_ns": EPOCH_NS - round(before_s * 1e9),
        }
    )
    curved = Bundle(root, rated.manifest.model_copy(update={"load": load}))
    assert score(curved, targets) == score(rated, targets)


def test_curves_that_nobody_knows_the_beginning_of_are_no_schedule(planted: PlantedBundle, targets: Targets) -> None:
    load = LoadRecord(model="open", curves=(RAMP,), spacing="uniform", workers=(Worker(name="worker-1"),))
    verdict = score(planted(Plan(outages=()), load=load), targets)
    assert verdict.summary == (
        "nothing can be claimed: no load was applied: when its curves began was not recorded (load-rate)"
    )


def test_replayed_arrivals_may_lie_in_bunches(planted: PlantedBundle, targets: Targets) -> None:
    """Their curve says how many each second has, not where in it."""
    bunches = RateCurve(
        tuple((t + at, rate) for t in range(40) for at, rate in ((0, 400), (0.1, 400), (0.1, 0), (1, 0)))
    )
    plan = Plan(outages=(), curves=(bunches,))
    load = planted(plan).manifest.load
    assert load is not None
    by_second = {"curves": (RateCurve.constant(40),), "spacing": "replayed"}
    ok, says = load_rate(read_facts(planted(plan, load=load.model_copy(update=by_second))), targets)
    assert ok, says
    ok, says = load_rate(
        read_facts(planted(replace(plan, silent=(4, 6.5)), load=load.model_copy(update=by_second))), targets
    )
    assert not ok
    assert says.startswith("no arrival is recorded as due for 2.98 s (at most 2 s")


@pytest.mark.parametrize("spacing", ["uniform", "poisson"])
def test_a_worker_that_is_lost_takes_its_part_of_the_rate_with_it(
    planted: PlantedBundle, targets: Targets, spacing: str
) -> None:
    plan = of(spacing, workers=4, worker_lost_s=10)
    ok, says = load_rate(read_facts(planted(plan)), targets)
    assert not ok
    assert "; lost in the run: worker-4, and with it about 2" in says
    assert not load_rate(read_facts(planted(replace(plan, curves=(RAMP,)))), targets)[0]


def test_a_loss_that_chance_could_hide_is_reckoned_from_the_workers_part(
    planted: PlantedBundle, targets: Targets
) -> None:
    """A tenth of the rate for 10 of 26 s is 3.8 %; that few may come short in a Poisson process by itself."""
    ok, says = load_rate(read_facts(planted(of("poisson", workers=10, worker_lost_s=10))), targets)
    assert not ok
    assert "; lost in the run: worker-10, and with it about 10" in says


@pytest.mark.parametrize("spacing", ["uniform", "poisson"])
def test_a_loss_of_less_than_two_per_cent_is_named_and_suffered(
    planted: PlantedBundle, targets: Targets, spacing: str
) -> None:
    ok, says = load_rate(read_facts(planted(of(spacing, workers=4, worker_lost_s=19))), targets)
    assert ok, says
    assert "; lost in the run: worker-4, and with it about 2" in says


def test_a_worker_that_vanishes_without_a_word_is_missed_all_the_same(planted: PlantedBundle, targets: Targets) -> None:
    bundle = planted(of("uniform", workers=4, worker_lost_s=10), keep=lambda entry: entry.kind != "load")
    ok, says = load_rate(read_facts(bundle), targets)
    assert not ok
    assert "lost" not in says


CLOSED = Plan(outages=(), users=10, pace_s=0.1)


def test_users_who_wait_are_judged_by_what_can_be_judged(planted: PlantedBundle, targets: Targets) -> None:
    ok, says = load_rate(read_facts(planted(replace(CLOSED, outages=(Outage(0, 3, held="answered"),)))), targets)
    assert ok
    assert says.startswith("closed-loop: sent 600 requests in 6.0 s before the fault and 17")
    assert "in 20.0 s from then on; at the baseline's rate, 107 requests/s at most, an open workload" in says


def test_users_who_never_sent_show_nothing(planted: PlantedBundle, targets: Targets) -> None:
    ok, says = load_rate(read_facts(planted(replace(CLOSED, users=0))), targets)
    assert (ok, says) == (False, "sent 0 requests before the fault and 0 from then on")


def test_waiting_users_that_are_lost_are_named(planted: PlantedBundle, targets: Targets) -> None:
    ok, says = load_rate(read_facts(planted(replace(CLOSED, workers=2, worker_lost_s=10))), targets)
    assert not ok
    assert says.endswith("; lost in the run: worker-2, 19 % of the load")
    ok, _ = load_rate(read_facts(planted(replace(CLOSED, workers=2, worker_lost_s=19.5))), targets)
    assert ok


def test_an_import_without_a_schedule_says_so(planted: PlantedBundle, targets: Targets) -> None:
    load = LoadRecord(model="open", rate_per_s=500, lacks=("schedule",), workers=(Worker(name="worker-1"),))
    ok, says = load_rate(read_facts(planted(Plan(outages=()), load=load)), targets)
    assert ok
    assert says.startswith("no schedule is recorded: sent 600 requests in 6.0 s before the fault")
    phases = planted(Plan()).manifest.phases
    without_baseline = planted(Plan(outages=()), load=load, phases=(phases[0], *phases[2:]))
    assert load_rate(read_facts(without_baseline), targets) == (False, "no phase under load was recorded")


@pytest.mark.parametrize("spacing", ["uniform", "poisson"])
def test_a_request_that_is_recorded_twice_makes_the_drill_invalid(
    planted: PlantedBundle, targets: Targets, spacing: str
) -> None:
    facts = read_facts(planted(of(spacing)))
    rows = np.concatenate([np.arange(len(facts.requests)), [700]])
    assert load_rate(facts, targets)[0]
    ok, says = load_rate(replace(facts, source=Held(facts.requests.where(rows))), targets)
    assert (ok, says) == (False, "1 requests are recorded twice")


def test_two_requests_of_one_arrival_are_not_one_recorded_twice(planted: PlantedBundle, targets: Targets) -> None:
    facts = read_facts(planted(of("uniform")))
    rows = np.sort(np.concatenate([np.arange(len(facts.requests)), [700, 701]]))
    requests = facts.requests.where(rows)
    requests.latency_ns[rows.searchsorted([700, 701])] += 1
    assert load_rate(replace(facts, source=Held(requests)), targets)[0]


def test_an_imported_record_may_have_two_requests_at_once(planted: PlantedBundle, targets: Targets) -> None:
    load = planted(of("uniform")).manifest.load
    assert load is not None
    facts = read_facts(planted(of("uniform"), load=load.model_copy(update={"lacks": ("generator-health",)})))
    rows = np.concatenate([np.arange(len(facts.requests)), [700]])
    assert load_rate(replace(facts, source=Held(facts.requests.where(rows))), targets)[0]


@pytest.mark.parametrize("spacing", ["uniform", "poisson"])
@pytest.mark.parametrize(("stated", "ok"), [(100.0, True), (99.0, True), (85.0, False), (50.0, False)])
def test_more_load_than_the_schedule_has_is_another_load(
    planted: PlantedBundle, targets: Targets, spacing: str, stated: float, ok: bool
) -> None:
    facts = read_facts(planted(of(spacing)))
    assert facts.manifest.load is not None
    load = facts.manifest.load.model_copy(update={"rate_per_s": stated})
    said = load_rate(replace(facts, manifest=facts.manifest.model_copy(update={"load": load})), targets)
    assert said[0] is ok, said
    assert ok or "this load is another one" in said[1]


def test_the_later_requests_of_an_arrival_are_no_arrivals(planted: PlantedBundle, targets: Targets) -> None:
    """A task that sends two has twice as many rows as arrivals: the second is due when it starts."""
    facts = read_facts(planted(of("uniform")))
    second = replace(facts.requests, scheduled_ns=facts.requests.start_ns + 7, start_ns=facts.requests.start_ns + 7)
    both = [
        np.concatenate([getattr(facts.requests, f), getattr(second, f)]) for f in facts.requests.__dataclass_fields__
    ]
    ok, says = load_rate(replace(facts, source=Held(type(facts.requests)(*both))), targets)
    assert ok, says
