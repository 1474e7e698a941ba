"""Bundle and targets in, verdict out."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bundle.reader import Bundle
from scorer.budget import budget_burn
from scorer.caveats import caveats
from scorer.error_rate import availability, error_rate
from scorer.facts import Facts, read_facts
from scorer.failed_requests import failed_requests
from scorer.latency import latency_p95
from scorer.objective import judge
from scorer.readiness import recovery_ready
from scorer.recovery import recovery_user
from scorer.steady_state import unmet_probes
from scorer.targets import MEASURE_UNITS, Targets
from scorer.validity import check_validity
from scorer.verdict import Grade, Measure, Objective, PhaseSpan, ValidityCheck, Verdict, worst

MEASURES: dict[str, Callable[[Facts, Targets], Measure]] = {
    "recovery-user": recovery_user,
    "recovery-ready": lambda facts, _: recovery_ready(facts),
    "latency-p95": lambda facts, targets: latency_p95(facts, targets.validity.confidence),
    "error-rate": lambda facts, targets: error_rate(facts, targets.validity.confidence),
    "availability": lambda facts, targets: availability(facts, targets.validity.confidence),
    "failed-requests": lambda facts, _: failed_requests(facts),
    "unmet-probes": lambda facts, _: unmet_probes(facts),
}
"""How each measure of `targets.MEASURE_UNITS` is taken."""
_OF_ALL_ARRIVALS = frozenset({"latency-p95", "error-rate", "availability", "failed-requests"})
"""The measures that rest on every arrival of the window, seen or not."""


def score(bundle: Bundle, targets: Targets) -> Verdict:
    """Judge a drill. Raises TargetsError where the targets don't name it, BundleError where a file of it is damaged."""
    manifest = bundle.manifest
    promises = targets.of_drill(manifest.drill)
    facts = read_facts(bundle)
    validity = check_validity(facts, targets, promises.values())
    confidence = targets.validity.confidence
    settled_by = _settled_by(facts)
    objectives = tuple(
        judge(
            name,
            promise,
            take(promise.measure, facts, targets),
            confidence,
            settled_by=settled_by if promise.measure in _OF_ALL_ARRIVALS else "",
        )
        for name, promise in promises.items()
    )
    cautions = caveats(manifest.load)
    verdict = worst(objective.verdict for objective in objectives)
    if cautions and verdict is Grade.PASS:
        verdict = Grade.WARN
    if not all(check.ok for check in validity):
        verdict = Grade.INVALID
    try:
        shown = tuple(budget_burn(facts, targets))
    except LookupError:  # no window: validity and every objective say so already
        shown = ()
    started_ns = min((phase.start_ns for phase in manifest.phases), default=0)
    return Verdict(
        drill=manifest.drill,
        title=manifest.title,
        run=manifest.id,
        verdict=verdict,
        summary=_summary(verdict, validity, objectives, cautions)
        + (" (closed-loop load)" if manifest.load is not None and manifest.load.model == "closed" else ""),
        caveats=cautions,
        validity=validity,
        objectives=objectives,
        measures=shown,
        phases=tuple(
            PhaseSpan(
                name=phase.name,
                start_s=(phase.start_ns - started_ns) / 1e9,
                end_s=None if phase.end_ns is None else (phase.end_ns - started_ns) / 1e9,
            )
            for phase in manifest.phases
        ),
        contexts=manifest.contexts,
        targets_sha256=targets.sha256,
    )


def take(name: str, facts: Facts, targets: Targets) -> Measure:
    """Take one measure. One that raises shows nothing, says why, and so can be graded no better than inconclusive."""
    try:
        return MEASURES[name](facts, targets)
    except Exception as problem:  # whatever a damaged bundle provokes must not pass, nor hide the other measures
        kind = "" if type(problem) is LookupError else f"{type(problem).__name__}: "
        says = f"could not be measured: {' '.join(f'{kind}{problem}'.split())}"
        return Measure(
            name=name, value=None, low=None, high=None, unit=MEASURE_UNITS[name], n=0, method="none", evidence=(says,)
        )


def _settled_by(facts: Facts) -> str:
    """What would settle an objective that users who wait leave open; "" where none do."""
    try:
        omitted = facts.unseen.omitted
    except LookupError:  # every measure says so itself
        return ""
    return (
        f"an open workload would have sent up to {omitted} requests more than this load did; an open load settles it"
        if omitted
        else ""
    )


def _summary(
    verdict: Grade, validity: Iterable[ValidityCheck], objectives: Iterable[Objective], cautions: tuple[str, ...]
) -> str:
    failing = next((check for check in validity if not check.ok), None)
    if failing is not None:
        return f"nothing can be claimed: {failing.says} ({failing.name})"
    objectives = tuple(objectives)
    if verdict is Grade.PASS:
        return f"all {len(objectives)} objectives hold with their whole interval"
    if verdict is Grade.WARN and all(objective.verdict is Grade.PASS for objective in objectives):
        return f"all {len(objectives)} objectives hold, but what the load's record shows is weaker: {cautions[0]}"
    headline = next(objective for objective in objectives if objective.verdict is verdict)
    return f"{headline.title}: {headline.says}"
