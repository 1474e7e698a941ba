"""Drills into figures: by kind of drill how often the truth was held, how far off, how wide, and how often wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from benchmarks.accuracy.drill import Drill, Held
from benchmarks.accuracy.kinds import KINDS
from benchmarks.load.figure import Figure, Goal
from scorer.intervals import clopper_pearson
from scorer.verdict import Grade

_HARD = "hard, 100 requests/s"
_OTHERS = ("recovery-ready", "latency-p95", "error-rate", "availability", "failed-requests", "unmet-probes")
_CONFIDENCE = 0.975
"""Of each of the two bounds that are stated of a share of drills: together 95 %."""


def figures_of(drills: Sequence[Drill]) -> list[Figure]:
    """Every figure, each with its goal."""
    by_kind: dict[str, list[Drill]] = {}
    for drill in drills:
        by_kind.setdefault(drill.kind, []).append(drill)
    found = [figure for kind, of in by_kind.items() for figure in _recovery(kind, of)]
    found += [figure for name in _OTHERS for figure in _others(name, by_kind)]
    if _HARD in by_kind:
        found += _widths(by_kind[_HARD])
    found += [_false_passes(drills), _false_fails(drills), _undecided(drills)]
    return [*found, *_usual(drills)]


def _counting(drills: Iterable[Drill]) -> list[Drill]:
    return [drill for drill in drills if drill.verdict is not Grade.INVALID]


def _recovery(kind: str, drills: Sequence[Drill]) -> list[Figure]:
    """Of the drills that count: an invalid one claims nothing."""
    counting = [drill for drill in _counting(drills) if "recovery-user" in drill.held]
    beside = {
        "drills": float(len(drills)),
        "invalid": float(len(drills) - len(_counting(drills))),
        "false_pass": float(sum(drill.false_pass for drill in drills)),
        "false_fail": float(sum(drill.false_fail for drill in drills)),
    }
    if not KINDS[kind].counts or not counting:
        return [Figure(f"{kind}: false passes", beside["false_pass"], "", Goal(at_most=0), beside)]
    held = [drill.held["recovery-user"] for drill in counting]
    widths = np.array([took.high - took.low - drill.fault_s for took, drill in zip(held, counting, strict=True)])
    beyond = widths - np.array([drill.spacing_s for drill in counting])
    errors = [took.value - took.truth for took in held if took.value is not None and np.isfinite(took.truth)]
    kept = sum(map(_holds, held))
    bounds = clopper_pearson(kept, len(held), _CONFIDENCE)
    traced = [took for took, drill in zip(held, counting, strict=True) if not drill.untraced]
    beside |= {
        "coverage_low": bounds.low,
        "coverage_high": bounds.high,
        "too_low": float(sum(took.too_low for took in held)),
        "too_high": float(sum(took.too_high for took in held)),
        "untraced": float(len(held) - len(traced)),
        "coverage_by_plan": float(np.mean([_holds(took) for took in _by_plan(counting)])),
        "coverage_of_traced": float(np.mean([_holds(took) for took in traced])) if traced else float("nan"),
        "bias_median_s": float(np.median(errors)) if errors else float("nan"),
        "bias_mean_s": float(np.mean(errors)) if errors else float("nan"),
        "width_median_s": float(np.quantile(widths, 0.5, method="lower")),
        "width_p95_s": float(np.quantile(widths, 0.95, method="higher")),
        "beyond_arrivals_median_s": float(np.quantile(beyond, 0.5, method="lower")),
        "beyond_arrivals_p95_s": float(np.quantile(beyond, 0.95, method="higher")),
        "open_above": float(np.isinf(widths).sum()),
    }
    return [Figure(f"{kind}: recovery held", kept / len(held), "", Goal(at_least=0.95), _known(beside))]


def _by_plan(drills: Iterable[Drill]) -> list[Held]:
    """Held against the end of the last outage that was planned, though no request may have met it."""
    took = ((drill.held["recovery-user"], drill.untold_s) for drill in drills)
    return [replace(held, least=held.least + untold_s, truth=held.truth + untold_s) for held, untold_s in took]


def _known(beside: Mapping[str, float]) -> dict[str, float]:
    """Without what there is none of: JSON has no number for it."""
    return {name: value for name, value in beside.items() if np.isfinite(value)}


def _holds(took: Held) -> bool:
    return not (took.too_low or took.too_high)


def _others(name: str, by_kind: Mapping[str, Sequence[Drill]]) -> list[Figure]:
    """The share of drills whose interval holds what was known of the measure, in the kind with the least; none where
    no drill was judged by it."""
    shares = {}
    for kind, drills in by_kind.items():
        counting = _counting(drills) if KINDS[kind].counts else []
        held = [_holds(drill.held[name]) for drill in counting if name in drill.held]
        if held:
            shares[kind] = float(np.mean(held))
    if not shares:
        return []
    least = min(shares.values())
    beside = {kind: share for kind, share in shares.items() if share < 1}
    return [Figure(f"{name} held, in the kind with the least", least, "", Goal(at_least=0.95), beside)]


def _widths(drills: Sequence[Drill]) -> list[Figure]:
    """Without the span of the fault. What the arrivals allow is the gap between the two between which the outage ended;
    what the rows allow is longer by the time that the first good answer took: till then none shows that it is over."""
    of = [(drill.held["recovery-user"], drill) for drill in _counting(drills) if "recovery-user" in drill.held]
    widths_ms = 1e3 * np.array([took.high - took.low - drill.fault_s for took, drill in of])
    beyond_ms = widths_ms - 1e3 * np.array([drill.spacing_s for _, drill in of])
    unneeded_ms = widths_ms - 1e3 * np.array([drill.shown_s for _, drill in of])
    return [
        *(
            Figure(f"{_HARD}: width beyond what the arrivals allow, {called}", figure, "ms", Goal(at_most=30))
            for called, figure in (
                ("median", float(np.median(beyond_ms))),
                ("p95", float(np.quantile(beyond_ms, 0.95, method="higher"))),
            )
        ),
        Figure(
            f"{_HARD}: share of drills at most 30 ms wider than the arrivals allow",
            float(np.mean(beyond_ms <= 30)),
            "",
            beside={
                "widest_ms": float(beyond_ms.max()),
                "beyond_what_rows_allow_median_ms": float(np.median(unneeded_ms)),
                "beyond_what_rows_allow_widest_ms": float(unneeded_ms.max()),
                "at_most_30_ms_beyond_what_rows_allow": float(np.mean(unneeded_ms <= 30)),
            },
        ),
    ]


def _false_passes(drills: Sequence[Drill]) -> Figure:
    undeserved = [drill for drill in drills if drill.due is not Grade.PASS]
    wrong = sum(drill.false_pass for drill in drills)
    beside = {
        "drills": float(len(drills)),
        "that_deserved_no_pass": float(len(undeserved)),
        "upper_bound_of_rate": clopper_pearson(wrong, len(undeserved), 0.95).high,
        **{f"in: {kind}": float(count) for kind, count in _by_kind(drills, "false_pass").items()},
    }
    return Figure("false passes", wrong, "", Goal(at_most=0), beside)


def _false_fails(drills: Sequence[Drill]) -> Figure:
    kept = [drill for drill in drills if drill.due in (Grade.PASS, Grade.WARN)]
    wrong = sum(drill.false_fail for drill in kept)
    beside = {
        "drills_that_deserved_no_fail": float(len(kept)),
        "false_fails": float(wrong),
        **{f"in: {kind}": float(count) for kind, count in _by_kind(drills, "false_fail").items()},
    }
    return Figure("false fails, share", wrong / max(1, len(kept)), "", Goal(at_most=0.01), beside)


def _by_kind(drills: Sequence[Drill], what: str) -> dict[str, int]:
    kinds = [drill.kind for drill in drills if getattr(drill, what)]
    return {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}


def _undecided(drills: Sequence[Drill]) -> Figure:
    """What never to be wrong costs: with promises this near to the truth many drills can't tell."""
    counts = {str(grade): float(sum(drill.verdict is grade for drill in drills)) for grade in Grade}
    return Figure("inconclusive, share", counts[Grade.INCONCLUSIVE] / len(drills), "", beside=counts)


