"""What the service itself counted in a drill, beside what its users saw: its error rate, its p95, and the gaps.

A service counts what reached it. Who could not connect, or waited in a queue before it, is in the users' figures alone,
and so a gap between the two is no error of either: it says where the trouble was. Nothing is judged by these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from bundle.timeline import Entry
from scorer.counted import Amount, Counted, Rises, read_counts
from scorer.intervals import tidy
from scorer.span import Span
from scorer.verdict import Measure

if TYPE_CHECKING:
    from bundle.reader import Bundle

QUANTILE = 0.95
_MOST_ALERTS = 6


def service_side(
    bundle: Bundle, timeline: Iterable[Entry], window: Span | None, users: Mapping[str, Measure]
) -> Iterator[Measure]:
    """The service's own error rate and p95 over the window, and by how much users had it worse.

    users: the measures of theirs that were taken, by name; only for those a gap is given. What can't be said has no
    value, and its first line of evidence says why. Raises LookupError where there is no window, and BundleError.
    """
    if window is None:
        raise LookupError("the fault phase never began")
    said = [entry for entry in timeline if entry.kind == "prometheus"]
    failed = [entry for entry in said if entry.event == "failed"]
    counts = read_counts(bundle)
    why = ""
    if not said:
        why = "unknown: no Prometheus was named (GAMEDAY_PROMETHEUS)"
    elif failed:
        why = f"unknown: the Prometheus of {failed[0].context} {failed[0].attributes.get('error')}"
    elif not counts:
        why = "unknown: what Prometheus said is not in the samples"
    if why:
        yield _unknown("service-error-rate", "%", 100.0, why)
        yield _unknown("service-latency-p95", "ms", None, why)
        return
    every, told = list(counts.values()), _evidence(counts, window)
    for own, name, theirs in (
        (_error_rate(every, window, told), "service-gap.error-rate", users.get("error-rate")),
        (_latency_p95(every, window, told), "service-gap.latency-p95", users.get("latency-p95")),
    ):
        yield own
        if theirs is not None and own.n:
            yield _gap(name, theirs, own)


def _unknown(name: str, unit: str, high: float | None, why: str) -> Measure:
    method = "counters of the service's own, as its Prometheus scraped them"
    return Measure(name=name, value=None, low=0.0, high=high, unit=unit, n=0, method=method, evidence=(why,))


def _total(counts: Iterable[Counted], window: Span, of: Callable[[Counted], Rises | None]) -> Amount:
    """What all contexts together counted in the window."""
    found = (rises.between(window) for counted in counts if (rises := of(counted)) is not None)
    return sum(found, start=Amount())


def _error_rate(counts: list[Counted], window: Span, told: tuple[str, ...]) -> Measure:
    errors = _total(counts, window, lambda counted: counted.errors)
    total = _total(counts, window, lambda counted: counted.requests)
    if not total.most:
        return _unknown("service-error-rate", "%", 100.0, "unknown: the service counted no request in the window")
    good, unscraped = total - errors, sum(counted.unscraped for counted in counts)
    worst = errors.most + unscraped
    most = worst + good.sure
    return Measure(
        name="service-error-rate",
        value=tidy(100 * errors.value / total.value) if total.value else None,
        low=tidy(100 * errors.sure / (errors.sure + good.most + unscraped)) if errors.sure else 0.0,
        high=tidy(100 * worst / most) if most else 0.0,
        unit="%",
        n=round(total.value),
        method="server errors / requests, as the service counted them; the bounds leave open what the scrapes at the "
        "window's ends lie across, and what pods that went served after their last",
        evidence=(f"{errors.value:.0f} of {total.value:.0f} requests were server errors", *told),
    )


def _latency_p95(counts: list[Counted], window: Span, told: tuple[str, ...]) -> Measure:
    """The bucket in which the percentile lies. An error is slower than any answer, as among the users' requests."""
    name = "service-latency-p95"
    total = _total(counts, window, lambda counted: counted.requests)
    # Only limits that all of them have add up.
    limits = sorted(frozenset.intersection(*(frozenset(counted.answered) for counted in counts)))

    def answered(limit: float) -> Amount:
        return _total(counts, window, lambda counted: counted.answered.get(limit))

    if not total.most or not limits:
        return _unknown(name, "ms", None, "unknown: the service counted no answer in the window")
    ends = [0.0, *(limit * 1000 for limit in limits)]
    within = [Amount(), *map(answered, limits)]
    lost = sum(counted.unscraped for counted in counts)
    # What may lie outside the window, and what was never scraped, counts as makes the percentile small, and as large.
    fastest = [_share(a.most + lost, total.sure - a.sure) for a in within]
    slowest = [_share(a.sure, total.most - a.most + lost) for a in within]
    low = next((at for at, share in enumerate(fastest) if share >= QUANTILE), len(ends))
    high = next((ends[at] for at, share in enumerate(slowest) if share >= QUANTILE), None)
    return Measure(
        name=name,
        value=_interpolated(ends, [amount.value for amount in within], QUANTILE * total.value),
        low=tidy(max(end for end in ends[: max(1, low)] if not np.isinf(end))),
        high=None if high is None or np.isinf(high) else tidy(high),
        unit="ms",
        n=round(total.value),
        method="the ends of the histogram's bucket in which it lies, whatever the scrapes at the window's ends lie "
        "across; server errors are slower than any answer",
        evidence=told,
    )


