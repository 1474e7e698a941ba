"""How many requests exclude an outage, in whatever batches they come."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scorer.intervals import trials_needed
from scorer.requests import Requests
from scorer.source import gather
from scorer.stretch import Following
from scorer.targets import Slo
from scorer.trail import Trail
from tests.scorer.split import Split

SLO = Slo(title="Availability", sli="availability", objective=90)


@given(
    st.lists(st.integers(0, 149), max_size=4),
    st.lists(st.integers(0, 150), max_size=4),
    st.integers(0, 3),
    st.integers(1, 150),
)
def test_so_many_are_needed_as_if_all_were_looked_at_at_once(
    bad: list[int], places: list[int], missing: int, count: int
) -> None:
    start = np.arange(count, dtype=np.int64) * 1000
    ok = np.ones(count, dtype=np.bool_)
    ok[[place for place in bad if place < count]] = False
    latency = np.where(np.arange(count) % 7 == 0, 9500, 100)
    source = Split(Requests(start, start, latency, np.ones(count, dtype=np.bool_), ok), places)
    asked = Following(0, 10**18, (SLO,), (3,), 1)
    trail = Trail(source, asked.cut, gather(source, [asked])[0].sizes)
    sums, needs = missing + np.cumsum(~ok), missing + 1
    while needs <= count and (more := trials_needed(int(sums[needs - 1]), SLO.tolerated, 0.95)) > needs:
        needs = more
    found, last = trail.needed(SLO, missing, 0.95, None)
    assert found == needs
    if needs <= count:
        assert last is not None
        assert last.done_ns == (start + latency)[:needs].max()
    else:
        assert last is None
