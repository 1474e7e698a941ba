from __future__ import annotations

import pytest

from bundle.clock import Anchor
from gameday.load.live import Live, LiveView
from gameday.load.recorder import RequestColumns

S = 1_000_000_000
MS = 1_000_000
UTC = Anchor(wall_ns=0, mono_ns=0)


def view(*rows: tuple[float, float | None, str], window_s: float = 5.0) -> LiveView:
    """A view of rows (due at second, latency in ms or None for unsent, error)."""
    columns = RequestColumns()
    for due_s, latency_ms, error in rows:
        columns.append(
            scheduled_ns=round(due_s * S),
            start_ns=None if latency_ms is None else round(due_s * S),
            latency_ns=round((latency_ms or 0) * MS),
            status=0,
            size=0,
            endpoint="",
            region="",
            error=error,
        )
    live = LiveView(window_s)
    live.add(columns.take(UTC, "w"))
    return live


def test_before_the_first_row_nothing_is_known() -> None:
    assert LiveView().at(9 * S) == Live(0.0, 0, None, None)


def test_an_empty_batch_changes_nothing() -> None:
    assert view().at(9 * S) == Live(0.0, 0, None, None)


@pytest.mark.parametrize(
    ("rows", "now_s", "expected"),
    [
        # answered at 101 and 102: two in the five seconds since 100; quiet since the first row
        ([(100, 1000, ""), (101, 1000, "")], 105, Live(0.4, 0, 1000 * MS, 5 * S, sent=2)),
        # the load is two seconds old: the rate is over two seconds, not over five
        ([(100, 0, ""), (101, 0, "")], 102, Live(1.0, 0, 0, 2 * S, sent=2)),
        # an error that was due at 100 and known at 103 was bad until 103
        ([(100, 3000, "timeout"), (102, 0, "")], 104, Live(0.5, 1, 2850 * MS, 1 * S, sent=2)),
        # an unsent arrival is an error without a latency, and adds nothing to the rate
        ([(100, None, "unsent: x"), (101, 0, "")], 102, Live(0.5, 1, 0, 2 * S, sent=1)),
        # the error has left the window, and is still the last bad one
        ([(100, 0, "HTTP 503"), (109, 0, "")], 110, Live(0.2, 0, 0, 10 * S, sent=2)),
        # everything has left the window
        ([(100, 0, "")], 110, Live(0.0, 0, None, 10 * S, sent=1)),
    ],
)
def test_the_view_is_of_the_last_five_seconds(
    rows: list[tuple[float, float | None, str]], now_s: float, expected: Live
) -> None:
    assert view(*rows).at(round(now_s * S)) == expected


def test_rows_that_have_left_the_window_are_forgotten() -> None:
    live = view(*[(second, 0.0, "") for second in range(100)])
    live.at(100 * S)
    assert live._end.size == 4


def test_batches_may_come_in_any_order() -> None:
    late, early = view((101, 0, "HTTP 503")), view((100, 0, "timeout"))
    columns = RequestColumns()
    columns.append(
        scheduled_ns=100 * S, start_ns=100 * S, latency_ns=0, status=0, size=0, endpoint="", region="", error="timeout"
    )
    late.add(columns.take(UTC, "w"))
    assert late.at(103 * S).quiet_ns == 2 * S
    assert early.at(103 * S).quiet_ns == 3 * S
