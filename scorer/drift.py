"""Drift between regions in the window: how far apart their p95, their error rates and their shares of requests are."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from scorer.facts import Facts
from scorer.grounds import Grounds, of_window
from scorer.intervals import Interval, clopper_pearson, tidy
from scorer.percentile import p95
from scorer.regions import Answers, read_answers, region_names
from scorer.verdict import Measure

if TYPE_CHECKING:
    from bundle.reader import Bundle


def latency_drift(facts: Facts, bundle: Bundle, confidence: float) -> Measure:
    """The largest difference of p95 between two regions, in milliseconds. Raises LookupError and BundleError."""
    answers, nameless = _answers(facts, bundle)
    each = _each(answers, confidence)
    window_ms = 0.0 if facts.window is None else facts.window.seconds * 1e3
    found = {name: p95(answers.of(name), nameless, each) for name in answers.regions}
    values = {name: taken.value for name, taken in found.items()}
    # Where even the lower bound is "never", no answer came in all that was watched.
    bounds = [Interval(min(taken.low, window_ms), taken.high) for taken in found.values()]
    method = f"order statistics for each region, the bounds of all together at {100 * confidence:g} %"
    return _drift("latency-drift", "ms", facts, answers, nameless, values, _apart(bounds), method)


def error_drift(facts: Facts, bundle: Bundle, confidence: float) -> Measure:
    """The largest difference of the share of failed requests between two regions, in per cent. Raises LookupError and
    BundleError."""
    answers, nameless = _answers(facts, bundle)
    each = _each(answers, confidence)
    values, bounds = {}, []
    for name in answers.regions:
        requests = answers.of(name)
        bad, n = requests.bad, len(requests)
        values[name] = 100 * bad / n
        low = clopper_pearson(bad, n + nameless, each).low
        bounds.append(Interval(low, clopper_pearson(bad + nameless, n + nameless, each).high).scaled(100))
    method = f"Clopper–Pearson for each region, the bounds of all together at {100 * confidence:g} %"
    return _drift("error-drift", "%", facts, answers, nameless, values, _apart(bounds), method)


def share_drift(facts: Facts, bundle: Bundle) -> Measure:
    """The largest difference of the share of requests between two regions, in per cent of all. Raises LookupError and
    BundleError.

    A count: whichever regions the nameless requests were for, they change a difference by no more than their number.
    """
    answers, nameless = _answers(facts, bundle)
    counts = {name: int(np.count_nonzero(answers.rows(name))) for name in answers.regions}
    named, apart = sum(counts.values()), max(counts.values()) - min(counts.values())
    every = (named + nameless) / 100
    return _drift(
        "share-drift",
        "%",
        facts,
        answers,
        nameless,
        {name: 100 * count / named for name, count in counts.items()},
        Interval(max(0, apart - nameless) / every, (apart + nameless) / every),
        "count; requests of unknown region narrow the difference in one bound, and widen it in the other",
    )


def drift_grounds(facts: Facts) -> Grounds:
    """The requests of the window; of which region each is, the measure's evidence tells. Raises LookupError."""
    return Grounds(of_window(facts))


def _answers(facts: Facts, bundle: Bundle) -> tuple[Answers, int]:
    """The requests of the window that were sent, and how many there are besides whose region nobody knows.

    Raises LookupError where there are fewer than two regions.
    """
    if facts.window is None:
        raise LookupError("the fault phase never began")
    answers = read_answers(bundle, facts.window)
    if len(answers.regions) < 2:
        named = ", ".join(answers.regions) or "none"
        raise LookupError(f"it takes two regions that answer; the requests of the window name {named}")
    nameless = int(np.count_nonzero(answers.rows(""))) + facts.unseen.unknown
    nameless += sum(answers.of(name).unsent for name in answers.regions)
    return answers, nameless


def _each(answers: Answers, confidence: float) -> float:
    """The confidence of each region's bound at which all bounds hold together (Bonferroni)."""
    return 1 - (1 - confidence) / (2 * len(answers.regions))


def _apart(bounds: Iterable[Interval]) -> Interval:
    """The bounds of the largest difference of two: at least what lies between two intervals, at most what both span."""
    bounds = tuple(bounds)
    return Interval(
        max(0.0, max(bound.low for bound in bounds) - min(bound.high for bound in bounds)),
        max(bound.high for bound in bounds) - min(bound.low for bound in bounds),
    )


def _drift(
    name: str,
    unit: str,
    facts: Facts,
    answers: Answers,
    nameless: int,
    values: dict[str, float],
    bounds: Interval,
    method: str,
) -> Measure:
    value, high = max(values.values()) - min(values.values()), bounds.high
    told = (
        f"{region} {figure:.4g} {unit} of {np.count_nonzero(answers.rows(region))}" for region, figure in values.items()
    )
    evidence = [f"{', '.join(told)}; of {nameless} requests nobody knows the region"]
    if silent := sorted(set(region_names(facts).values()) - values.keys()):
        evidence.insert(0, f"{', '.join(silent)} answered no request of the window")
        high = math.inf
    elif math.isinf(high):
        evidence.insert(0, "a region has too few requests, or too many that failed, to bound its p95 from above")
    return Measure(
        name=name,
        value=tidy(value) if math.isfinite(value) else None,
        low=tidy(bounds.low),
        high=tidy(high),
        unit=unit,
        n=len(answers.requests),
        method=method,
        evidence=tuple(evidence),
    )
