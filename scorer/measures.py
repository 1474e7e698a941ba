"""How each measure is taken that an objective may name. Those of rarer drills are imported as they are taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from bundle.reader import Bundle
from scorer.error_rate import availability, error_rate
from scorer.facts import Facts
from scorer.failed_requests import failed_requests
from scorer.latency import latency_p95
from scorer.readiness import recovery_ready
from scorer.recovery import recovery_user
from scorer.steady_state import unmet_probes
from scorer.targets import MEASURE_UNITS, Targets
from scorer.verdict import Measure

Taker: TypeAlias = Callable[[Facts, Targets, Bundle], Measure]


def _leader_elected(facts: Facts, targets: Targets, _bundle: Bundle) -> Measure:
    from scorer.failover import leader_elected

    return leader_elected(facts, targets)


def _contested_terms(facts: Facts, targets: Targets, _bundle: Bundle) -> Measure:
    from scorer.failover import contested_terms

    return contested_terms(facts, targets)


def _region_restored(facts: Facts, _targets: Targets, bundle: Bundle) -> Measure:
    from scorer.restore import region_restored

    return region_restored(facts, bundle)


def _writes_lost(facts: Facts, _targets: Targets, bundle: Bundle) -> Measure:
    from scorer.data_loss import writes_lost

    return writes_lost(facts, bundle)


def _latency_drift(facts: Facts, targets: Targets, bundle: Bundle) -> Measure:
    from scorer.drift import latency_drift

    return latency_drift(facts, bundle, targets.validity.confidence)


def _error_drift(facts: Facts, targets: Targets, bundle: Bundle) -> Measure:
    from scorer.drift import error_drift

    return error_drift(facts, bundle, targets.validity.confidence)


def _share_drift(facts: Facts, _targets: Targets, bundle: Bundle) -> Measure:
    from scorer.drift import share_drift

    return share_drift(facts, bundle)


def _scale_up_begins(facts: Facts, _targets: Targets, _bundle: Bundle) -> Measure:
    from scorer.scaling import scale_up_begins

    return scale_up_begins(facts)


def _scale_latency(facts: Facts, targets: Targets, _bundle: Bundle) -> Measure:
    from scorer.scaling import scale_latency

    return scale_latency(facts, targets)


def _scale_down_begins(facts: Facts, _targets: Targets, _bundle: Bundle) -> Measure:
    from scorer.scaling import scale_down_begins

    return scale_down_begins(facts)


def _latency_rise(facts: Facts, targets: Targets, _bundle: Bundle) -> Measure:
    from scorer.latency_rise import latency_rise

    return latency_rise(facts, targets)


def _latency_after(facts: Facts, targets: Targets, _bundle: Bundle) -> Measure:
    from scorer.latency_rise import latency_after

    return latency_after(facts, targets)


def _timeout_share(facts: Facts, targets: Targets, _bundle: Bundle) -> Measure:
    from scorer.timeouts import timeout_share

    return timeout_share(facts, targets.validity.confidence)


MEASURES: dict[str, Taker] = {
    "recovery-user": lambda facts, targets, _: recovery_user(facts, targets),
    "recovery-ready": lambda facts, *_: recovery_ready(facts),
    "latency-p95": lambda facts, targets, _: latency_p95(facts, targets.validity.confidence),
    "error-rate": lambda facts, targets, _: error_rate(facts, targets.validity.confidence),
    "availability": lambda facts, targets, _: availability(facts, targets.validity.confidence),
    "failed-requests": lambda facts, *_: failed_requests(facts),
    "unmet-probes": lambda facts, *_: unmet_probes(facts),
    "leader-elected": _leader_elected,
    "contested-terms": _contested_terms,
    "region-restored": _region_restored,
    "writes-lost": _writes_lost,
    "latency-drift": _latency_drift,
    "error-drift": _error_drift,
    "share-drift": _share_drift,
    "scale-up-begins": _scale_up_begins,
    "scale-latency": _scale_latency,
    "scale-down-begins": _scale_down_begins,
    "latency-rise": _latency_rise,
    "latency-after": _latency_after,
    "timeout-share": _timeout_share,
}
"""The measures of `targets.MEASURE_UNITS`, in its order."""


def take(name: str, facts: Facts, targets: Targets, bundle: Bundle) -> Measure:
    """Take one measure. One that raises shows nothing, says why, and so can be graded no better than inconclusive."""
    try:
        return MEASURES[name](facts, targets, bundle)
    except Exception as problem:  # whatever a damaged bundle provokes must not pass, nor hide the other measures
        kind = "" if type(problem) is LookupError else f"{type(problem).__name__}: "
        says = f"could not be measured: {' '.join(f'{kind}{problem}'.split())}"
        return Measure(
            name=name, value=None, low=None, high=None, unit=MEASURE_UNITS[name], n=0, method="none", evidence=(says,)
        )