def _share(part: float, rest: float) -> float:
    return part / (part + rest) if part + rest > 0 else 0.0


def _interpolated(ends: list[float], counts: list[float], rank: float) -> float | None:
    """Where the rank lies, as Prometheus's own histogram_quantile has it: evenly within its bucket."""
    for (start, before), (end, upto) in pairwise(zip(ends, counts, strict=True)):
        if upto >= rank > before:
            return None if np.isinf(end) else tidy(start + (end - start) * (rank - before) / (upto - before))
    return None


def _gap(name: str, theirs: Measure, own: Measure) -> Measure:
    def difference(one: float | None, other: float | None) -> float | None:
        return None if one is None or other is None else tidy(one - other)

    low, high = difference(theirs.low, own.high), difference(theirs.high, own.low)
    if low is not None and low > 0:
        says = "users had it worse than the service knew: what failed or waited before it reached a pod"
    elif high is not None and high < 0:
        says = "the service had it worse than users saw: what was tried again, or others asked for"
    else:
        says = "no gap is shown: the bounds hold 0"
    return Measure(
        name=name,
        value=difference(theirs.value, own.value),
        low=low,
        high=high,
        unit=own.unit,
        n=own.n,
        method="the users' figure less the service's, bounds against bounds",
        evidence=(says,),
    )


def _lost(counted: Counted) -> str:
    if not counted.gone:
        return ""
    pods = "1 pod" if counted.gone == 1 else f"{counted.gone} pods"
    return f"; {pods} went, with up to {counted.unscraped:.0f} requests after the last scrape"


def _evidence(counts: Mapping[str, Counted], window: Span) -> tuple[str, ...]:
    """How fine it was looked, context by context, and which alerts fired."""
    lines = []
    for context, counted in sorted(counts.items()):
        total, errors = counted.requests.between(window).value, counted.errors.between(window).value
        rate = total / window.seconds if window.seconds > 0 else 0.0
        lines.append(
            f"{context}: {rate:.3g} requests/s, {errors:.0f} errors; a rise is known to {counted.reach_ns / 1e9:.3g} s"
            + _lost(counted)
        )
    firing = sorted(
        {
            f"{context}: {name}"
            for context, counted in counts.items()
            for name, times in counted.alerts.items()
            if bool(np.any((times >= window.start_ns) & (times <= window.end_ns)))
        }
    )
    more = f" and {len(firing) - _MOST_ALERTS} more" if len(firing) > _MOST_ALERTS else ""
    alerts = f"firing: {'; '.join(firing[:_MOST_ALERTS])}{more}" if firing else "no alert was firing"
    return (*lines, alerts)
