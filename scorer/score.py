"""Bundle and targets in, verdict out."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from bundle.reader import Bundle
from scorer.alerts import page
from scorer.budget import budget_burn
from scorer.caveats import caveats
from scorer.facts import Facts, read_facts
from scorer.measures import take
from scorer.objective import figure, judge
from scorer.passes import read
from scorer.projection import projection
from scorer.service import service_side
from scorer.targets import ObjectiveTarget, Targets
from scorer.validity import check_validity
from scorer.verdict import Grade, Measure, Objective, PhaseSpan, ValidityCheck, Verdict, worst

_OF_ALL_ARRIVALS = frozenset({"latency-p95", "error-rate", "availability", "failed-requests", "timeout-share"})
"""The measures that rest on every arrival of the window, seen or not."""
_OF_OBSERVERS = frozenset(
    {"leader-elected", "region-restored", "writes-lost", "scale-up-begins", "scale-latency", "scale-down-begins"}
)
"""The measures whose first line of evidence says how fine their observers were, and so what would narrow them."""


def score(bundle: Bundle, targets: Targets) -> Verdict:
    """Judge a drill. Raises TargetsError where the targets don't name it, BundleError where a file of it is damaged."""
    manifest = bundle.manifest
    promises = targets.of_drill(manifest.drill)
    facts = read_facts(bundle)
    read(facts, targets)
    validity = check_validity(facts, targets, promises.values())
    measured = {promise.measure: take(promise.measure, facts, targets, bundle) for promise in promises.values()}
    unsent, unrecorded = _unknown(facts)
    objectives = tuple(
        judge(
            name,
            promise,
            taken,
            targets.validity.confidence,
            unsent=unsent,
            unrecorded=unrecorded,
            settled_by=_settled_by(facts, promise, taken),
        )
        for name, promise in promises.items()
        for taken in (measured[promise.measure],)
    )
    cautions = caveats(manifest.load)
    verdict = worst(objective.verdict for objective in objectives)
    if cautions and verdict is Grade.PASS:
        verdict = Grade.WARN
    if not all(check.ok for check in validity):
        verdict = Grade.INVALID
    shown: list[Measure] = []
    for told in (budget_burn, projection, page):
        with suppress(LookupError):  # no window, or no baseline: validity and every objective say so already
            shown += told(facts, targets)
    with suppress(LookupError):
        shown += service_side(bundle, facts.timeline, facts.window, measured)
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
        measures=tuple(shown),
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


def _unknown(facts: Facts) -> tuple[int, int]:
    """How many arrivals of the window were never sent, and how many left no row."""
    try:
        return facts.counted().unsent, facts.unseen.missing
    except LookupError:  # every measure says so itself
        return 0, 0


def _settled_by(facts: Facts, promise: ObjectiveTarget, taken: Measure) -> str:
    """What would settle an objective, were it open, where more requests don't; "" where they do, or nobody knows."""
    if promise.measure in _OF_ALL_ARRIVALS:
        with suppress(LookupError):  # every measure says so itself
            if omitted := facts.unseen.omitted:
                return (
                    f"an open workload would have sent up to {omitted} requests more than this load did; an open load "
                    "settles it"
                )
    elif promise.measure in _OF_OBSERVERS and taken.high is not None and taken.value is not None and taken.evidence:
        threshold = promise.limit.within(taken.unit)[1]
        return (
            f"{figure(taken.low, taken.unit)} to {figure(taken.high, taken.unit)} holds the "
            f"{figure(threshold, taken.unit)} on which it turns; {taken.evidence[0]}"
        )
    return ""


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
