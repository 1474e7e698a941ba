"""What the service counted, planted second by second."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bundle.timeline import Entry
from gameday.prometheus import Series
from gameday.servicecounts import by_second
from scorer.service import service_side
from scorer.span import Span
from scorer.verdict import Measure
from tests.scorer.test_counted import Row, S, bundle_with

WINDOW = Span(100 * S, 110 * S)
READ = (Entry("prometheus", "read", earliest_ns=0, latest_ns=0, context="east", attributes={"error": ""}),)


def second(
    t_s: float, *, requests: int = 10, errors: int = 0, within: dict[str, int] | None = None, context: str = "east"
) -> list[Row]:
    """What was scraped by the end of a second."""
    good = requests - errors
    buckets = within if within is not None else {"0.1": good, "0.2": good, "+Inf": good}
    rows = [(t_s, "service.requests", context, float(requests))]
    rows += [(t_s, "service.errors", context, float(errors))] * (errors > 0)
    return rows + [(t_s, f"service.latency_le.{limit}", context, float(n)) for limit, n in buckets.items() if n]


def read(*rows: Row, reach_s: float = 1.0, context: str = "east") -> list[Row]:
    return [*rows, (200, "service.reach_s", context, reach_s)]


def measured(
    rows: list[Row], users: dict[str, Measure] | None = None, said: tuple[Entry, ...] = READ
) -> dict[str, Any]:
    return {m.name: m for m in service_side(bundle_with(rows), said, WINDOW, users or {})}


def users_figure(name: str, value: float, low: float, high: float) -> dict[str, Measure]:
    return {name: Measure(name=name, value=value, low=low, high=high, unit="%", n=1, method="")}


def test_the_error_rate_is_exact_where_no_scrape_lies_across_an_end_of_the_window() -> None:
    rate = measured(read(*second(101), *second(105, errors=2), *second(109)))["service-error-rate"]
    assert (rate.value, rate.low, rate.high, rate.n) == pytest.approx((100 * 2 / 30, 100 * 2 / 30, 100 * 2 / 30, 30))


def test_what_a_scrape_lies_across_is_left_open() -> None:
    """Ten requests that all failed came between 109.5 and 110.5."""
    rate = measured(read(*second(105), *second(110.4, errors=10)))["service-error-rate"]
    assert (rate.low, rate.value, rate.high) == (0.0, 50.0, 50.0)
    rate = measured(read(*second(105, errors=10), *second(110.4)))["service-error-rate"]
    assert (rate.low, rate.high) == (50.0, 100.0)


def test_the_percentile_lies_in_the_bucket_that_holds_its_rank() -> None:
    p95 = measured(read(*second(105, requests=100, within={"0.1": 90, "0.2": 98, "+Inf": 100})))["service-latency-p95"]
    assert (p95.low, p95.value, p95.high) == (100.0, 162.5, 200.0)


def test_an_error_is_slower_than_any_answer() -> None:
    p95 = measured(read(*second(105, requests=100, errors=10)))["service-latency-p95"]
    assert (p95.low, p95.value, p95.high) == (200.0, None, None)


def test_slow_requests_at_the_edge_widen_the_percentile() -> None:
    rows = read(
        *second(105, requests=97, within={"0.1": 97, "0.2": 97, "+Inf": 97}),
        *second(110.2, requests=10, within={"0.2": 10, "+Inf": 10}),
    )
    p95 = measured(rows)["service-latency-p95"]
    assert (p95.low, p95.high) == (0.0, 200.0)


def test_the_regions_add_up() -> None:
    rows = read(*second(105, errors=10)) + read(*second(105, context="west"), context="west")
    rate = measured(rows)["service-error-rate"]
    assert (rate.value, rate.n) == (50.0, 20)
    assert any(line.startswith("west: 1 requests/s, 0 errors") for line in rate.evidence)


@pytest.mark.parametrize(
    ("users", "says"),
    [((12.0, 11.0, 13.0), "users had it worse"), ((5.0, 4.0, 6.0), "the service had it worse"),
     ((10.0, 9.0, 11.0), "no gap is shown")],
)  # fmt: skip
def test_a_gap_between_the_users_figure_and_the_services_is_told(users: tuple[float, ...], says: str) -> None:
    value, low, high = users
    found = measured(read(*second(105, errors=1)), users_figure("error-rate", value, low, high))
    gap = found["service-gap.error-rate"]
    assert (gap.value, gap.low, gap.high) == (value - 10, low - 10, high - 10)
    assert gap.evidence[0].startswith(says)


def test_an_alert_that_was_firing_in_the_window_is_named() -> None:
    rows = read(*second(105), (104, "service.alert.ErrorBudgetBurn availability 1h/5m page", "east", 1.0))
    assert "firing: east: ErrorBudgetBurn availability 1h/5m page" in measured(rows)["service-error-rate"].evidence
    rows = read(*second(105), (120, "service.alert.ErrorBudgetBurn availability 1h/5m page", "east", 1.0))
    assert "no alert was firing" in measured(rows)["service-error-rate"].evidence


def test_what_pods_that_went_served_after_their_last_scrape_may_have_been_anything() -> None:
    lost = [(200, "service.gone", "east", 2.0), (200, "service.unscraped", "east", 10.0)]
    found = measured(read(*second(105, errors=5), *lost))
    rate = found["service-error-rate"]
    assert (rate.low, rate.value, rate.high) == (25.0, 50.0, 75.0)
    assert any("2 pods went, with up to 10 requests" in line for line in rate.evidence)
    rows = read(*second(105, requests=100, within={"0.1": 100, "0.2": 100, "+Inf": 100}), *lost)
    p95 = measured(rows)["service-latency-p95"]
    assert (p95.low, p95.value, p95.high) == (0.0, 95.0, None)


@pytest.mark.parametrize(
    ("said", "rows", "why"),
    [
        ((), [], "no Prometheus was named"),
        (
            (Entry("prometheus", "failed", 0, 0, context="east", attributes={"error": "does not answer"}), *READ),
            read(*second(105)),
            "the Prometheus of east does not answer",
        ),
        (READ, second(105), "not in the samples"),
        (READ, read(*second(150)), "counted no request in the window"),
    ],
    ids=["none named", "one failed", "torn", "no traffic"],
)
def test_what_cannot_be_said_is_unknown_and_why(said: tuple[Entry, ...], rows: list[Row], why: str) -> None:
    found = measured(rows, users_figure("error-rate", 1.0, 0.0, 2.0), said)
    rate, p95 = found["service-error-rate"], found["service-latency-p95"]
    assert (rate.value, rate.low, rate.high) == (None, 0.0, 100.0)
    assert (p95.value, p95.low, p95.high) == (None, 0.0, None)
    assert rate.evidence[0].startswith("unknown: ")
    assert why in rate.evidence[0]
    assert "service-gap.error-rate" not in found


def test_without_a_window_nothing_is_said() -> None:
    with pytest.raises(LookupError):
        list(service_side(bundle_with([]), READ, None, {}))


Event = tuple[float, bool, float]
"""A request: when it was counted, in seconds; whether it was an error; how long it took, in milliseconds."""


def scraped(events: list[Event], phase_s: float, counts: Callable[[Event], bool]) -> Series:
    """A counter of some events, scraped every second from `phase_s` after 90 s on."""
    times_s = [90 + phase_s + n for n in range(30)]
    values = [sum(counts(event) and event[0] <= t_s for event in events) for t_s in times_s]
    return Series({}, tuple((round(t_s * S), float(value)) for t_s, value in zip(times_s, values, strict=True)))


def rows_of(pods: list[tuple[list[Event], float]]) -> list[Row]:
    """What the harness would have written of these pods, each with its events and the phase of its scrapes."""
    kinds: dict[str, Callable[[Event], bool]] = {
        "requests": lambda _: True,
        "errors": lambda event: event[1],
        "latency_le.0.1": lambda event: not event[1] and event[2] <= 100,
        "latency_le.0.2": lambda event: not event[1] and event[2] <= 200,
        "latency_le.+Inf": lambda event: not event[1],
    }
    rows: list[Row] = []
    for name, counts in kinds.items():
        group = [scraped(events, phase_s, counts) for events, phase_s in pods]
        rows += [(t_ns / S, f"service.{name}", "east", risen) for t_ns, risen in by_second(group, 2000 * S).items()]
    return read(*rows, reach_s=2.0)


pods = st.lists(
    st.tuples(
        st.lists(st.tuples(st.floats(95, 115), st.booleans(), st.floats(0, 400)), max_size=30), st.floats(0, 0.99)
    ),
    min_size=1,
    max_size=3,
)


@given(pods=pods)
def test_the_truth_lies_within_the_bounds_wherever_the_scrapes_fall(pods: list[tuple[list[Event], float]]) -> None:
    within = [event for events, _ in pods for event in events if 100 <= event[0] < 110]
    assume(within)
    found = measured(rows_of(pods))
    rate, p95 = found["service-error-rate"], found["service-latency-p95"]
    truth = 100 * sum(error for _, error, _ in within) / len(within)
    assert rate.low - 1e-6 <= truth <= rate.high + 1e-6
    slowness = sorted(math.inf if error else took_ms for _, error, took_ms in within)
    percentile = slowness[math.ceil(0.95 * len(slowness)) - 1]
    assert p95.low <= percentile
    assert p95.high is None or percentile <= p95.high
