"""The experiment's own steady-state hypothesis after the fault: what of it no longer held."""

from __future__ import annotations

from scorer.facts import Facts
from scorer.verdict import Measure


def unmet_probes(facts: Facts) -> Measure:
    """Probes of the hypothesis that were not within their tolerance when it was last evaluated after the fault.

    Exact: the experiment evaluates each probe once. Raises LookupError where it was never evaluated after the fault,
    which is how an experiment without a hypothesis, and one that was cut off, stay unshown.
    """
    after = [
        entry
        for entry in facts.timeline
        if entry.kind == "hypothesis"
        and entry.event == "end"
        and entry.attributes.get("when") == "after"
        and facts.fault is not None
        and entry.latest_ns >= facts.fault.low
    ]
    if not after:
        raise LookupError("the steady-state hypothesis was not evaluated after the fault")
    told, failed = after[-1].attributes, after[-1].attributes.get("failed")
    names = [str(name) for name in failed] if isinstance(failed, list) else []
    # Chaos Toolkit stops at the first probe that fails by an error, so a hypothesis may be unmet with none named
    unmet = len(names) if told.get("met") is True else max(1, len(names))
    probes = told.get("probes")
    return Measure(
        name="unmet-probes",
        value=unmet,
        low=unmet,
        high=unmet,
        unit="probes",
        n=probes if isinstance(probes, int) else 0,
        method="count, by Chaos Toolkit's evaluation of the hypothesis after the method",
        evidence=(f"not met: {', '.join(names) or 'a probe failed'}",) if unmet else ("every probe was met",),
    )
