"""What an incident like the drill would take of each error budget in production, where the targets say what that is."""

from __future__ import annotations

from collections.abc import Iterator

from scorer.error_rate import bad_share
from scorer.facts import Facts
from scorer.intervals import tidy
from scorer.targets import Targets
from scorer.verdict import Measure


def projection(facts: Facts, targets: Targets) -> Iterator[Measure]:
    """For each SLO with production traffic the bad requests of one such incident, the share of the budget that they
    take, and that of a month's incidents. Raises LookupError.

    An incident lasts as long as the drill's window, hits the same share of the requests, and comes at the busiest rate
    that production has. The budget is what the SLO tolerates of its whole window at the mean rate.
    """
    counts, window = facts.counted(targets.slos.values()), facts.window
    assert window is not None  # it would have raised
    sent = counts.sent
    for name, slo in targets.slos.items():
        traffic = slo.production
        if traffic is None:
            continue
        bad, share = bad_share(counts, slo, targets.validity.confidence, facts.unseen, facts.spare(slo.slow_ns))
        hit = traffic.busiest * window.seconds
        budget = slo.tolerated * traffic.requests_per_s * slo.window_days * 86_400
        projected = [("incident-requests", "requests", hit), ("incident-budget", "%", 100 * hit / budget)]
        if traffic.incidents_per_month is not None:
            incidents = traffic.incidents_per_month * slo.window_days / 30
            projected.append(("incidents-budget", "%", 100 * incidents * hit / budget))
        for kind, unit, scale in projected:
            yield Measure(
                name=f"{kind}.{name}",
                value=tidy(bad / sent * scale) if sent else None,
                low=tidy(share.low * scale),
                high=tidy(share.high * scale),
                unit=unit,
                n=counts.total,
                method="the bad share's bounds times production's traffic in an incident as long as the window",
                evidence=(
                    f"{bad} of {sent} sent requests were bad for {slo.title}; production: {traffic.busiest:g} "
                    f"requests/s for {window.seconds:.1f} s, and a budget of {budget:,.0f} bad requests in "
                    f"{slo.window_days:g} days",
                ),
            )
