"""Importing into a bundle: what is refused, what is left behind, and that it is scored like a record of our own."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from bundle.errors import BundleError
from bundle.reader import Bundle
from bundle.table import REQUESTS
from gameday.imports.errors import BadRecord
from gameday.imports.formats import format_of
from gameday.imports.into import Imported, Load, Meter, import_into, import_new
from gameday.imports.source import opened
from gameday.imports.tally import Tally
from scorer.planted import plant
from scorer.planted_plan import EPOCH_NS, Plan
from scorer.score import score
from scorer.targets import Targets
from tests.gameday.imports.records import S, jtl_line, k6_points, vegeta_line, write

TARGETS = Path(__file__).parents[3] / "runbook" / "targets.yaml"
JTL = "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes"


def without_load(root: Path, plan: Plan, **changes: object) -> pa.Table:
    """Plant a drill, take its requests out as if another generator had sent them, and return them."""
    plant(root, plan)
    requests = pa.Table.from_batches(list(Bundle.open(root).requests()), REQUESTS)
    pa.parquet.write_table(REQUESTS.empty_table(), root / "requests.parquet")
    manifest = Bundle.open(root).manifest.model_copy(update={"load": None, **changes})
    (root / "manifest.json").write_text(manifest.model_dump_json())
    return requests


def as_vegeta(path: Path, requests: pa.Table) -> Path:
    """Requests as vegeta would have recorded them: from when each was sent."""
    lines = [
        vegeta_line(
            row["start_ns"],
            row["latency_ns"] - (row["start_ns"] - row["scheduled_ns"]),
            row["status"],
            "" if row["ok"] else 'Get "http://x/": dial tcp 127.0.0.1:1: connect: connection refused',
            seq=number,
        )
        for number, row in enumerate(requests.to_pylist())
        if row["start_ns"] is not None
    ]
    return write(path, *lines)


def into(path: Path, root: Path, **load: object) -> Imported:
    with opened(path) as source:
        return import_into(
            source, format_of(source, None), root, Load(**{"clock_within_s": 0.0, **load}), lambda *_: None
        )  # type: ignore[arg-type]


def files(root: Path) -> set[str]:
    return {path.name for path in root.iterdir()}


def test_a_drill_whose_load_is_imported_is_scored_as_if_it_had_been_recorded(tmp_path: Path) -> None:
    """Even when requests were due is told by their numbers and the rate, to the lateness of the promptest one."""
    plan = Plan(seed=7, rate_per_s=200, after_s=30)
    plant(tmp_path / "own", plan)
    record = as_vegeta(tmp_path / "r.json", without_load(tmp_path / "theirs", plan))
    done = into(record, tmp_path / "theirs", rate_per_s=200.0)
    assert done.record.lacks == ("generator-health", "region")
    targets = Targets.load(TARGETS)
    own, theirs = (score(Bundle.open(tmp_path / name), targets) for name in ("own", "theirs"))
    assert [(check.name, check.ok) for check in theirs.validity] == [(check.name, check.ok) for check in own.validity]
    values = {objective.measure.name: objective.measure.value for objective in own.objectives}
    assert {"recovery-user", "failed-requests"} <= values.keys()
    for objective in theirs.objectives:
        value = values[objective.measure.name]
        assert (objective.measure.value is None) == (value is None), objective.measure
        if value is not None and objective.measure.value is not None:
            assert objective.measure.value == pytest.approx(value, abs=2e-3), objective.measure.name


def test_requests_of_two_attacks_are_due_when_they_were_sent(tmp_path: Path) -> None:
    without_load(tmp_path / "run", Plan())
    record = write(tmp_path / "r.json", vegeta_line(EPOCH_NS + S), vegeta_line(EPOCH_NS + 2 * S))
    done = into(record, tmp_path / "run", rate_per_s=100.0)
    assert done.record.lacks == ("generator-health", "region", "scheduled-time")
    rows = pa.Table.from_batches(list(Bundle.open(tmp_path / "run").requests()))
    assert rows.column("scheduled_ns").to_pylist() == [EPOCH_NS + S, EPOCH_NS + 2 * S]


def test_the_rows_come_out_as_they_were_recorded(tmp_path: Path) -> None:
    requests = without_load(tmp_path / "run", Plan())
    into(as_vegeta(tmp_path / "r.json", requests), tmp_path / "run")
    got = pa.Table.from_batches(list(Bundle.open(tmp_path / "run").requests()))
    for name in ("start_ns", "status", "ok"):
        assert got.column(name).to_pylist() == requests.column(name).to_pylist()
    assert got.column("scheduled_ns").to_pylist() == got.column("start_ns").to_pylist()
    assert set(got.column("error").to_pylist()) == {"", "connection refused"}


def test_the_manifest_says_what_the_load_was_and_what_its_record_lacks(tmp_path: Path) -> None:
    record = as_vegeta(tmp_path / "r.json", without_load(tmp_path / "run", Plan(), clock_drift_ns=-3000))
    into(record, tmp_path / "run", host="http://x", timeout_s=5.0, worker="attacker")
    load = Bundle.open(tmp_path / "run").manifest.load
    assert load is not None
    assert (load.model, load.generator, load.rate_per_s, load.spacing) == ("open", "vegeta-json", None, "")
    assert load.lacks == ("generator-health", "region", "schedule", "scheduled-time")
    assert (load.host, load.timeout_s) == ("http://x", 5)
    assert [(worker.name, worker.clock_uncertainty_ns) for worker in load.workers] == [("attacker", 3001)]


def test_coarse_times_make_the_clock_as_uncertain(tmp_path: Path) -> None:
    without_load(tmp_path / "run", Plan())
    done = into(write(tmp_path / "r.jtl", JTL, jtl_line((EPOCH_NS + S) // 1_000_000)), tmp_path / "run")
    assert done.record.workers[0].clock_uncertainty_ns == 1_000_000
    assert (done.record.model, done.record.lacks) == ("closed", ("generator-health", "region"))


def test_dropped_arrivals_show_that_there_was_a_schedule(tmp_path: Path) -> None:
    without_load(tmp_path / "run", Plan())
    dropped = k6_points(EPOCH_NS + S)[0].replace("http_reqs", "dropped_iterations")
    done = into(write(tmp_path / "k6.json", *k6_points(EPOCH_NS + S), dropped), tmp_path / "run")
    assert (done.record.model, done.tally.unsent) == ("open", 1)
    assert done.record.lacks == ("bytes", "generator-health", "region", "schedule", "scheduled-time")


def test_lines_that_could_not_be_read_are_named_as_lacking(tmp_path: Path) -> None:
    without_load(tmp_path / "run", Plan())
    lines = [vegeta_line(EPOCH_NS + S), "?", vegeta_line(EPOCH_NS + S)]
    assert "whole-record" in into(write(tmp_path / "r.json", *lines), tmp_path / "run").record.lacks


def test_a_record_of_another_time_is_refused_and_nothing_is_changed(tmp_path: Path) -> None:
    without_load(tmp_path / "run", Plan())
    before = {name: (tmp_path / "run" / name).read_bytes() for name in ("manifest.json", "requests.parquet")}
    names = files(tmp_path / "run")
    record = write(tmp_path / "r.json", vegeta_line(EPOCH_NS + 3600 * S))
    with pytest.raises(
        BadRecord, match=r"spans 2025-11-24 17:00:00 – 2025-11-24 17:00:00 UTC, the phases of planted-0"
    ):
        into(record, tmp_path / "run")
    assert files(tmp_path / "run") == names
    assert {name: (tmp_path / "run" / name).read_bytes() for name in before} == before


def test_a_record_that_breaks_off_in_nonsense_leaves_nothing(tmp_path: Path) -> None:
    without_load(tmp_path / "run", Plan())
    names = files(tmp_path / "run")
    record = write(tmp_path / "r.json", vegeta_line(EPOCH_NS + S), *["?"] * 5)
    with pytest.raises(BadRecord):
        into(record, tmp_path / "run")
    assert files(tmp_path / "run") == names
    assert Bundle.open(tmp_path / "run").manifest.load is None


@pytest.mark.parametrize(
    ("plan", "what"), [(Plan(), "requests of its own"), (Plan(killed=True), "goes on, or was killed")]
)
def test_a_run_that_does_not_wait_for_its_requests_is_refused(tmp_path: Path, plan: Plan, what: str) -> None:
    plant(tmp_path / "run", plan)
    with pytest.raises(BundleError, match=what):
        into(write(tmp_path / "r.json", vegeta_line(EPOCH_NS + S)), tmp_path / "run")


def test_an_import_may_be_done_again_with_what_was_forgotten(tmp_path: Path) -> None:
    record = as_vegeta(tmp_path / "r.json", without_load(tmp_path / "run", Plan()))
    into(record, tmp_path / "run")
    again = into(record, tmp_path / "run", rate_per_s=100.0)
    load = Bundle.open(tmp_path / "run").manifest.load
    assert load is not None
    assert (load.rate_per_s, load.spacing) == (100, "uniform")
    assert sum(batch.num_rows for batch in Bundle.open(tmp_path / "run").requests()) == again.tally.rows


def test_a_verdict_from_before_the_import_is_removed(tmp_path: Path) -> None:
    record = as_vegeta(tmp_path / "r.json", without_load(tmp_path / "run", Plan()))
    for name in ("verdict.json", "report.html"):
        (tmp_path / "run" / name).write_text("old")
    into(record, tmp_path / "run")
    assert not {"verdict.json", "report.html"} & files(tmp_path / "run")


def test_a_new_bundle_holds_the_requests_and_claims_nothing(tmp_path: Path) -> None:
    lines = [vegeta_line(EPOCH_NS + number * S) for number in range(3)]
    with opened(write(tmp_path / "r.json", *lines)) as source:
        done = import_new(source, "vegeta-json", tmp_path / "runs", "pod-kill", TARGETS, Load(), lambda *_: None)
    assert files(tmp_path / "runs") == {"20251124T160000Z-pod-kill"}
    bundle = Bundle.open(done.root)
    assert (bundle.manifest.id, bundle.manifest.drill, bundle.manifest.phases) == (done.root.name, "pod-kill", ())
    verdict = score(bundle, Targets.load(done.root / "inputs" / "targets.yaml"))
    assert verdict.verdict == "invalid"
    assert "no drill was run" in verdict.summary


def test_a_new_bundle_that_did_not_come_about_leaves_nothing(tmp_path: Path) -> None:
    with opened(write(tmp_path / "r.json", vegeta_line(), "?", "?")) as source, pytest.raises(BadRecord):
        import_new(source, "vegeta-json", tmp_path / "runs", "pod-kill", TARGETS, Load(), lambda *_: None)
    assert files(tmp_path / "runs") == set()


def test_an_import_tells_how_far_it_is_every_two_seconds() -> None:
    now, said = [100.0], []
    meter = Meter(said.append, lambda: now[0])
    tally = Tally("r.json", "vegeta-json", rows=12_000)
    for second in (0.5, 1.9, 2.0, 3.9, 4.0):
        now[0] = 100 + second
        meter(tally, second / 10)
    assert said == ["12,000 requests read, 20 % of r.json", "12,000 requests read, 40 % of r.json"]
