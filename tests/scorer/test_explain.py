"""How verdicts come about: the rows and entries that are told are those that the figures rest on."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bundle.reader import Bundle
from bundle.table import REQUESTS
from scorer import measures as measuring
from scorer.explain import CHECKS, MEASURES, explain
from scorer.explanation import Explanation, KindTold, Told
from scorer.planted import Outage, Plan
from scorer.score import score
from scorer.targets import MEASURE_UNITS, Targets
from scorer.verdict import Grade


def explained(bundle: Bundle, targets: Targets) -> Explanation:
    return explain(bundle, targets, score(bundle, targets))


def objective(explanation: Explanation, name: str) -> Told:
    return next(told for told in explanation.objectives if told.name == name)


def check(explanation: Explanation, name: str) -> Told:
    return next(told for told in explanation.validity if told.name == name)


def kind(told: Told, says: str) -> KindTold:
    return next(kind for kind in told.rows if says in kind.says)


def test_every_measure_and_every_check_can_be_explained(planted, targets: Targets) -> None:
    assert MEASURES.keys() == measuring.MEASURES.keys() == MEASURE_UNITS.keys()
    verdict = score(planted(), targets)
    assert list(CHECKS) == [check.name for check in verdict.validity]


def test_figures_and_grades_are_the_verdicts(planted, targets: Targets) -> None:
    bundle = planted()
    verdict = score(bundle, targets)
    explanation = explain(bundle, targets, verdict)
    assert [told.result for told in explanation.objectives] == [o.verdict for o in verdict.objectives]
    assert [told.decided for told in explanation.validity] == [check.says for check in verdict.validity]
    assert (explanation.verdict, explanation.summary) == (verdict.verdict, verdict.summary)


def test_the_kinds_of_the_window_add_up_to_what_was_counted(planted, targets: Targets) -> None:
    bundle = planted(Plan(unsent=(8.0, 8.2), outages=(Outage(0, 2, 0.4),)))
    verdict = score(bundle, targets)
    explanation = explain(bundle, targets, verdict)
    for name in ("failed-requests", "error-rate", "availability", "api-latency-p95"):
        told = objective(explanation, name)
        counted = next(o.measure.n for o in verdict.objectives if o.name == name)
        kinds = [kind(told, says).count for says in ("failed", "answered well", "never sent")]
        assert sum(kinds) == counted
        assert min(kinds) > 0


def test_the_first_and_the_last_failure_are_those_of_the_outage(planted, targets: Targets) -> None:
    told = objective(explained(planted(Plan(fault_ms=0)), targets), "failed-requests")
    failed = kind(told, "failed")
    assert told.value == f"{failed.count} requests"
    assert failed.first is not None
    assert failed.last is not None
    assert failed.first.sent_s == pytest.approx(0.0, abs=0.02)
    assert failed.last.sent_s == pytest.approx(3.0, abs=0.02)
    assert (failed.first.endpoint, failed.first.status, failed.first.error) == ("GET /health", 0, "connection refused")


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("share", [1.0, 0.3])
def test_the_bounds_of_recovery_are_the_times_of_the_rows_that_are_told(
    planted, targets: Targets, seed: int, share: float
) -> None:
    bundle = planted(Plan(seed=seed, outages=(Outage(0, 2.5, share),), spacing="poisson"))
    verdict = score(bundle, targets)
    measure = next(o.measure for o in verdict.objectives if o.measure.name == "recovery-user")
    explanation = explain(bundle, targets, verdict)
    told = objective(explanation, "time-to-recover")
    lower, upper = kind(told, "lower bound").first, kind(told, "upper bound").first
    assert lower is not None
    assert upper is not None
    assert lower.sent_s is not None
    assert upper.latency_ms is not None
    assert explanation.fault_until_s is not None
    assert measure.low == pytest.approx(lower.sent_s - explanation.fault_until_s, abs=1e-6)
    assert measure.high == pytest.approx(upper.due_s + upper.latency_ms / 1e3, abs=1e-6)
    assert lower.error == "connection refused"
    assert upper.error == ""


def test_where_nothing_was_bad_the_row_that_shows_it_is_told(planted, targets: Targets) -> None:
    bundle = planted(Plan(outages=()))
    measure = next(o.measure for o in score(bundle, targets).objectives if o.measure.name == "recovery-user")
    upper = kind(objective(explained(bundle, targets), "time-to-recover"), "upper bound").first
    assert upper is not None
    assert upper.latency_ms is not None
    assert measure.high == pytest.approx(upper.due_s + upper.latency_ms / 1e3, abs=1e-6)


def test_the_rows_of_the_percentile_have_its_latencies(planted, targets: Targets) -> None:
    bundle = planted(Plan(outages=()))
    measure = next(o.measure for o in score(bundle, targets).objectives if o.measure.name == "latency-p95")
    told = objective(explained(bundle, targets), "api-latency-p95")
    for says, figure in (("percentile", measure.value), ("lower", measure.low), ("upper", measure.high)):
        row = kind(told, says).first
        assert row is not None
        assert row.latency_ms == pytest.approx(figure, rel=1e-8)


def test_the_proof_tells_the_action_and_the_end_of_its_victim(planted, targets: Targets) -> None:
    entries = check(explained(planted(), targets), "fault-proven").entries
    assert [(entry.kind, entry.event, entry.name) for entry in entries] == [
        ("fault", "begin", ""),
        ("pod", "present", "agent-0"),
        ("pod", "deleted", "agent-0"),
    ]
    assert entries[-1].uid == "old-0"


def test_where_no_pod_went_the_proof_tells_of_those_that_might_have(planted, targets: Targets) -> None:
    told = check(explained(planted(Plan(pods_killed=0)), targets), "fault-proven")
    assert told.result == "not held"
    assert [entry.name for entry in told.entries] == ["", "agent-0", "agent-1", "agent-2"]


def test_readiness_tells_the_replacement(planted, targets: Targets) -> None:
    entries = objective(explained(planted(), targets), "replacement-ready").entries
    assert any(entry.uid == "new-0" and "ready yes" in entry.says for entry in entries)
    assert all(entry.kind in ("pod", "deployment") for entry in entries)


def test_the_longest_silence_is_told_by_the_rows_on_either_side(planted, targets: Targets) -> None:
    told = check(explained(planted(Plan(silent=(5.0, 7.5), outages=())), targets), "load-rate")
    assert told.result == "not held"
    last, first = kind(told, "before the longest silence").first, kind(told, "after that silence").first
    assert last is not None
    assert first is not None
    assert last.due_s == pytest.approx(5.0, abs=0.1)
    assert first.due_s == pytest.approx(7.5, abs=0.1)


def test_missing_arrivals_are_told(planted, targets: Targets) -> None:
    told = objective(explained(planted(Plan(silent=(5.0, 7.5), outages=())), targets), "failed-requests")
    assert 240 <= kind(told, "left no row").count <= 250


def test_what_users_who_wait_left_out_is_told(planted, targets: Targets) -> None:
    told = objective(explained(planted(Plan(users=10, pace_s=0.1)), targets), "error-rate")
    assert kind(told, "this load didn't").count > 0


@pytest.mark.parametrize(
    ("plan", "name", "says"),
    [
        (Plan(), "failed-requests", "lower bound 300 > threshold 0: fail"),
        (Plan(outages=()), "failed-requests", "upper bound 0 ≤ target 0: pass"),
        (Plan(outages=(Outage(0, 0.3),)), "error-rate", " > target 1, and ≤ threshold 5: warn"),
        (Plan(outages=(Outage(0, 30),)), "time-to-recover", "upper bound ∞ > threshold 600, and lower bound "),
        (Plan(), "availability", " < threshold 99: fail"),
    ],
)
def test_the_comparison_that_gave_the_grade_is_told(
    planted, targets: Targets, plan: Plan, name: str, says: str
) -> None:
    told = objective(explained(planted(plan), targets), name)
    assert says in told.decided
    assert bool(told.settles) == (told.result == Grade.INCONCLUSIVE)


def test_the_order_of_rows_makes_no_difference(planted, targets: Targets) -> None:
    bundle = planted(Plan(outages=(Outage(0, 2, 0.4),), unsent=(8.0, 8.2)))
    before = explained(bundle, targets).to_json()
    rows = pa.Table.from_batches(list(bundle.requests()), REQUESTS)
    shuffled = rows.take(np.random.default_rng(1).permutation(rows.num_rows))
    pq.write_table(shuffled, bundle.root / "requests.parquet")
    assert explained(Bundle.open(bundle.root), targets).to_json() == before


def test_a_drill_without_a_fault_is_explained_all_the_same(planted, targets: Targets) -> None:
    explanation = explained(planted(keep=lambda entry: entry.kind != "fault"), targets)
    assert explanation.verdict is Grade.INVALID
    assert explanation.fault_until_s is None
    assert explanation.origin.startswith("the start of the run")
    told = objective(explanation, "time-to-recover")
    assert "no fault was recorded" in " ".join(told.figures)
    assert told.rows == ()


@pytest.mark.parametrize("kind", ["pod", "deployment", "fault", "hypothesis", "rollback", "observer"])
def test_whatever_kind_of_entry_is_missing_all_is_explained(planted, targets: Targets, kind: str) -> None:
    explanation = explained(planted(keep=lambda entry: entry.kind != kind), targets)
    assert [told.name for told in explanation.validity] == list(CHECKS)
    assert len(explanation.objectives) == 7
    assert not any("could not be told: KeyError" in figure for told in explanation.validity for figure in told.figures)


def test_a_bundle_without_anything_is_explained_all_the_same(planted, targets: Targets) -> None:
    bundle = planted(keep=lambda _: False, phases=(), load=None, effects=(), watched=(), contexts=())
    (bundle.root / "requests.parquet").unlink()
    explanation = explained(Bundle.open(bundle.root), targets)
    assert explanation.verdict is Grade.INVALID
    assert [told.result for told in explanation.objectives] == [Grade.INCONCLUSIVE] * len(explanation.objectives)


def test_the_json_reads_back_as_the_same(planted, targets: Targets) -> None:
    explanation = explained(planted(), targets)
    assert Explanation.model_validate_json(explanation.to_json()) == explanation
