"""The samples of the window."""

from __future__ import annotations

import numpy as np

from scorer.planted import CONTEXT, EPOCH_NS
from scorer.samples import read_samples
from scorer.span import Span
from tests.scorer.conftest import PlantedBundle

S = 1_000_000_000


def test_samples_are_those_of_the_window_alone(planted: PlantedBundle) -> None:
    samples = read_samples(planted(), Span(EPOCH_NS + 7 * S, EPOCH_NS + 17 * S))
    lags = samples.lags["worker-1"]
    assert len(lags.lag_s) == len(lags.t_ns) == 10 * 4
    assert np.all(lags.lag_s >= 0)
    assert samples.pulses[CONTEXT] == 10


def test_without_a_window_there_are_no_samples(planted: PlantedBundle) -> None:
    samples = read_samples(planted(), None)
    assert (samples.lags, samples.pulses) == ({}, {})
