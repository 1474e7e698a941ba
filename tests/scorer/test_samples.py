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
    assert len(samples.lag_s) == 10 * 4
    assert np.all(samples.lag_s >= 0)
    assert samples.pulses[CONTEXT] == 10


def test_without_a_window_there_are_no_samples(planted: PlantedBundle) -> None:
    samples = read_samples(planted(), None)
    assert (len(samples.lag_s), samples.pulses) == (0, {})
