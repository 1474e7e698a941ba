from __future__ import annotations

import pytest

from gameday.load import inflight
from gameday.load.inflight import Arrival, Counts


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counts:
    fresh = Counts()
    monkeypatch.setattr(inflight, "COUNTS", fresh)
    return fresh


def test_the_first_request_was_due_when_the_arrival_was_and_a_later_one_when_it_starts(counts: Counts) -> None:
    arrival = Arrival(scheduled_ns=100)
    arrival.begin(130)
    assert arrival.end(0) == (100, 130)
    arrival.begin(500)
    assert arrival.end(0) == (500, 500)
    assert (arrival.rows, counts.sent) == (2, 1)


def test_a_client_that_does_not_say_when_it_begins_is_believed_about_its_response_time(counts: Counts) -> None:
    arrival = Arrival(scheduled_ns=100)
    assert arrival.end(120) == (100, 120)
    assert counts.sent == 1


def test_a_request_is_under_way_from_its_begin_to_its_row(counts: Counts) -> None:  # noqa: ARG001
    arrival = Arrival(scheduled_ns=100)
    assert arrival.start_ns is None
    arrival.begin(130)
    assert arrival.start_ns == 130
    arrival.end(0)
    assert arrival.start_ns is None
