"""May the drill count at all? Each check is a condition without which it shows nothing; what is missing is never ok."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from bundle.manifest import PhaseName
from scorer.blindness import longest_blindness_s
from scorer.error_rate import bad_share
from scorer.facts import Facts
from scorer.objective import clean_requests_needed
from scorer.proof import proven
from scorer.span import Span
from scorer.steady_state import probes_of
from scorer.targets import ObjectiveTarget, Targets
from scorer.verdict import ValidityCheck

LAG_EVERY_S, PULSE_EVERY_S = 2, 5
"""Samples are taken every half second and every second; so rarely at least there must be one of each."""
Says = tuple[bool, str]
"""Whether the condition holds, and one line with the figures."""


def check_validity(facts: Facts, targets: Targets, promises: Iterable[ObjectiveTarget]) -> tuple[ValidityCheck, ...]:
    """All checks, in the order in which a person wants to know of them."""
    checks: tuple[tuple[str, str, Callable[[], Says]], ...] = (
        ("run-completed", "The run went through all its phases", lambda: _run_completed(facts)),
        ("steady-state", "Steady state held before the fault", lambda: _steady_state(facts)),
        ("baseline", "The SLIs were within their SLOs before the fault", lambda: _baseline(facts, targets)),
        ("fault-proven", "The fault is proven to have taken effect", lambda: proven(facts)),
        ("load-rate", "The load kept its arrival rate", lambda: _load_rate(facts, targets)),
        ("generator", "The load generator was not the bottleneck", lambda: _generator(facts, targets)),
        ("enough-requests", "There were enough requests for the claim", lambda: _enough(facts, targets, promises)),
        ("observers", "No observer was blind", lambda: _observers(facts, targets)),
        ("clocks", "Clocks were sane", lambda: _clocks(facts, targets)),
    )
    return tuple(_checked(name, title, check) for name, title, check in checks)


def _checked(name: str, title: str, check: Callable[[], Says]) -> ValidityCheck:
    try:
        ok, says = check()
    except Exception as problem:  # whatever a damaged bundle provokes: a check that could not be made did not hold
        ok, says = False, f"could not be checked: {' '.join(f'{type(problem).__name__}: {problem}'.split())}"
    return ValidityCheck(name=name, title=title, ok=bool(ok), says=says)


def _run_completed(facts: Facts) -> Says:
    manifest = facts.manifest
    if manifest.outcome == "running":
        return False, "the run was killed before it ended: its last phase was " + (
            manifest.phases[-1].name if manifest.phases else "none"
        )
    if manifest.outcome != "completed":
        return False, f"the run {manifest.outcome}: {manifest.reason or 'no reason was recorded'}"
    missing = [name for name in PhaseName if (phase := manifest.phase(name)) is None or phase.end_ns is None]
    if missing:
        return False, f"these phases did not run to their end: {', '.join(missing)}"
    marks = [mark for phase in manifest.phases for mark in (phase.start_ns, phase.end_ns or 0)]
    if [phase.name for phase in manifest.phases] != list(PhaseName) or marks != sorted(marks):
        return False, "the phases did not run one after the other, each once"
    if facts.journal_status not in ("", "completed"):
        return False, f"Chaos Toolkit's own journal says that the experiment was {facts.journal_status}"
    if any(entry.kind == "rollback" and entry.attributes.get("status") == "failed" for entry in facts.timeline):
        return False, "a rollback failed: the fault may not have been undone"
    total = max(phase.end_ns or 0 for phase in manifest.phases) - min(phase.start_ns for phase in manifest.phases)
    return True, f"{len(manifest.phases)} phases in {total / 1e9:.1f} s"


def _steady_state(facts: Facts) -> Says:
    if facts.fault is None:
        return False, "no fault was recorded for it to come before"
    before = [entry for entry in facts.hypotheses("before") if entry.earliest_ns <= facts.fault.low]
    if not before:
        return False, "no steady-state hypothesis was evaluated before the fault"
    last = before[-1]
    if last.attributes.get("met") is not True:
        failed = last.attributes.get("failed")
        return False, (
            "the hypothesis was not met: "
            f"{', '.join(failed) if isinstance(failed, list) and failed else 'no probe is named'}"
        )
    if not probes_of(last):
        return False, "no probe of the hypothesis was evaluated, so that it shows nothing"
    return True, f"the hypothesis was met {max(0.0, facts.fault.low - last.latest_ns) / 1e9:.2f} s before the fault"


def _baseline(facts: Facts, targets: Targets) -> Says:
    span, requests = facts.span_of(PhaseName.BASELINE), None
    if span is not None:  # up to the fault, and without what the fault may have cut
        until_ns = facts.fault.low if facts.fault is not None else span.end_ns
        requests = facts.requests.where(
            (facts.requests.scheduled_ns >= span.start_ns) & (facts.requests.done_ns < until_ns)
        )
    sent = 0 if requests is None else len(requests) - requests.unsent
    if requests is None or not sent:
        return False, "no request was sent in a baseline phase"
    parts = []
    for slo in targets.slos.values():
        share = bad_share(requests, slo, targets.validity.confidence)[0] / sent
        parts.append(
            (share <= slo.tolerated, f"{100 * share:.3g} % bad for {slo.title} (tolerated {100 * slo.tolerated:g} %)")
        )
    return all(ok for ok, _ in parts), f"{sent} requests: {', '.join(says for _, says in parts)}"


def _load_rate(facts: Facts, targets: Targets) -> Says:
    load = facts.manifest.load
    if load is not None and load.model == "closed":
        return False, "the load was closed-loop: it waits for answers, and what it left out meanwhile nobody knows"
    if load is None or load.rate_per_s is None or not 0 < load.rate_per_s < np.inf:
        return False, "no load was applied: its rate is not above 0 or was not recorded"
    span = _under_load(facts)
    if span is None:
        return False, "no phase under load was recorded"
    requests = facts.requests.due_within(span.start_ns, span.end_ns)
    sent = len(requests) - requests.unsent
    # A Poisson process has as many arrivals as it likes, within four standard deviations in all but 1 of 16,000 runs.
    expected = load.rate_per_s * span.seconds
    slack = 1 if load.spacing == "uniform" else 4 * np.sqrt(expected)
    due = max(len(requests), round(expected - slack))
    if not sent or not due:
        return False, f"sent {sent} of {due} requests due in {span.seconds:.1f} s"
    starts = np.sort(np.clip(requests.start_ns[requests.sent], span.start_ns, span.end_ns))
    silence_s = float(np.diff(starts, prepend=span.start_ns, append=span.end_ns).max()) / 1e9
    # At low rates arrivals lie apart by nature: of all the gaps of a Poisson process one is longer than this in 1 of
    # 16,000 runs. What was due has no other excuse: a longer gap in the schedule is rows that were lost.
    gaps = 12 if load.spacing == "uniform" else max(12, np.log(16_000 * due))
    natural_s = float(gaps / load.rate_per_s)
    limit_s = max(targets.validity.observer_gap_s, natural_s)
    dues = np.sort(requests.scheduled_ns)
    gap_s = float(np.diff(dues, prepend=span.start_ns, append=span.end_ns).max()) / 1e9
    if gap_s > natural_s:
        return False, f"no arrival is recorded as due for {gap_s:.2f} s (at most {natural_s:.3g} s at its rate)"
    ok = sent / due >= targets.validity.sent_over_due and silence_s <= limit_s
    return ok, (
        f"sent {sent} of {due} due ({100 * sent / due:.2f} %, at least "
        f"{100 * targets.validity.sent_over_due:g} %), longest silence {silence_s:.2f} s (at most "
        f"{limit_s:.3g} s)"
    )


def _under_load(facts: Facts) -> Span | None:
    """From the start of the baseline to the end of the window."""
    baseline = facts.span_of(PhaseName.BASELINE)
    if baseline is None or facts.window is None:
        return None
    return Span(baseline.start_ns, max(baseline.start_ns, facts.window.end_ns))


def _generator(facts: Facts, targets: Targets) -> Says:
    judged, limit_ms = facts.judged, targets.validity.lateness_p99_ms
    late_ms = (judged.start_ns - judged.scheduled_ns)[judged.sent] / 1e6
    if not len(late_ms):
        return False, "no request was sent in the window"
    lag_s, load, window = facts.samples.lag_s, facts.manifest.load, facts.window
    assert window is not None  # judged would have raised
    least = max(1.0, window.seconds / LAG_EVERY_S) * max(1, len(load.workers) if load else 0)
    if len(lag_s) < least or not np.all(lag_s >= 0):
        return (
            False,
            f"the load generator recorded {len(lag_s)} samples of its lag, or absurd ones ({least:.0f} needed)",
        )
    # A sample is the longest lag of its half second. One stall is in the lateness already; a generator that can't keep
    # up lags in most of them.
    lateness, lag = _quantile(late_ms, 99), _quantile(lag_s * 1e3, 50)
    return lateness <= limit_ms and lag <= limit_ms, (
        f"99 % of requests started within {lateness:.1f} ms of their time and half of all lag samples were within "
        f"{lag:.1f} ms (at most {limit_ms:g} ms)"
    )


def _quantile(figures: npt.NDArray[np.float64], per_cent: int) -> float:
    rank = -(-per_cent * len(figures) // 100)
    return float(np.partition(figures, rank - 1)[rank - 1])


def _enough(facts: Facts, targets: Targets, promises: Iterable[ObjectiveTarget]) -> Says:
    """Enough to claim each promised share at its threshold, were every request good."""
    judged = facts.judged
    sent = len(judged) - judged.unsent
    needs = clean_requests_needed(promises, targets.validity.confidence, of="threshold")
    return sent >= needs, f"{sent} requests were sent in the window, {needs} are needed"


def _observers(facts: Facts, targets: Targets) -> Says:
    manifest, window = facts.manifest, facts.window
    if facts.torn_lines and manifest.outcome != "running":  # a killed writer may tear its last line
        return False, f"{facts.torn_lines} lines of the timeline cannot be read: what they said, nobody knows"
    contexts = sorted({effect.context for effect in manifest.effects} | set(manifest.contexts))
    if not contexts or window is None:
        return False, "there was nothing to observe: no context or no window"
    unwatched = [context for context in contexts if context not in manifest.watched]
    if unwatched:
        return False, f"nothing was watched in {', '.join(unwatched)}"
    least = max(1.0, window.seconds / PULSE_EVERY_S)
    unheard = [context for context in contexts if facts.samples.pulses.get(context, 0) < least]
    if unheard:
        return (
            False,
            f"the API server's pulse was hardly taken in {', '.join(unheard)} (needs {least:.0f} in the window)",
        )
    blind_s, where = max(
        (longest_blindness_s(facts.timeline, context, watches, window), f"{watches} of {context}")
        for context in contexts
        for watches in ("pods", "deployments", "api")
    )
    limit_s = targets.validity.observer_gap_s
    return blind_s <= limit_s, (
        f"blind for {blind_s:.2f} s at most ({where}; at most {limit_s:g} s)"
        if blind_s
        else f"pods and deployments of {', '.join(contexts)} were watched throughout"
    )


def _clocks(facts: Facts, targets: Targets) -> Says:
    drift, limit_ms = facts.manifest.clock_drift_ns, targets.validity.clock_drift_ms
    if drift is None:
        return False, "the clock's drift was not measured at the end of the run"
    load = facts.manifest.load
    if facts.strangers or load is None or not load.workers:
        who = ", ".join(sorted(facts.strangers)) or "any"
        return False, f"how the clocks of these load workers stand was not recorded: {who}"
    uncertainty_ms = facts.clock_uncertainty_ns / 1e6
    ok = abs(drift) / 1e6 <= limit_ms and uncertainty_ms <= limit_ms and not facts.absurd_rows
    return ok, (
        f"drift {drift / 1e6:.1f} ms, workers' clocks known to {uncertainty_ms:.1f} ms (at most {limit_ms:g} "
        f"ms), {facts.absurd_rows} requests with impossible times"
    )
