"""The samples of the window."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from bundle.reader import Bundle
from bundle.table import SAMPLES, StreamWriter
from scorer.planted import CONTEXT, EPOCH_NS, Plan
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


def test_what_pods_were_asked_is_kept_of_the_whole_run(planted: PlantedBundle) -> None:
    """A delay is held against what was before it."""
    bundle = planted(Plan(killed=True))
    stream = StreamWriter(bundle.root / "samples" / "pods.arrows", SAMPLES)
    readings = [
        ("pod.round_trip_s", "east/a", 0, 0.25),
        ("pod.unanswered_s", "east/a", 2, 0.5),
        ("pod.round_trip_s", "east/b", 9, 0.125),
        ("pod.round_trip_s", "east/b", 9, float("nan")),
        ("pod.round_trip_s", "east/b", 9, float("inf")),
    ]
    for series, source, at_s, value in readings:
        columns = [
            pa.array([EPOCH_NS + at_s * S]),
            pa.array([series]).dictionary_encode(),
            pa.array([source]).dictionary_encode(),
            pa.array([value]),
        ]
        stream.append(pa.record_batch(columns, schema=SAMPLES))
    stream.close()
    trips = read_samples(Bundle.open(bundle.root), Span(EPOCH_NS + 7 * S, EPOCH_NS + 8 * S)).trips
    assert [trips["east/a"].over_ns.tolist(), trips["east/a"].took_ns.tolist()] == [
        [EPOCH_NS, EPOCH_NS + 2 * S],
        [S // 4, S // 2],
    ]
    assert trips["east/a"].answered.tolist() == [True, False]
    assert trips["east/b"].took_ns.tolist() == [S // 8]
