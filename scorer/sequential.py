"""Bounds of a probability that may be looked at after every trial. `docs/measurement.md` derives them.

A Clopper–Pearson interval errs in 5 % of looks. Who looks every week and stops when it says what they hoped for errs
far more often. These bounds err in 5 % of all histories, however often and whenever they are looked at.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from scorer.intervals import Interval

Floats = npt.NDArray[np.float64]

_RATIOS: Floats = ((np.arange(64) + 0.5) / 64) ** 2
"""Odds ratios that are bet on: how much rarer bad trials may be than the rate under test says. Denser towards 0."""
_NEVER = 1 / 3
"""That share of the stake is on "no trial is ever bad", the rest is spread evenly over the ratios."""


def log_wealth(bad: npt.ArrayLike, trials: npt.ArrayLike, rate: npt.ArrayLike) -> Floats:
    """The logarithm of what a stake of 1 against "bad trials are at least as frequent as `rate`" has become.

    The mixture over r of r^bad · (1 - rate · (1 - r))^-trials, by broadcasting; 0 ≤ rate ≤ 1. It is at most the value
    of a martingale that starts at 1, so that it ever exceeds 1/α with a probability of at most α (Ville, 1939).
    """
    bad, trials, rate = (np.asarray(given, dtype=np.float64)[..., None] for given in (bad, trials, rate))
    with np.errstate(divide="ignore", invalid="ignore"):
        never = np.where(bad == 0, math.log(_NEVER) - np.where(trials > 0, trials * np.log1p(-rate), 0.0), -np.inf)
    share = math.log((1 - _NEVER) / len(_RATIOS))
    rarer = share + bad * np.log(_RATIOS) - trials * np.log1p(-rate * (1 - _RATIOS))
    most = rarer.max(axis=-1, keepdims=True)
    summed = most + np.log(np.exp(rarer - most).sum(axis=-1, keepdims=True))
    total: Floats = np.logaddexp(never, summed)[..., 0]
    return total


def upper_bounds(bad: npt.ArrayLike, trials: npt.ArrayLike, confidence: float) -> Floats:
    """The greatest rate of bad trials that is not excluded, by broadcasting; exact to 1e-12 and never too low."""
    bad, trials = np.broadcast_arrays(np.asarray(bad, dtype=np.float64), np.asarray(trials, dtype=np.float64))
    limit = -math.log1p(-confidence)
    low, high = np.zeros(bad.shape), np.ones(bad.shape)
    for _ in range(40):  # the wealth grows with the rate
        middle = (low + high) / 2
        excluded = log_wealth(bad, trials, middle) >= limit
        low, high = np.where(excluded, low, middle), np.where(excluded, middle, high)
    return high


def always_valid(bad: int, trials: int, confidence: float) -> Interval:
    """Bounds of the mean probability of a bad trial, good at every look at once; each by itself at `confidence`.

    Trials may differ and may even be chosen by how earlier ones came out. No trials: [0, 1].
    """
    return Interval(
        1.0 - float(upper_bounds(trials - bad, trials, confidence)), float(upper_bounds(bad, trials, confidence))
    )
