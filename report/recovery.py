"""When the service was well again, by the recovery measures of a verdict, on the figure's time axis."""

from __future__ import annotations

from dataclasses import dataclass

from report import quantity
from scorer.verdict import Verdict

_WHO = {"recovery-user": "users well again", "recovery-ready": "all ready again"}


@dataclass(frozen=True, slots=True)
class Recovery:
    """A recovery and the moments between which it lies; `high_s` None means that it was not seen."""

    by_users: bool
    low_s: float
    high_s: float | None
    says: str


def recoveries(verdict: Verdict) -> list[Recovery]:
    """The recoveries that the verdict measured, in the order of its objectives and measures.

    The scorer counts `low` from the latest and `high` from the earliest moment at which the fault can have begun. The
    axis begins at the earliest, so the recovery lies in [low, high] on it too.
    """
    found: list[Recovery] = []
    for measure in quantity.measures(verdict):
        if measure.name not in _WHO or measure.unit != "s" or measure.low is None:
            continue
        who = _WHO[measure.name]
        says = f"{who} after {quantity.value(measure)} {quantity.bounds(measure)}"
        if measure.high is None:
            says = f"{who}: not seen within {quantity.number(measure.low)} s"
        found.append(Recovery(measure.name == "recovery-user", measure.low, measure.high, says))
    return found
