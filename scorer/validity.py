"""May the drill count at all? Each check is a condition without which it shows nothing; what is missing is never ok."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise

from bundle.manifest import PhaseName
from bundle.timeline import Entry
from scorer.batch import Batch, Cut
from scorer.blindness import longest_blindness_s
from scorer.error_rate import bad_rows
from scorer.facts import Facts
from scorer.generator import generator
from scorer.grounds import Grounds, kind
from scorer.load_rate import load_rate
from scorer.objective import clean_requests_needed
from scorer.proof import proven
from scorer.steady_state import probes_of
from scorer.tally import Tally, limits_of
from scorer.targets import ObjectiveTarget, Targets
from scorer.verdict import Says, ValidityCheck

_GAP_NS = 1_000_000_000
"""The next phase begins as the one before ends, but for the time that it takes to note it."""
_BESIDES: Mapping[str, tuple[str, ...]] = {"delay": ("networkchaos", "delays"), "load-step": ("autoscalers",)}
"""By the kind of an effect, what must be observed besides pods and deployments."""
PULSE_EVERY_S = 5
"""A pulse is taken five times a second; so rarely at least there must be one."""


def check_validity(facts: Facts, targets: Targets, promises: Iterable[ObjectiveTarget]) -> tuple[ValidityCheck, ...]:
    """All checks, in the order in which a person wants to know of them."""
    checks: tuple[tuple[str, str, Callable[[], Says]], ...] = (
        ("run-completed", "The run went through all its phases", lambda: _run_completed(facts)),
        ("steady-state", "Steady state held before the fault", lambda: _steady_state(facts)),
        ("baseline", "The SLIs were within their SLOs before the fault", lambda: _baseline(facts, targets)),
        ("fault-proven", "The fault is proven to have taken effect", lambda: proven(facts)),
        ("load-rate", "The load kept its arrival rate", lambda: load_rate(facts, targets)),
        ("generator", "The load generator was not the bottleneck", lambda: generator(facts, targets)),
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
    gaps_ns = [later.start_ns - (phase.end_ns or 0) for phase, later in pairwise(manifest.phases)]
    if [phase.name for phase in manifest.phases] != list(PhaseName) or marks != sorted(marks) or max(gaps_ns) > _GAP_NS:
        return False, "the phases did not run one after the other, each once"
    if not facts.journal_status and "chaostoolkit" in manifest.tools:
        return False, "Chaos Toolkit took part and left no journal of its run"
    if facts.journal_status not in ("", "completed"):
        return False, f"Chaos Toolkit's own journal says that the experiment was {facts.journal_status}"
    if any(entry.kind == "rollback" and entry.attributes.get("status") == "failed" for entry in facts.timeline):
        return False, "a rollback failed: the fault may not have been undone"
    total = max(phase.end_ns or 0 for phase in manifest.phases) - min(phase.start_ns for phase in manifest.phases)
    return True, f"{len(manifest.phases)} phases in {total / 1e9:.1f} s"


def _steady_state(facts: Facts) -> Says:
    if facts.fault is None:
        return False, "no fault was recorded for it to come before"
    before = _evaluated_before(facts)
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
    cut = before(facts)
    counts = None if cut is None else facts.of(Tally(cut, limits_of(targets.slos.values())))
    if counts is None or not counts.sent:
        return False, "no request was sent in a baseline phase"
    parts = []
    for slo in targets.slos.values():
        share = counts.bad_by_limit[slo.slow_ns] / counts.sent
        parts.append(
            (share <= slo.tolerated, f"{100 * share:.3g} % bad for {slo.title} (tolerated {100 * slo.tolerated:g} %)")
        )
    return all(ok for ok, _ in parts), f"{counts.sent} requests: {', '.join(says for _, says in parts)}"


def before(facts: Facts) -> Cut | None:
    """The arrivals of the baseline, up to the fault and without what it may have cut; None without that phase."""
    span = facts.span_of(PhaseName.BASELINE)
    if span is None:
        return None
    until_ns = int(facts.fault.low) if facts.fault is not None else span.end_ns
    return Cut(due_from_ns=span.start_ns, done_before_ns=until_ns)


def baseline_grounds(facts: Facts, targets: Targets) -> Grounds:
    """The arrivals of the baseline by how they came out."""
    cut = before(facts)
    if cut is None:
        return Grounds()
    requests = Batch(facts.requests).cut(cut)
    return Grounds(
        (
            *(kind(f"bad for {slo.title}", requests, bad_rows(requests, slo)) for slo in targets.slos.values()),
            kind("answered well", requests, requests.sent & requests.ok),
            kind("due that were never sent", requests, ~requests.sent),
        )
    )


def run_grounds(facts: Facts) -> Grounds:
    """When each phase ran, and how the rollbacks went."""
    phases = facts.manifest.phases
    start_ns = min((phase.start_ns for phase in phases), default=0)
    spans = (
        f"{phase.name}: {(phase.start_ns - start_ns) / 1e9:.1f} s to "
        + ("no end" if phase.end_ns is None else f"{(phase.end_ns - start_ns) / 1e9:.1f} s")
        + " from the start of the run"
        for phase in phases
    )
    outcome = (f"the manifest says {facts.manifest.outcome}", f"the journal says {facts.journal_status or 'nothing'}")
    rollbacks = (entry for entry in facts.timeline if entry.kind == "rollback" and entry.event == "end")
    return Grounds(entries=tuple(rollbacks), figures=(*outcome, *spans))


def steady_grounds(facts: Facts) -> Grounds:
    """The evaluations of the hypothesis before the fault, of which the last counts."""
    return Grounds(entries=_evaluated_before(facts))


def observers_grounds(facts: Facts) -> Grounds:
    """What the observers said of themselves, and how often each API server's pulse was taken in the window."""
    pulses = (f"pulses of {context} in the window: {count:,}" for context, count in facts.samples.pulses.items())
    said = (entry for entry in facts.timeline if entry.kind == "observer")
    return Grounds(entries=tuple(said), figures=(*sorted(pulses), f"torn lines of the timeline: {facts.torn_lines}"))


