"""What arrivals say of the load, in whatever batches they come: held against all of them at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundle.rates import RateCurve
from scorer.arrivals import Arrivals, Arrived
from scorer.requests import Requests
from scorer.schedule import Schedule
from scorer.source import gather
from scorer.span import Span
from tests.scorer.split import Split

MS = 1_000_000
SPAN = Span(1_000 * MS, 9_000 * MS)
CONSTANT = Schedule(0, "uniform", rate_per_s=100)
CURVED = Schedule(0, "uniform", curves=(RateCurve(points=((0, 20), (4, 400), (6, 20))),))


def rows(dues_ms: list[int], late_ms: list[int], sent: list[bool]) -> Requests:
    """One request for each time, in no order."""
    due, late = np.array(dues_ms, dtype=np.int64) * MS, np.array(late_ms, dtype=np.int64) * MS
    flags = np.array(sent, dtype=np.bool_)
    late = np.where(flags, late, 0)
    return Requests(due, due + late, late + MS, flags, flags)


def arrived(source: Split, schedule: Schedule, natural: float = 3.0) -> Arrived:
    """What is seen, where 3 arrivals may be missed in a row and silences of 100 ms count."""
    found: Arrived = gather(source, [Arrivals(SPAN, schedule, natural, 0.1)])[0]
    return found


@st.composite
def some_rows(draw: Any) -> tuple[Requests, list[int]]:
    """Arrivals every 10 ms or so with holes, late by up to 2 s, some twice, and where to cut them."""
    count = draw(st.integers(0, 60))
    gaps = draw(st.lists(st.sampled_from([0, 5, 10, 10, 10, 20, 60, 400]), min_size=count, max_size=count))
    late = draw(st.lists(st.sampled_from([0, 0, 1, 3, 30, 300, 2000]), min_size=count, max_size=count))
    sent = draw(st.lists(st.sampled_from([True, True, True, False]), min_size=count, max_size=count))
    dues = (900 + np.cumsum(np.array(gaps, dtype=np.int64))).tolist()
    return rows(dues, late, sent), draw(st.lists(st.integers(0, 60), max_size=6))


@given(some_rows(), st.sampled_from([CONSTANT, CURVED]))
def test_pauses_between_dues_are_those_of_all_dues_in_order(
    case: tuple[Requests, list[int]], schedule: Schedule
) -> None:
    requests, places = case
    dues = np.sort(requests.due_within(SPAN.start_ns, SPAN.end_ns).scheduled_ns)
    edges = np.concatenate([[SPAN.start_ns], dues, [SPAN.end_ns]])
    long = np.flatnonzero(np.diff(schedule.arrivals(edges)) > 3.0)
    found = arrived(Split(requests, places), schedule).undue
    assert list(zip(found.from_ns, found.to_ns, strict=True)) == [(edges[at], edges[at + 1]) for at in long]


@given(some_rows(), st.sampled_from([CONSTANT, CURVED]), st.floats(1, 30))
def test_the_worst_silence_is_among_those_that_are_kept(
    case: tuple[Requests, list[int]], schedule: Schedule, natural: float
) -> None:
    requests, places = case
    within = requests.due_within(SPAN.start_ns, SPAN.end_ns)
    starts = np.sort(np.clip(within.start_ns[within.sent], SPAN.start_ns, SPAN.end_ns))
    edges = np.concatenate([[SPAN.start_ns], starts, [SPAN.end_ns]])

    def worst(lengths_s: np.ndarray, expected: np.ndarray) -> float:
        return float(np.minimum(lengths_s / 0.1, expected / natural).max())

    kept = arrived(Split(requests, places), schedule).silent
    assert worst(kept.seconds, kept.expected(schedule)) == pytest.approx(
        worst(np.diff(edges) / 1e9, np.diff(schedule.arrivals(edges))), rel=1e-6
    )
    pairs = set(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
    found = list(zip(kept.from_ns.tolist(), kept.to_ns.tolist(), strict=True))
    assert set(found) <= pairs
    assert {pair for pair in pairs if pair[1] - pair[0] > 100 * MS} <= set(found)
    assert found == sorted(found)


@given(some_rows())
def test_arrivals_are_counted_once_however_they_are_cut(case: tuple[Requests, list[int]]) -> None:
    requests, places = case
    within = requests.due_within(SPAN.start_ns, SPAN.end_ns)
    found = arrived(Split(requests, places), CONSTANT)
    assert (found.total, found.unsent, found.first) == (len(within), within.unsent, within.arrivals)
    sent = within.where(within.sent)
    triples = np.stack([sent.scheduled_ns, sent.start_ns, sent.latency_ns])
    assert found.twice == len(sent) - np.unique(triples, axis=1).shape[1]


def test_what_was_sent_late_into_a_pause_divides_it() -> None:
    dues = [*range(1000, 2000, 10), *range(2100, 9000, 10), 2050]
    late = [1] * (len(dues) - 1) + [900]
    found = arrived(Split(rows(dues, late, [True] * len(dues)), [50, 120, 300]), CONSTANT).undue
    assert (found.from_ns // MS).tolist() == [1990, 2050]
    assert (found.to_ns // MS).tolist() == [2050, 2100]


def test_a_pause_before_the_clock_of_the_bundle_began_is_one_too() -> None:
    """Times below zero: a record that was imported may begin there."""
    span = Span(-9_000 * MS, -1_000 * MS)
    dues = [at_ms for at_ms in range(-9_000, -1_000, 10) if not -5_000 < at_ms < -4_000]
    requests = rows(dues, [0] * len(dues), [True] * len(dues))
    found: Arrived = gather(Split(requests, []), [Arrivals(span, CONSTANT, 3.0, 0.1)])[0]
    assert list(zip(found.undue.from_ns, found.undue.to_ns, strict=True)) == [(-5_000 * MS, -4_000 * MS)]
