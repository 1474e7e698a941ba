"""The samples of the window."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from bundle.reader import Bundle
from bundle.table import SAMPLES, StreamWriter
from scorer.planted import CONTEXT, EPOCH_NS, Plan
from scorer.samples import Samples, read_samples
from scorer.span import Span
from tests.scorer.conftest import PlantedBundle

S = 1_000_000_000


def sampled(bundle: Bundle, readings: list[tuple[str, str, int, float]]) -> Samples:
    """The samples of a bundle that holds these as well: series, source, seconds from the start, value."""
    stream = StreamWriter(bundle.root / "samples" / "pods.arrows", SAMPLES)
    for series, source, at_s, value in readings:
        columns = [
            pa.array([EPOCH_NS + at_s * S]),
            pa.array([series]).dictionary_encode(),
            pa.array([source]).dictionary_encode(),
            pa.array([value]),
        ]
        stream.append(pa.record_batch(columns, schema=SAMPLES))
    stream.close()
    return read_samples(Bundle.open(bundle.root), Span(EPOCH_NS + 7 * S, EPOCH_NS + 8 * S))


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
    readings = [
        ("pod.round_trip_s", "east/a", 0, 0.25),
        ("pod.unanswered_s", "east/a", 2, 0.5),
        ("pod.round_trip_s", "east/b", 9, 0.125),
        ("pod.round_trip_s", "east/b", 9, float("nan")),
        ("pod.round_trip_s", "east/b", 9, float("inf")),
    ]
    trips = sampled(bundle, readings).trips
    assert [trips["east/a"].over_ns.tolist(), trips["east/a"].took_ns.tolist()] == [
        [EPOCH_NS, EPOCH_NS + 2 * S],
        [S // 4, S // 2],
    ]
    assert trips["east/a"].answered.tolist() == [True, False]
    assert trips["east/b"].took_ns.tolist() == [S // 8]


def test_cpu_that_cannot_be_is_no_reading_of_it(planted: PlantedBundle) -> None:
    percents = [float("nan"), float("inf"), float("-inf"), -1.0, 0.0, 71.5]
    readings = [("hpa.cpu_percent", "east/tars/eval", at_s, value) for at_s, value in enumerate(percents)]
    cpu = sampled(planted(Plan(killed=True)), readings).cpu
    assert cpu == {"east/tars/eval": ((EPOCH_NS + 4 * S, 0.0), (EPOCH_NS + 5 * S, 71.5))}
