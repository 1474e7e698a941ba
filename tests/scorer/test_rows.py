"""Rows found again by what measures know of them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bundle.manifest import LoadRecord, Worker
from bundle.reader import Bundle
from bundle.table import REQUESTS
from scorer.planted import Plan
from scorer.rows import find_rows, key_of
from scorer.source import Stream, all_rows


def rewritten(bundle: Bundle, rows: pa.Table) -> Bundle:
    pq.write_table(rows.cast(REQUESTS), bundle.root / "requests.parquet")
    return Bundle.open(bundle.root)


def table_of(bundle: Bundle) -> pa.Table:
    return pa.Table.from_batches(list(bundle.requests()), REQUESTS)


def with_endpoint(rows: pa.Table, name: str) -> pa.Table:
    column = REQUESTS.get_field_index("endpoint")
    names = pa.array([name] * rows.num_rows).dictionary_encode()
    return rows.set_column(column, REQUESTS.field("endpoint"), names.cast(REQUESTS.field("endpoint").type))


def test_a_row_is_found_with_all_that_a_person_wants_to_know(planted) -> None:
    bundle = planted(Plan(unsent=(4.0, 5.0)))
    requests = all_rows(Stream(bundle))
    failed = requests.where(requests.sent & ~requests.ok).where(np.array([0]))
    unsent = requests.where(~requests.sent).where(np.array([0]))
    found = find_rows(bundle, [key_of(failed), key_of(unsent)])
    row = found[key_of(failed)]
    assert (row.endpoint, row.region, row.status, row.error) == ("GET /health", "us-east-1", 0, "connection refused")
    assert (row.worker, row.ok) == ("worker-1", False)
    assert row.start_ns == failed.start_ns[0]
    never = found[key_of(unsent)]
    assert (never.start_ns, never.latency_ns, never.error) == (None, None, "unsent: no free slot")


def test_times_are_on_the_bundles_clock(planted) -> None:
    load = LoadRecord(model="open", rate_per_s=100, workers=(Worker(name="worker-1", clock_offset_ns=7_000_000),))
    plain, shifted = planted(), planted(load=load)
    first = [requests.where(np.array([0])) for requests in (all_rows(Stream(plain)), all_rows(Stream(shifted)))]
    there, here = (find_rows(b, [key_of(r)])[key_of(r)] for b, r in zip((plain, shifted), first, strict=True))
    assert there.scheduled_ns - here.scheduled_ns == 7_000_000


def test_of_rows_that_measures_cannot_tell_apart_the_same_one_is_taken_in_any_order(planted) -> None:
    bundle = planted()
    rows = table_of(bundle)
    key = key_of(all_rows(Stream(bundle)).where(np.array([5])))
    twins = [with_endpoint(rows, name) for name in ("GET /b", "GET /a", "GET /c")]
    for order in ((0, 1, 2), (2, 0, 1), (1, 2, 0)):
        again = rewritten(bundle, pa.concat_tables([twins[number] for number in order]))
        assert find_rows(again, [key])[key].endpoint == "GET /a"


def test_what_nobody_asked_for_is_not_there(planted) -> None:
    assert find_rows(planted(), []) == {}
