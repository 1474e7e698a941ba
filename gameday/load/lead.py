"""The low load before a peak: so long that the peak comes after the baseline, whatever the profile begins with."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bundle.manifest import LoadRecord
from bundle.rates import expected_between
from gameday.errors import BadInput
from gameday.load.profile import ProfileFacts
from scorer.load_step import load_fall, load_rise

SPARE_S = 20.0
"""For Chaos Toolkit to start, the steady state to be looked at, and a baseline that takes a little longer to settle."""

_DO = "give a profile that rises to a peak and falls again, such as loadprofiles/peak.py"


@dataclass(frozen=True, slots=True)
class Led:
    """A profile with low load before it, for lead_s. rise_s and fall_s: when it rises to its peak and falls from it, in
    seconds since the schedule began. at_peak: how many arrivals are expected between the two."""

    profile: ProfileFacts
    lead_s: float
    rise_s: float
    fall_s: float
    at_peak: float


def led(profile: ProfileFacts | None, lead_s: float) -> Led:
    """The profile after `lead_s` seconds of its last rate. Raises BadInput where it has no peak that it falls from."""
    if profile is None:
        raise BadInput("the drill is about when the load rises, and --load none doesn't know", where="--load", do=_DO)
    try:
        curves = tuple(curve.led_by(lead_s) for curve in profile.curves)
        record = LoadRecord(model=profile.model, curves=curves, began_ns=0)
        rise_s, fall_s = load_rise(record).low / 1e9, load_fall(record).low / 1e9
        if rise_s < lead_s:
            raise LookupError("the load is never higher than at its end")
    except (LookupError, ValueError) as error:
        raise BadInput(f"no peak to scale for: {error}", where=str(profile.path), do=_DO) from None
    return Led(replace(profile, curves=curves), lead_s, rise_s, fall_s, expected_between(curves, rise_s, fall_s))
