"""Error-budget burn: what the drill cost of each SLO's budget."""

from __future__ import annotations

from collections.abc import Iterator

from scorer.error_rate import bad_share
from scorer.facts import Facts
from scorer.intervals import tidy
from scorer.targets import Targets
from scorer.verdict import Measure


def budget_burn(facts: Facts, targets: Targets) -> Iterator[Measure]:
    """For each SLO its burn rate in the window, and the share of its whole budget that the window used up.

    Burn rate: share of bad requests over the share tolerated (SRE Workbook, chapter 5). Used: burn rate times window
    over the SLO's window, which is the budget's share were the SLO's whole window as busy as this one.
    Raises LookupError.
    """
    counts, window = facts.counted(targets.slos.values()), facts.window
    assert window is not None  # it would have raised
    sent = counts.sent
    for name, slo in targets.slos.items():
        bad, share = bad_share(counts, slo, targets.validity.confidence, facts.unseen, facts.spare(slo.slow_ns))
        method = f"Clopper–Pearson of the bad share, each bound at {100 * targets.validity.confidence:g} %"
        evidence = (
            f"{bad} of {sent} sent requests were bad for {slo.title}, which tolerates "
            f"{100 * slo.tolerated:g} %, in {window.seconds:.1f} s",
        )
        spent = 100 * window.seconds / (slo.window_days * 86_400)
        for kind, unit, factor in (("burn-rate", "x", 1.0), ("budget-used", "%", spent)):
            scale = factor / slo.tolerated
            yield Measure(
                name=f"{kind}.{name}",
                value=tidy(bad / sent * scale) if sent else None,
                low=tidy(share.low * scale),
                high=tidy(share.high * scale),
                unit=unit,
                n=counts.total,
                method=method,
                evidence=evidence,
            )
