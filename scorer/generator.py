"""Was the load generator the bottleneck? By how late it sent, and by how its event loop lagged."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from scorer.facts import Facts
from scorer.grounds import Grounds, kind
from scorer.ranked import order_statistics
from scorer.samples import Lags
from scorer.targets import Targets
from scorer.verdict import Says

LAG_EVERY_S, SILENT_S = 2, 3
"""Samples are taken every half second: so rarely at least there must be one, and so long at most there may be none."""


def generator(facts: Facts, targets: Targets) -> Says:
    """Whether requests started on time and no worker lagged; of what the record lacks, that it isn't known."""
    sent, limit_ms, load = facts.counted().sent, targets.validity.lateness_p99_ms, facts.manifest.load
    if not sent:
        return False, "no request was sent in the window"
    (late_ns,) = order_statistics(facts, facts.cut, "lateness", [_rank(sent)])
    lateness = late_ns / 1e6
    if load is not None and "generator-health" in load.lacks:
        return _unmeasured(facts, targets, lateness)
    # Whoever sent requests owes samples: those of a live worker don't clear a dead one.
    lags = {name: facts.samples.lags.get(name, Lags()) for name in sorted({*facts.workers, *facts.samples.lags})}
    unsound = next(filter(None, (_unsound(facts, name, lag) for name, lag in lags.items())), None)
    if unsound or not any(len(lag.lag_s) for lag in lags.values()):
        return False, unsound or "the load generator recorded no sample of its lag"
    # A sample is the longest lag of its half second. One stall is in the lateness already; a generator that can't keep
    # up lags in most of them.
    medians = {name: _quantile(lag.lag_s * 1e3, 50) for name, lag in lags.items() if len(lag.lag_s)}
    worst = max(medians, key=lambda name: medians[name])
    of_worst = f" of {worst}" if len(medians) > 1 else ""
    return lateness <= limit_ms and medians[worst] <= limit_ms, (
        f"99 % of requests started within {lateness:.1f} ms of their time and half of all lag samples{of_worst} were "
        f"within {medians[worst]:.1f} ms (at most {limit_ms:g} ms)"
    )


def ranks(facts: Facts) -> tuple[int, ...]:
    """Which ranks of the window's latenesses are asked for. Raises LookupError."""
    return (_rank(facts.counted().sent),)


def _rank(sent: int) -> int:
    return -(-99 * sent // 100)


def generator_grounds(facts: Facts) -> Grounds:
    """The requests of the window, the one that was sent latest, and each worker's samples. Raises LookupError."""
    judged = facts.judged
    sent = judged.where(judged.sent)
    late_ns = sent.start_ns - sent.scheduled_ns
    return Grounds(
        (kind("sent in the window", sent), kind("sent the most late", sent, late_ns == late_ns.max(initial=0))),
        figures=tuple(
            f"{name}: {len(lags.lag_s):,} samples of its lag, the longest {1e3 * float(lags.lag_s.max()):.1f} ms"
            for name, lags in sorted(facts.samples.lags.items())
        ),
    )


def _unsound(facts: Facts, name: str, lags: Lags) -> str:
    """Why a worker's samples can't clear it, "" where they can. One that was lost owes none from then on."""
    window = facts.window
    assert window is not None  # judged would have raised
    until_ns = min(window.end_ns, facts.lost_workers.get(name, window.end_ns))
    lived_s = (until_ns - window.start_ns) / 1e9
    if lived_s <= 0:
        return ""
    least = lived_s // LAG_EVERY_S if name in facts.lost_workers else max(1.0, lived_s / LAG_EVERY_S)
    if len(lags.lag_s) < least or not np.all(lags.lag_s >= 0):
        return f"{name} recorded {len(lags.lag_s)} samples of its lag, or absurd ones ({least:.0f} needed)"
    silent_s = float(np.diff(np.sort(lags.t_ns), prepend=window.start_ns, append=until_ns).max()) / 1e9
    return f"{name} recorded no sample of its lag for {silent_s:.1f} s" if silent_s > SILENT_S else ""


def _unmeasured(facts: Facts, targets: Targets, lateness_ms: float) -> Says:
    """What can be told without the generator's own readings: lateness where it is known, and whether it ever fell
    silent in the baseline, where the service gave no reason to."""
    load, baseline, limit_ms = facts.manifest.load, facts.before_fault, targets.validity.lateness_p99_ms
    assert load is not None  # it lacks something
    requests = facts.requests
    starts = requests.start_ns[requests.sent]
    if baseline is None or not len(
        starts := np.sort(starts[(starts >= baseline.start_ns) & (starts < baseline.end_ns)])
    ):
        return False, "no request was sent in a baseline by which a generator of unknown health could be judged"
    silence_s = float(np.diff(starts, prepend=baseline.start_ns, append=baseline.end_ns).max()) / 1e9
    natural_s = float(np.log(16_000 * len(starts))) * baseline.seconds / len(starts)
    limit_s = max(targets.validity.observer_gap_s, natural_s) + 2 * facts.clock_uncertainty_ns / 1e9
    timed = "scheduled-time" not in load.lacks and load.model == "open"
    late = (
        f"99 % of requests started within {lateness_ms:.1f} ms of their time (at most {limit_ms:g} ms)"
        if timed
        else "when requests were due isn't recorded either"
    )
    return silence_s <= limit_s and (not timed or lateness_ms <= limit_ms), (
        f"not measured by the generator itself; {late}; longest silence in the baseline {silence_s:.2f} s (at most "
        f"{limit_s:.3g} s)"
    )


def _quantile(figures: npt.NDArray[np.float64], per_cent: int) -> float:
    rank = -(-per_cent * len(figures) // 100)
    return float(np.partition(figures, rank - 1)[rank - 1])
