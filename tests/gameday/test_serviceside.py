from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from bundle.timeline import Entry
from gameday.prometheus import ClockOffset, Prometheus, Series, Unanswered
from gameday.serviceside import ServicePlan, read_service

S = 1_000_000_000
BEGAN, NOW = 1000 * S, 1060 * S
PLAN = ServicePlan(requests="requests", errors="errors", durations="durations", alerts="alerts")


class Fake(Prometheus):
    """Knows some series by selector; its clock is two seconds ahead, known to 10 ms."""

    def __init__(self, known: Mapping[str, list[Series]] | Unanswered) -> None:
        self.known = known
        self.closed = False
        self.asked: list[tuple[str, int, int]] = []

    def offset(self, now_ns: Any = None) -> ClockOffset:  # noqa: ARG002 - its clock is scripted
        if isinstance(self.known, Unanswered):
            raise self.known
        return ClockOffset(2 * S, 10_000_000)

    def samples(self, selector: str, until_ns: int, length_s: int) -> list[Series]:
        self.asked.append((selector, until_ns, length_s))
        assert not isinstance(self.known, Unanswered)
        return self.known.get(selector, [])

    def close(self) -> None:
        self.closed = True


def pod(values: Mapping[int, float], **labels: str) -> Series:
    """Samples by second of Prometheus's clock."""
    return Series({"instance": "a", **labels}, tuple((t * S, value) for t, value in values.items()))


def read(fake: Fake) -> tuple[list[tuple[str, str, float, float]], list[Entry]]:
    rows: list[tuple[str, str, float, float]] = []
    entries: list[Entry] = []
    read_service(
        {"east": "http://prometheus"},
        PLAN,
        BEGAN,
        lambda: NOW,
        lambda series, context, t_ns, value: rows.append((series, context, t_ns / S, value)),
        entries.append,
        lambda _: fake,
    )
    assert fake.closed
    return rows, entries


def test_rises_buckets_and_alerts_of_the_drill_are_written_by_our_own_clock() -> None:
    every = dict.fromkeys(range(990, 1063), 100.0)
    fake = Fake(
        {
            "requests": [pod({**every, **dict.fromkeys(range(1010, 1063), 104.0)})],
            "errors": [pod({**every, **dict.fromkeys(range(1020, 1063), 101.0)})],
            "durations": [pod({**every, **dict.fromkeys(range(1010, 1063), 103.0)}, le="+Inf"), pod(every, le="0.1")],
            "alerts": [Series({"alertname": "ErrorBudgetBurn", "slo": "availability"}, ((1030 * S, 1.0),))],
        }
    )
    rows, [entry] = read(fake)
    assert rows == [
        ("service.requests", "east", 1008.0, 4.0),
        ("service.errors", "east", 1018.0, 1.0),
        ("service.latency_le.+Inf", "east", 1008.0, 3.0),
        ("service.alert.ErrorBudgetBurn availability", "east", 1028.0, 1.0),
        ("service.gone", "east", 1060.0, 0.0),
        ("service.unscraped", "east", 1060.0, 0.0),
        # a second between scrapes, the second that rises are added up by, and the clocks
        ("service.reach_s", "east", 1060.0, 2.02),
    ]
    assert (entry.kind, entry.event, entry.context) == ("prometheus", "read", "east")
    assert fake.asked[0] == ("requests", 1062 * S, 60 + 120)


def test_what_a_new_pod_had_counted_when_it_was_first_scraped_is_kept_apart() -> None:
    rows, _ = read(Fake({"requests": [pod({1030: 5.0, 1031: 6.0, 1062: 6.0})]}))
    assert rows[:2] == [("service.requests", "east", 1029.0, 1.0), ("service.requests.new", "east", 1028.0, 5.0)]


def test_what_rose_before_the_drill_is_left_out() -> None:
    fake = Fake({"requests": [pod({980: 1.0, 990: 5.0, 1000: 9.0, 1062: 9.0})]})
    assert not [row for row in read(fake)[0] if row[0] == "service.requests"]


@pytest.mark.parametrize(
    ("known", "why"),
    [
        (Unanswered("does not answer: ReadTimeout"), "does not answer: ReadTimeout"),
        ({}, "has no series requests"),
        (
            {"requests": [pod({1000: 1.0, 1010: 2.0})], "durations": [pod({1000: 1.0}, le="fast")]},
            "ValueError: could not convert string to float: 'fast'",
        ),
    ],
)
def test_one_that_cannot_be_read_is_told_in_the_timeline_and_leaves_no_rows(known: Any, why: str) -> None:
    rows, [entry] = read(Fake(known))
    assert rows == []
    assert (entry.event, entry.attributes) == ("failed", {"error": why})


def test_the_selectors_name_the_drills_namespace() -> None:
    assert 'namespace="tars"' in ServicePlan().of("tars").requests
    assert ServicePlan().of("tars").alerts == ServicePlan().alerts