def clocks_grounds(facts: Facts) -> Grounds:
    """How each clock stood."""
    load = facts.manifest.load
    workers = (
        f"{worker.name}: {worker.clock_offset_ns / 1e6:.3f} ms off, taken off its times; known to "
        f"{worker.clock_uncertainty_ns / 1e6:.3f} ms"
        for worker in (load.workers if load else ())
    )
    return Grounds(figures=(f"requests with impossible times, left out: {facts.absurd_rows:,}", *workers))


def _evaluated_before(facts: Facts) -> tuple[Entry, ...]:
    fault = facts.fault
    return tuple(entry for entry in facts.hypotheses("before") if fault is None or entry.earliest_ns <= fault.low)


def _enough(facts: Facts, targets: Targets, promises: Iterable[ObjectiveTarget]) -> Says:
    """Enough to claim each promised share at its threshold, were every request good."""
    sent = facts.counted().sent
    needs = clean_requests_needed(promises, targets.validity.confidence, of="threshold")
    return sent >= needs, f"{sent} requests were sent in the window, {needs} are needed"


def _observers(facts: Facts, targets: Targets) -> Says:
    manifest, window = facts.manifest, facts.window
    if facts.torn_lines and manifest.outcome != "running":  # a killed writer may tear its last line
        return False, f"{facts.torn_lines} lines of the timeline cannot be read: what they said, nobody knows"
    backwards = sum(entry.earliest_ns > entry.latest_ns for entry in facts.timeline)
    if backwards:
        return False, f"{backwards} entries of the timeline contradict themselves: they ended before they began"
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
    besides = {(effect.context, watches) for effect in manifest.effects for watches in _BESIDES.get(effect.kind, ())}
    always = {(context, watches) for context in contexts for watches in ("pods", "deployments", "api")}
    blind_s, where = max(
        (longest_blindness_s(facts.timeline, context, watches, window), f"{watches} of {context}")
        for context, watches in always | besides
    )
    scaled = any(effect.kind == "load-step" for effect in manifest.effects)
    limit_s = targets.validity.observer_gap_s
    return blind_s <= limit_s, (
        f"blind for {blind_s:.2f} s at most ({where}; at most {limit_s:g} s)"
        if blind_s
        else f"pods{', autoscalers' if scaled else ''} and deployments of {', '.join(contexts)} were watched throughout"
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
    # Coarse times are a caveat of an imported record: every bound that they touch is wider by them.
    known = uncertainty_ms <= limit_ms or "start-resolution" in load.lacks
    ok = abs(drift) / 1e6 <= limit_ms and known and not facts.absurd_rows
    return ok, (
        f"drift {drift / 1e6:.1f} ms, workers' clocks known to {uncertainty_ms:.1f} ms (at most {limit_ms:g} "
        f"ms), {facts.absurd_rows} requests with impossible times"
    )
