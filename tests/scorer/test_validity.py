"""Each validity check holds for a sound drill, and falls, alone, when its piece is broken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bundle.manifest import LoadRecord, Worker
from bundle.reader import Bundle
from bundle.table import SAMPLES
from bundle.timeline import Entry
from scorer.facts import read_facts
from scorer.planted import CONTEXT, EPOCH_NS, NAMESPACE, Outage, Plan
from scorer.score import score
from scorer.targets import Targets
from scorer.validity import check_validity
from scorer.verdict import Grade

PlantedBundle = Callable[..., Bundle]
Row = dict[str, Any]
CLEAN = Plan(outages=())
LOAD = {"model": "open", "rate_per_s": 100, "spacing": "uniform", "workers": (Worker(name="worker-1"),)}
S = 1_000_000_000
FAULT_NS = EPOCH_NS + 7 * S


def failing(bundle: Bundle, targets: Targets) -> dict[str, str]:
    checks = check_validity(read_facts(bundle), targets, targets.of_drill("pod-kill").values())
    return {check.name: check.says for check in checks if not check.ok}


def test_every_check_holds_for_a_sound_drill(planted: PlantedBundle, targets: Targets) -> None:
    assert failing(planted(CLEAN), targets) == {}


def hypothesis(at_ns: int, *, met: bool, probes: int = 5, failed: tuple[str, ...] = ()) -> Entry:
    attributes = {"when": "before", "met": met, "probes": probes, "failed": list(failed)}
    return Entry("hypothesis", "end", at_ns, at_ns, attributes=attributes)


def without_fields(kind: str, **attributes: object) -> Callable[[Entry], bool]:
    return lambda entry: entry.kind != kind or any(entry.attributes.get(k) != v for k, v in attributes.items())


BROKEN: list[tuple[str, Plan, dict[str, Any], str]] = [
    ("run-completed", CLEAN, {"outcome": "aborted", "reason": "SIGTERM"}, "the run aborted: SIGTERM"),
    (
        "run-completed",
        CLEAN,
        {"outcome": "running"},
        "the run was killed before it ended: its last phase was cool-down",
    ),
    (
        "run-completed",
        CLEAN,
        {"tools": {"chaostoolkit": "1.19"}},
        "Chaos Toolkit took part and left no journal of its run",
    ),
    ("steady-state", Plan(outages=(), hypothesis_met=False), {}, "the hypothesis was not met: no probe is named"),
    (
        "steady-state",
        CLEAN,
        {"extra": (hypothesis(FAULT_NS - S // 100, met=False, failed=("replicas",)),)},
        "the hypothesis was not met: replicas",
    ),
    (
        "steady-state",
        CLEAN,
        {"extra": (hypothesis(FAULT_NS - 9, met=True, probes=0),)},
        "no probe of the hypothesis was evaluated, so that it shows nothing",
    ),
    (
        "run-completed",
        CLEAN,
        {"extra": (Entry("rollback", "end", FAULT_NS + S, FAULT_NS + S, attributes={"status": "failed"}),)},
        "a rollback failed: the fault may not have been undone",
    ),
    (
        "steady-state",
        CLEAN,
        {"keep": without_fields("hypothesis")},
        "no steady-state hypothesis was evaluated before the fault",
    ),
    (
        "steady-state",
        CLEAN,
        {
            "keep": without_fields("hypothesis"),
            "extra": (hypothesis(FAULT_NS + S // 10, met=True),),
        },
        "no steady-state hypothesis was evaluated before the fault",
    ),
    (
        "baseline",
        Plan(outages=(), background=0.02, seed=1),
        {},
        "599 requests: 2.34 % bad for Availability (tolerated 0.5 %), 2.34 % bad for API latency (tolerated 5 %)",
    ),
    ("baseline", Plan(outages=(Outage(-0.95, -0.03),), fault_ms=0), {}, "599 requests: 15.4 % bad for Availability"),
    (
        "fault-proven",
        Plan(outages=(), pods_killed=0),
        {},
        "0 of at least 1 pods with app=orchestration-agent in us-east-1 lost their UID after the fault began",
    ),
    ("fault-proven", CLEAN, {"effects": ()}, "the experiment's method injects no fault whose effect could be seen"),
    (
        "load-rate",
        Plan(outages=(), unsent=(2, 3)),
        {},
        "sent 2500 of 2600 due (96.15 %, at least 98 %), longest silence 1.01 s (at most 1 s)",
    ),
    (
        "load-rate",
        Plan(outages=(), silent=(2, 2.9)),
        {},
        "no arrival is recorded as due for 0.91 s (at most 0.12 s at its rate)",
    ),
    (
        "load-rate",
        Plan(outages=(), unsent=(2, 3.2), baseline_s=60),
        {},
        "sent 7980 of 8100 due (98.52 %, at least 98 %), longest silence 1.21 s (at most 1 s)",
    ),
    (
        "load-rate",
        Plan(outages=(), silent=(2, 2.4), baseline_s=60, spacing="poisson"),
        {},
        "(at most 0.187 s at its rate)",
    ),
    (
        "load-rate",
        CLEAN,
        {"load": LoadRecord.model_validate({**LOAD, "rate_per_s": 0})},
        "no load was applied: its rate is not above 0 or was not recorded",
    ),
    (
        "load-rate",
        CLEAN,
        {"load": LoadRecord.model_validate({**LOAD, "rate_per_s": -5})},
        "no load was applied: its rate is not above 0 or was not recorded",
    ),
    ("load-rate", CLEAN, {"load": LoadRecord.model_validate({**LOAD, "rate_per_s": 110})}, "sent 2600 of 2859 due"),
    (
        "generator",
        Plan(outages=(), late_ms=30),
        {},
        "99 % of requests started within 145.4 ms of their time and half of all lag samples were within",
    ),
    ("generator", Plan(outages=(), lag_ms=200), {}, "half of all lag samples were within 122.1 ms (at most 50 ms)"),
    ("enough-requests", Plan(outages=(), rate_per_s=10), {}, "requests were sent in the window, 299 are needed"),
    ("observers", Plan(outages=(), blind=(2, 3.1)), {}, "blind for 1.10 s at most (pods of us-east-1; at most 1 s)"),
    (
        "observers",
        CLEAN,
        {"keep": without_fields("observer", watches="deployments")},
        "blind for 20.00 s at most (deployments of us-east-1; at most 1 s)",
    ),
    (
        "observers",
        CLEAN,
        {
            "extra": tuple(
                Entry("observer", event, at, at, CONTEXT, source="pulse", attributes={"watches": "api"})
                for event, at in (("lost", EPOCH_NS + 8_000_000_000), ("resumed", EPOCH_NS + 10_500_000_000))
            )
        },
        "blind for 2.50 s at most (api of us-east-1; at most 1 s)",
    ),
    (
        "observers",
        CLEAN,
        {"extra": (Entry("pod", "present", EPOCH_NS + 1, EPOCH_NS, CONTEXT, NAMESPACE, "agent-9", "uid-9"),)},
        "1 entries of the timeline contradict themselves",
    ),
    ("observers", CLEAN, {"watched": ()}, "nothing was watched in us-east-1"),
    ("observers", CLEAN, {"contexts": (CONTEXT, "us-west-2")}, "nothing was watched in us-west-2"),
    ("clocks", CLEAN, {"clock_drift_ns": -200_000_000}, "drift -200.0 ms"),
    ("clocks", CLEAN, {"clock_drift_ns": None}, "the clock's drift was not measured at the end of the run"),
    (
        "clocks",
        CLEAN,
        {"load": LoadRecord.model_validate({**LOAD, "workers": (Worker(name="other"),)})},
        "how the clocks of these load workers stand was not recorded: worker-1",
    ),
    (
        "clocks",
        CLEAN,
        {"load": LoadRecord.model_validate({**LOAD, "workers": ()})},
        "how the clocks of these load workers stand was not recorded: worker-1",
    ),
    (
        "clocks",
        CLEAN,
        {
            "load": LoadRecord.model_validate(
                {**LOAD, "workers": (Worker(name="worker-1", clock_uncertainty_ns=150_000_000),)}
            )
        },
        "workers' clocks known to 150.0 ms",
    ),
]


@pytest.mark.parametrize(("name", "plan", "changes", "says"), BROKEN)
def test_a_check_falls_alone_when_its_piece_is_broken_and_the_drill_is_invalid(
    planted: PlantedBundle, targets: Targets, name: str, plan: Plan, changes: dict[str, Any], says: str
) -> None:
    bundle = planted(plan, **changes)
    fallen = failing(bundle, targets)
    assert list(fallen) == [name]
    assert says in fallen[name]
    verdict = score(bundle, targets)
    assert verdict.verdict is Grade.INVALID
    assert verdict.summary.startswith("nothing can be claimed: ")
    assert verdict.summary.endswith(f" ({name})")
    assert len(verdict.objectives) == 7


@pytest.mark.parametrize("workers", [2, 5])
@pytest.mark.parametrize("spacing", ["uniform", "poisson"])
def test_a_lost_worker_makes_a_drill_invalid_by_its_rate_alone(
    planted: PlantedBundle, targets: Targets, workers: int, spacing: Literal["uniform", "poisson"]
) -> None:
    plan = Plan(outages=(), spacing=spacing, workers=workers, worker_lost_s=8)
    assert list(failing(planted(plan), targets)) == ["load-rate"]


def test_every_check_holds_for_a_sound_closed_loop(planted: PlantedBundle, targets: Targets) -> None:
    assert failing(planted(Plan(outages=(), users=10, pace_s=0.1)), targets) == {}


def test_times_that_an_import_records_coarsely_are_a_caveat_and_no_broken_clock(
    planted: PlantedBundle, targets: Targets
) -> None:
    coarse = {**LOAD, "workers": (Worker(name="worker-1", clock_uncertainty_ns=S),)}
    load = LoadRecord.model_validate({**coarse, "lacks": ("start-resolution",)})
    assert failing(planted(CLEAN, load=load), targets) == {}
    assert list(failing(planted(CLEAN, load=LoadRecord.model_validate(coarse)), targets)) == ["clocks"]


def test_a_phase_that_never_ended_is_missed(planted: PlantedBundle, targets: Targets) -> None:
    phases = planted(CLEAN).manifest.phases
    fallen = failing(planted(CLEAN, phases=phases[:-1]), targets)
    assert fallen["run-completed"] == "these phases did not run to their end: cool-down"


def test_phases_must_run_in_their_order_once_each_and_one_at_a_time(planted: PlantedBundle, targets: Targets) -> None:
    warm_up, baseline, fault, recovery, cool_down = planted(CLEAN).manifest.phases
    middle_ns = recovery.start_ns + 4 * S
    for phases in (
        (warm_up, fault, baseline, recovery, cool_down),
        (
            warm_up,
            baseline,
            fault,
            recovery.model_copy(update={"end_ns": middle_ns}),
            recovery.model_copy(update={"start_ns": middle_ns}),
            cool_down,
        ),
        (warm_up, baseline, fault.model_copy(update={"end_ns": fault.start_ns - S}), recovery, cool_down),
        (warm_up, baseline, fault.model_copy(update={"start_ns": warm_up.start_ns}), recovery, cool_down),
        (
            warm_up,
            baseline,
            fault,
            recovery,
            cool_down.model_copy(update={"start_ns": cool_down.start_ns + 2 * S, "end_ns": cool_down.start_ns + 4 * S}),
        ),
    ):
        fallen = failing(planted(CLEAN, phases=phases), targets)
        assert fallen["run-completed"] == "the phases did not run one after the other, each once"


def test_an_experiment_that_its_own_journal_calls_aborted_did_not_complete(
    planted: PlantedBundle, targets: Targets
) -> None:
    bundle = planted(CLEAN)
    (bundle.root / "journal.json").write_text('{"status": "aborted"}', encoding="utf-8")
    assert failing(bundle, targets) == {
        "run-completed": "Chaos Toolkit's own journal says that the experiment was aborted"
    }


def test_a_torn_line_in_a_closed_timeline_may_have_been_any(planted: PlantedBundle, targets: Targets) -> None:
    for outcome, falls in (("completed", True), ("running", False)):
        bundle = planted(CLEAN, outcome=outcome)
        with (bundle.root / "timeline.jsonl").open("a", encoding="utf-8") as timeline:
            timeline.write('{"kind":"observer","event":"lo')
        assert ("observers" in failing(bundle, targets)) is falls


def samples(bundle: Bundle, keep: Callable[[Row], bool], value: float | None = None) -> Bundle:
    """The bundle with only those of its samples that `keep` likes, and this value where one is given."""
    rows = [row for batch in bundle.samples() for row in batch.to_pylist() if keep(row)]
    for row in rows:
        row["value"] = row["value"] if value is None else value
    columns = {field.name: pa.array([row[field.name] for row in rows]) for field in SAMPLES}
    pq.write_table(pa.table(columns), bundle.root / "samples.parquet")
    return bundle


@pytest.mark.parametrize(
    ("keep", "value", "name"),
    [
        (lambda row: row["series"] != "load.lag_s", None, "generator"),
        (lambda row: row["series"] != "load.lag_s" or row["t_ns"] % (4 * S) == 0, None, "generator"),
        (lambda _: True, -1.0, "generator"),
        (lambda _: True, float("nan"), "generator"),
        (lambda row: row["series"] != "api.round_trip_s", None, "observers"),
        (lambda row: row["series"] != "api.round_trip_s" or row["t_ns"] % (10 * S) == 0, None, "observers"),
    ],
)
def test_without_sound_samples_generator_and_observers_are_not_cleared(
    planted: PlantedBundle, targets: Targets, keep: Callable[[Row], bool], value: float | None, name: str
) -> None:
    assert list(failing(samples(planted(CLEAN), keep, value), targets)) == [name]


def test_without_a_baseline_there_is_no_steady_state_to_leave(planted: PlantedBundle, targets: Targets) -> None:
    phases = planted(CLEAN).manifest.phases
    fallen = failing(planted(CLEAN, phases=(phases[0], *phases[2:])), targets)
    assert fallen["baseline"] == "no request was sent in a baseline phase"
    assert fallen["load-rate"] == "no phase under load was recorded"


def test_poisson_arrivals_that_come_short_by_chance_are_no_lost_load(planted: PlantedBundle, targets: Targets) -> None:
    for seed in range(10):
        assert "load-rate" not in failing(planted(Plan(outages=(), spacing="poisson", seed=seed)), targets)


def test_a_check_that_cannot_be_made_did_not_hold(planted: PlantedBundle, targets: Targets) -> None:
    bundle = planted(CLEAN)
    effects = tuple(effect.model_copy(update={"selector": "app in (a)"}) for effect in bundle.manifest.effects)
    fallen = failing(planted(CLEAN, effects=effects), targets)
    assert fallen == {"fault-proven": "could not be checked: ValueError: selector term 'app in (a)' is not understood"}


def test_an_empty_bundle_fails_every_check_and_raises_nothing(planted: PlantedBundle, targets: Targets) -> None:
    bundle = planted(
        CLEAN,
        phases=(),
        effects=(),
        watched=(),
        load=None,
        outcome="running",
        clock_drift_ns=None,
        keep=lambda _: False,
    )
    (bundle.root / "requests.parquet").unlink()
    (bundle.root / "samples.parquet").unlink()
    assert len(failing(bundle, targets)) == 9
