"""The good stretch in whatever batches requests come: held against walking through all of them, one by one."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scorer.omission import Pace
from scorer.requests import Requests
from scorer.source import gather
from scorer.stretch import HITS, Following, Stretch, bad_requests
from scorer.targets import Slo
from scorer.trail import Trail
from tests.scorer.split import Split

S = 1_000_000_000
SLOS = (
    Slo(title="Availability", sli="availability", objective=90),
    Slo(title="Latency", sli="latency", objective=60, latency_ms=1000),
)
NEAR = (3, 2)


@st.composite
def marked(draw: Any) -> tuple[Requests, list[int]]:
    """Runs of good, slow and failed requests a second apart, and where to cut them."""
    runs = draw(st.lists(st.tuples(st.sampled_from(".xs"), st.integers(1, 25)), max_size=14))
    marks = "".join(mark * length for mark, length in runs)
    start = np.arange(len(marks), dtype=np.int64) * S
    latency = np.array([{".": 0, "s": 3, "x": 2}[mark] * S for mark in marks], dtype=np.int64)
    ok = np.array([mark != "x" for mark in marks], dtype=np.bool_)
    sent = np.ones(len(marks), dtype=np.bool_)
    return Requests(start, start, latency, sent, ok), draw(st.lists(st.integers(0, 200), max_size=6))


def walked(requests: Requests, hold_ns: int, pace: Pace | None) -> tuple[int, int | None, int | None, int, bool]:
    """Where the stretch begins, what broke the one before and by which SLO, flaps, and whether it held."""
    bad_by_slo = [bad_requests(requests, slo) for slo in SLOS]
    weights = np.ones(len(requests), dtype=np.int64) if pace is None else pace.of(requests)
    totals = [np.concatenate([[0], np.cumsum(np.where(bad, weights, 1))]) for bad in bad_by_slo]
    first, index_of, slo_of, flaps, counts = 0, None, None, 0, [0, 0]
    for index in np.flatnonzero(np.logical_or.reduce(bad_by_slo)).tolist():
        for number, (bad, slo) in enumerate(zip(bad_by_slo, SLOS, strict=True)):
            counts[number] += int(weights[index]) if bad[index] else 0
            arrivals = int(totals[number][index + 1] - totals[number][first])
            if counts[number] > slo.tolerated * arrivals * (1 + 1e-9):
                flaps += index_of is not None and 5 * (requests.start_ns[index] - requests.start_ns[first]) >= hold_ns
                first, index_of, slo_of, counts = index + 1, index, number, [0, 0]
                break
    held = first < len(requests) and int(requests.start_ns[-1] - requests.start_ns[first]) >= hold_ns
    return first, index_of, slo_of, flaps, held


@given(marked(), st.sampled_from([None, Pace(3.0, 2)]), st.integers(1, 40))
def test_the_stretch_is_that_of_walking_through_all_requests(
    case: tuple[Requests, list[int]], pace: Pace | None, hold_s: int
) -> None:
    requests, places = case
    source = Split(requests, places)
    found: Stretch = gather(source, [Following(0, 10**18, SLOS, NEAR, hold_s * S, pace)])[0]
    broken = found.broken_by
    assert (
        found.first,
        None if broken is None else broken.index,
        None if broken is None else SLOS.index(broken.slo),
        found.flaps,
        found.held,
    ) == walked(requests, hold_s * S, pace)
    assert found.total == len(requests)
    for slo, bad, arrivals in zip(SLOS, found.bad, found.bad_arrivals, strict=True):
        rows = requests.where(bad_requests(requests, slo))
        assert bad == len(rows)
        assert arrivals == (len(rows) if pace is None else pace.of(rows).sum())
    if broken is not None:
        hits = np.flatnonzero(bad_requests(requests, broken.slo)[: broken.index + 1])
        close = hits[np.diff(hits, prepend=-1) <= NEAR[SLOS.index(broken.slo)]]
        assert (broken.total_hits, broken.hits.tolist()) == (len(hits), hits[-HITS:].tolist())
        assert (None if broken.shown is None else broken.shown.index) == (int(close[-1]) if len(close) else None)
        assert broken.start_ns == requests.start_ns[broken.index]


@given(marked(), st.integers(0, 200))
def test_the_first_good_answer_and_what_was_let_through_are_those_of_all_requests(
    case: tuple[Requests, list[int]], index: int
) -> None:
    requests, places = case
    source = Split(requests, places)
    asked = Following(0, 10**18, SLOS, NEAR, S)
    trail = Trail(source, asked.cut, gather(source, [asked])[0].sizes)
    good = [place for place in range(index, len(requests)) if requests.ok[place]]
    first = min(good, key=lambda place: (requests.done_ns[place], place), default=None)
    found = trail.first_good(index)
    assert (None if found is None else found.index) == first
    hits = np.flatnonzero(~requests.ok)
    expected = [
        later > one + 1 and requests.done_ns[one + 1 : later].min() < requests.start_ns[later]
        for one, later in pairwise(hits.tolist())
    ]
    assert trail.let_through(hits).tolist() == expected
