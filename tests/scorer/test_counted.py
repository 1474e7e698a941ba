from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from bundle.table import SAMPLES
from scorer.counted import Amount, Rises, read_counts
from scorer.span import Span

S = 1_000_000_000
Row = tuple[float, str, str, float]
"""When, in seconds; series; context; value."""


def bundle_with(rows: Iterable[Row]) -> Any:
    """A bundle whose samples are these rows, a batch of its own for each two."""
    rows = list(rows)
    batches = []
    for at in range(0, len(rows), 2):
        times, series, contexts, values = zip(*rows[at : at + 2], strict=True)
        columns = [
            pa.array([round(t * S) for t in times], pa.int64()),
            pa.array(series).dictionary_encode(),
            pa.array(contexts).dictionary_encode(),
            pa.array(values, pa.float64()),
        ]
        batches.append(pa.RecordBatch.from_arrays(columns, schema=SAMPLES))
    return SimpleNamespace(samples=lambda: iter(batches))


@pytest.mark.parametrize(
    ("t_s", "amount"),
    [
        # Window from 100 to 110 s, each rise in the two seconds before its time.
        (105, Amount(value=1, sure=1, most=1)),
        (102, Amount(value=1, sure=1, most=1)),
        (101.5, Amount(value=1, sure=0, most=1)),
        (100.5, Amount(value=0, sure=0, most=1)),
        (100, Amount(value=0, sure=0, most=1)),
        (99.9, Amount(value=0, sure=0, most=0)),
        (109.9, Amount(value=1, sure=1, most=1)),
        (110, Amount(value=1, sure=0, most=1)),
        (110.5, Amount(value=1, sure=0, most=1)),
        (111.5, Amount(value=0, sure=0, most=1)),
        (112, Amount(value=0, sure=0, most=0)),
    ],
)
def test_a_rise_counts_surely_where_all_of_its_two_seconds_lie_in_the_window(t_s: float, amount: Amount) -> None:
    rises = Rises(np.array([round(t_s * S)]), np.array([1.0]), np.array([2 * S]))
    assert rises.between(Span(100 * S, 110 * S)) == amount


def test_each_context_has_its_own_counts_over_all_batches() -> None:
    found = read_counts(
        bundle_with(
            [
                (1, "service.requests", "east", 5.0),
                (2, "service.requests", "west", 7.0),
                (3, "service.requests", "east", 6.0),
                (3, "service.latency_le.0.15", "east", 6.0),
                (3, "service.latency_le.+Inf", "east", 6.0),
                (3, "service.alert.ErrorBudgetBurn availability", "east", 1.0),
                (4, "service.gone", "east", 1.0),
                (4, "service.reach_s", "east", 2.5),
                (4, "service.reach_s", "west", 2.0),
                (4, "load.lag_s", "worker-1", 0.1),
            ]
        )
    )
    assert set(found) == {"east", "west"}
    east = found["east"]
    assert (east.requests.risen.tolist(), east.requests.reach_ns.tolist()) == ([5.0, 6.0], [2_500_000_000] * 2)
    assert list(east.answered) == [0.15, float("inf")]
    assert (east.gone, list(east.alerts)) == (1, ["ErrorBudgetBurn availability"])
    assert found["west"].requests.risen.tolist() == [7.0]


def test_what_a_new_pod_did_before_its_first_scrape_came_at_any_time_since_it_began() -> None:
    rows = [
        (1, "service.requests", "east", 5.0),
        (2, "service.requests.new", "east", 7.0),
        (2, "service.latency_le.0.15.new", "east", 7.0),
        (4, "service.reach_s", "east", 2.0),
    ]
    [east] = read_counts(bundle_with(rows)).values()
    assert (east.requests.risen.tolist(), east.requests.reach_ns.tolist()) == ([5.0, 7.0], [2 * S, 12 * S])
    assert east.answered[0.15].reach_ns.tolist() == [12 * S]


def test_a_context_that_was_not_read_to_the_end_is_not_counted() -> None:
    """Its last rows are missing, and nobody knows how many."""
    assert read_counts(bundle_with([(1, "service.requests", "east", 5.0)])) == {}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, 1e300])
def test_damaged_values_are_left_out(value: float) -> None:
    rows = [
        (1, "service.requests", "east", value),
        (1, "service.latency_le.damaged", "east", 1.0),
        (2, "service.requests", "east", 3.0),
        (3, "service.reach_s", "east", 2.0),
    ]
    [counted] = read_counts(bundle_with(rows)).values()
    assert counted.requests.risen.tolist() == [3.0]
    assert counted.answered == {}
