"""How each verdict came about, from which rows and entries: what `gameday score --explain` prints.

Nothing is measured anew: figures and grades are the verdict's, rows come from the functions beside each measure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from bundle.reader import Bundle
from bundle.timeline import Attribute, Entry
from scorer.drift import drift_grounds
from scorer.error_rate import share_grounds
from scorer.explanation import EntryTold, Explanation, KindTold, RowTold, Told
from scorer.facts import Facts, read_facts
from scorer.failed_requests import failed_grounds
from scorer.failover import failover_grounds
from scorer.generator import generator_grounds
from scorer.grounds import Grounds, Kind, of_window
from scorer.latency import latency_grounds
from scorer.latency_rise import after, at_work, rise_grounds
from scorer.load_rate import load_grounds
from scorer.objective import decided
from scorer.proof import proof_grounds
from scorer.readiness import ready_grounds
from scorer.recovery import recovery_grounds
from scorer.requests import Requests
from scorer.restore import restore_grounds
from scorer.rows import Key, Row, find_rows, key_of
from scorer.scaling import scaling_grounds
from scorer.steady_state import evaluated_after
from scorer.targets import Targets
from scorer.timeouts import timeout_grounds
from scorer.validity import baseline_grounds, clocks_grounds, observers_grounds, run_grounds, steady_grounds
from scorer.verdict import Grade, Measure, Objective, ValidityCheck, Verdict

_Finder = Callable[[Facts, Targets], Grounds]

MEASURES: dict[str, tuple[str, _Finder]] = {
    "failed-requests": (
        "the requests of the window that were sent and not answered well",
        lambda facts, _: failed_grounds(facts),
    ),
    "error-rate": (
        "requests of the window that failed / requests of the window that were sent",
        lambda facts, _: share_grounds(facts),
    ),
    "availability": (
        "1 - requests of the window that failed / requests of the window that were sent",
        lambda facts, _: share_grounds(facts),
    ),
    "latency-p95": (
        "the latency, from when it was due, of the request of the window that 95 % are no slower than",
        lambda facts, targets: latency_grounds(facts, targets.validity.confidence),
    ),
    "recovery-user": (
        "from the middle of the fault's moment to the middle between the last bad request that broke an SLO and the "
        "first good answer after it",
        recovery_grounds,
    ),
    "recovery-ready": (
        "from the middle of the fault's moment to the one from which deployments had their replicas and each pod that "
        "went had a ready replacement",
        lambda facts, _: ready_grounds(facts),
    ),
    "unmet-probes": (
        "the probes out of their tolerance in the last evaluation of the steady-state hypothesis after the fault",
        lambda facts, _: Grounds(entries=evaluated_after(facts)),
    ),
    "leader-elected": (
        "from the middle of the fault's moment to the middle of that in which a replica of another region became "
        "leader of a newer term, and stayed",
        lambda facts, _: failover_grounds(facts),
    ),
    "contested-terms": ("the terms in which more than one replica led", lambda facts, _: failover_grounds(facts)),
    "region-restored": (
        "from the moment that the region's deployment wanted its replicas back to the one from which it had them ready "
        "and had answered a request well since",
        lambda facts, _: restore_grounds(facts),
    ),
    "writes-lost": (
        "acknowledged writes that a region, asked afterwards, didn't have; in the upper bound also stale ones and "
        "those that not every region was asked for",
        lambda *_: Grounds(),
    ),
    "latency-drift": (
        "the largest p95 of a region in the window - the smallest",
        lambda facts, _: drift_grounds(facts),
    ),
    "error-drift": (
        "the largest share of failed requests of a region in the window - the smallest",
        lambda facts, _: drift_grounds(facts),
    ),
    "share-drift": (
        "the largest share of the window's requests that went to one region - the smallest",
        lambda facts, _: drift_grounds(facts),
    ),
    "scale-up-begins": (
        "from the middle of the moment in which CPU was first read over its target to the one in which the autoscaler "
        "first desired more replicas",
        lambda facts, _: scaling_grounds(facts),
    ),
    "scale-latency": (
        "from the load's rise to the moment from which a new pod was at work and users had recovered",
        lambda facts, _: scaling_grounds(facts),
    ),
    "scale-down-begins": (
        "from the load's fall to the moment in which the autoscaler first desired fewer replicas",
        lambda facts, _: scaling_grounds(facts),
    ),
    "latency-rise": (
        "p95 while the fault was at work - p95 of the baseline",
        lambda facts, _: rise_grounds(facts, at_work(facts)),
    ),
    "latency-after": (
        "p95 from the hold time after the fault's end on - p95 of the baseline",
        lambda facts, targets: rise_grounds(facts, after(facts, targets)),
    ),
    "timeout-share": (
        "requests of the window that failed as late as the client's time-out / requests of the window that were sent",
        lambda facts, _: timeout_grounds(facts),
    ),
}
"""By measure: its formula in words, and what it rests on."""

CHECKS: dict[str, tuple[str, _Finder]] = {
    "run-completed": (
        "the outcome is completed, all phases ran to their end in order, the journal agrees, no rollback failed",
        lambda facts, _: run_grounds(facts),
    ),
    "steady-state": (
        "the last evaluation of the hypothesis before the fault had a probe and was met",
        lambda facts, _: steady_grounds(facts),
    ),
    "baseline": ("before the fault the share of bad requests is within every SLO", baseline_grounds),
    "fault-proven": (
        "each action succeeded, and what it must be seen to do was seen",
        lambda facts, _: proof_grounds(facts),
    ),
    "load-rate": (
        "enough of the arrivals due were sent, without a longer silence than the rate explains",
        lambda facts, _: load_grounds(facts),
    ),
    "generator": (
        "99 % of the requests started on time, and no worker's event loop lagged in half of its samples",
        lambda facts, _: generator_grounds(facts),
    ),
    "enough-requests": (
        "the requests sent in the window, were all of them good, would show each promised share at its threshold",
        lambda facts, _: Grounds(of_window(facts)),
    ),
    "observers": (
        "in each context pods, deployments and the API server were watched throughout the window, but for a short gap",
        lambda facts, _: observers_grounds(facts),
    ),
    "clocks": (
        "the clock drifted little, each worker's is known well enough, no request has impossible times",
        lambda facts, _: clocks_grounds(facts),
    ),
}
"""By validity check: its rule in words, and what it rests on."""


def explain(bundle: Bundle, targets: Targets, verdict: Verdict) -> Explanation:
    """Explain the verdict on a bundle by these targets. Raises BundleError where a file of it is damaged."""
    facts = read_facts(bundle)
    teller = _Teller(facts)
    checks = [(check, *_grounds(CHECKS[check.name], facts, targets)) for check in verdict.validity]
    objectives = [
        (objective, *_grounds(MEASURES[objective.measure.name], facts, targets)) for objective in verdict.objectives
    ]
    ends = (end for _, _, found in (*checks, *objectives) for kind in found.kinds for end in (kind.first, kind.last))
    teller.rows = find_rows(bundle, (key_of(end) for end in ends if end is not None))
    return Explanation(
        run=verdict.run,
        drill=verdict.drill,
        verdict=verdict.verdict,
        summary=verdict.summary,
        origin=teller.origin,
        fault_until_s=None if facts.fault is None else teller.since(int(facts.fault.high)),
        window_s=None
        if facts.window is None
        else (teller.since(facts.window.start_ns), teller.since(facts.window.end_ns)),
        validity=tuple(teller.check(check, rule, found) for check, rule, found in checks),
        objectives=tuple(teller.objective(objective, formula, found) for objective, formula, found in objectives),
    )


def _grounds(explained: tuple[str, _Finder], facts: Facts, targets: Targets) -> tuple[str, Grounds]:
    formula, finder = explained
    try:
        return formula, finder(facts, targets)
    except Exception as problem:  # what kept a damaged bundle from being measured keeps it from being explained
        says = f"what it rests on could not be told: {' '.join(f'{type(problem).__name__}: {problem}'.split())}"
        return formula, Grounds(figures=(says,))


class _Teller:
    """Puts rows and entries of one bundle into words, their times counted from its fault."""

    def __init__(self, facts: Facts) -> None:
        started_ns = min((phase.start_ns for phase in facts.manifest.phases), default=facts.manifest.clock_wall_ns)
        self.origin_ns = started_ns if facts.fault is None else int(facts.fault.low)
        self.rows: Mapping[Key, Row] = {}
        what = (
            "the start of the run, for no fault was recorded" if facts.fault is None else "the fault, at the earliest"
        )
        self.origin = f"{what}: {_utc(self.origin_ns)}"

    def since(self, ns: int) -> float:
        """Seconds from the origin."""
        return (ns - self.origin_ns) / 1e9

    def check(self, check: ValidityCheck, rule: str, found: Grounds) -> Told:
        """A check, by its rule and what it rests on."""
        return Told(
            name=check.name,
            title=check.title,
            result="held" if check.ok else "not held",
            formula=rule,
            rows=tuple(self._kind(kind) for kind in found.kinds),
            entries=tuple(self._entry(entry) for entry in found.entries),
            figures=found.figures,
            decided=check.says,
        )

    def objective(self, objective: Objective, formula: str, found: Grounds) -> Told:
        """An objective, by its measure's formula and what that rests on."""
        measure = objective.measure
        open_still = objective.verdict is Grade.INCONCLUSIVE
        return Told(
            name=objective.name,
            title=objective.title,
            result=objective.verdict.value,
            promise=f"{objective.comparison} {objective.target:.9g} {measure.unit}, "
            f"threshold {objective.threshold:.9g} {measure.unit}",
            formula=formula,
            rows=tuple(self._kind(kind) for kind in found.kinds),
            entries=tuple(self._entry(entry) for entry in found.entries),
            figures=(*found.figures, *measure.evidence),
            value="no data" if measure.value is None else f"{measure.value:.9g} {measure.unit}",
            bounds=f"{_interval(measure)} {measure.unit}: {measure.method}",
            decided=decided(objective),
            settles=objective.says.removeprefix("cannot tell: ") if open_still else "",
        )

    def _kind(self, kind: Kind) -> KindTold:
        return KindTold(says=kind.says, count=kind.count, first=self._row(kind.first), last=self._row(kind.last))

    def _row(self, request: Requests | None) -> RowTold | None:
        if request is None:
            return None
        row = self.rows[key_of(request)]
        return RowTold(
            due_s=self.since(row.scheduled_ns),
            sent_s=None if row.start_ns is None else self.since(row.start_ns),
            latency_ms=None if row.latency_ns is None else row.latency_ns / 1e6,
            status=row.status,
            endpoint=row.endpoint,
            region=row.region,
            error=row.error,
            worker=row.worker,
        )

    def _entry(self, entry: Entry) -> EntryTold:
        return EntryTold(
            earliest_s=self.since(entry.earliest_ns),
            latest_s=self.since(entry.latest_ns),
            kind=entry.kind,
            event=entry.event,
            context=entry.context,
            name=entry.name,
            uid=entry.uid,
            says=", ".join(
                f"{name} {_text(value)}" for name, value in sorted(entry.attributes.items()) if name != "labels"
            ),
        )


def _utc(ns: int) -> str:
    seconds, rest_ns = divmod(ns, 1_000_000_000)
    return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}.{rest_ns:09}Z"


def _interval(measure: Measure) -> str:
    low = "(−∞" if measure.low is None else f"[{measure.low:.9g}"
    return f"{low}, {'∞)' if measure.high is None else f'{measure.high:.9g}]'}"


def _text(value: Attribute) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return str(value)