def _usual(drills: Sequence[Drill]) -> list[Figure]:
    """The error of the usual ways of measuring and of ours, over the drills that had an outage and recovered."""
    recovered = [drill for drill in drills if 0 < drill.recovery_s < float("inf")]
    found = []
    for which, of in (("all outages", recovered), (_HARD, [drill for drill in recovered if drill.kind == _HARD])):
        if of:
            found += [_error(f"{which}: {way}", [(drill.found_s[way], drill) for drill in of]) for way in of[0].found_s]
            values = [(drill.held["recovery-user"].value, drill) for drill in of if "recovery-user" in drill.held]
            found.append(
                _error(f"{which}: our value", [(value, drill) for value, drill in values if value is not None])
            )
    return found


def _error(name: str, found: Sequence[tuple[float, Drill]]) -> Figure:
    """How far off, in the median; what was never found is left out of the mean alone."""
    errors = np.array([value - drill.recovery_s for value, drill in found])
    beside = {
        "drills": float(len(found)),
        "bias_median_s": float(np.median(errors)),
        "bias_mean_s": float(np.mean(errors[np.isfinite(errors)])),
        "error_p95_s": float(np.quantile(np.abs(errors), 0.95, method="higher")),
        "too_early_share": float(np.mean(errors < -0.1)),
    }
    return Figure(f"{name}: error, median", float(np.median(np.abs(errors))), "s", beside=_known(beside))
