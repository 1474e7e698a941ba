"""The experiment's own steady-state hypothesis after the fault: what of it no longer held."""

from __future__ import annotations

from bundle.timeline import Entry
from scorer.facts import Facts
from scorer.verdict import Measure


def probes_of(entry: Entry) -> int:
    """How many probes of the hypothesis an evaluation went through; without any it shows nothing."""
    probes = entry.attributes.get("probes")
    return probes if isinstance(probes, int) else 0


def evaluated_after(facts: Facts) -> tuple[Entry, ...]:
    """Every evaluation of the hypothesis after the fault; the last one counts."""
    fault = facts.fault
    return tuple(entry for entry in facts.hypotheses("after") if fault is not None and entry.latest_ns >= fault.low)


def unmet_probes(facts: Facts) -> Measure:
    """Probes of the hypothesis that were not within their tolerance when it was last evaluated after the fault.

    Where one was unmet the count is a lower bound: Chaos Toolkit stops at the first, and the rest stay unknown. Raises
    LookupError where the hypothesis was never evaluated after the fault, or has no probe: an experiment without a
    hypothesis, and one that was cut off, show nothing.
    """
    after = evaluated_after(facts)
    if not after:
        raise LookupError("the steady-state hypothesis was not evaluated after the fault")
    told, failed, probes = after[-1].attributes, after[-1].attributes.get("failed"), probes_of(after[-1])
    if not probes:
        raise LookupError("no probe of a steady-state hypothesis was evaluated after the fault")
    names = [str(name) for name in failed] if isinstance(failed, list) else []
    unmet = len(names) if told.get("met") is True else max(1, len(names))
    return Measure(
        name="unmet-probes",
        value=unmet,
        low=unmet,
        high=unmet if told.get("met") is True else None,
        unit="probes",
        n=probes,
        method="count, by Chaos Toolkit's evaluation of the hypothesis after the method",
        evidence=(f"not met: {', '.join(names) or 'a probe failed'}",) if unmet else ("every probe was met",),
    )
