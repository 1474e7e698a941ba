from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gameday.imports.pacing import fit
from gameday.imports.rows import Rows
from tests.gameday.imports.records import EPOCH_NS, MS, S


def sent(late_ns: list[int], per_s: float = 100.0, numbers: list[int] | None = None) -> Rows:
    """Requests that were due at an even rate from EPOCH_NS on and sent so late."""
    number = np.array(range(len(late_ns)) if numbers is None else numbers, np.int64)
    count = len(number)
    return Rows(
        start_ns=EPOCH_NS + np.round(number * 1e9 / per_s).astype(np.int64) + np.array(late_ns, np.int64),
        latency_ns=np.full(count, 10 * MS),
        status=np.full(count, 200),
        good=np.ones(count, np.bool_),
        sent=np.ones(count, np.bool_),
        size=np.zeros(count, np.int64),
        endpoint=[""] * count,
        cause=[""] * count,
        number=number,
    )


@given(st.lists(st.integers(0, 5 * S), min_size=1, max_size=300), st.floats(0.01, 50_000))
def test_the_schedule_is_found_up_to_the_promptest_request(late_ns: list[int], per_s: float) -> None:
    rows = sent(late_ns, per_s)
    pace = fit([rows], per_s)
    assert pace is not None
    assert pace.first_ns == EPOCH_NS + min(late_ns)
    assert (rows.start_ns >= pace.due_ns(rows.number)).all()  # type: ignore[arg-type]


def test_what_waited_in_a_stalled_generator_is_late_and_so_is_its_answer() -> None:
    """Three seconds in which all workers waited: the record says 10 ms of each request, its user waited for seconds."""
    late = [0] * 100 + [3 * S - number * 10 * MS for number in range(300)] + [0] * 100
    rows = sent(late)
    pace = fit([rows], 100.0)
    assert pace is not None
    batch = replace(rows, due_ns=pace.due_ns(rows.number)).batch("w")  # type: ignore[arg-type]
    assert batch.column("latency_ns").to_pylist() == [10 * MS + lateness for lateness in late]
    assert batch.column("start_ns").to_pylist() == rows.start_ns.tolist()


def test_batches_and_the_order_of_rows_do_not_matter() -> None:
    rows = sent([5, 3, 9, 4, 8])
    backwards = rows.where(np.ones(5, np.bool_))
    parts = [rows.where(np.array([n == m for n in range(5)])) for m in (3, 0, 4, 1, 2)]
    assert fit(parts, 100.0) == fit([backwards], 100.0)


def test_a_rate_that_is_not_the_true_one_makes_requests_late_and_never_early() -> None:
    rows = sent([0] * 1000)
    for wrong in (99.0, 101.0):
        pace = fit([rows], wrong)
        assert pace is not None
        late = rows.start_ns - pace.due_ns(rows.number)  # type: ignore[arg-type]
        assert late.min() == 0
        assert np.median(late) > 45 * MS


def test_two_attacks_in_one_file_have_no_common_schedule() -> None:
    assert fit([sent([0] * 5), sent([0] * 5)], 100.0) is None


def test_requests_without_numbers_have_none_either() -> None:
    assert fit([replace(sent([0] * 5), number=None)], 100.0) is None


def test_gaps_are_passed_over() -> None:
    pace = fit([sent([7, 9], numbers=[3, 900])], 100.0)
    assert pace is not None
    assert pace.first_ns == EPOCH_NS + 7


def test_nothing_has_no_schedule() -> None:
    assert fit([], 100.0) is None
