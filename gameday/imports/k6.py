"""What `k6 run --out json=FILE` writes: one JSON object a point of a metric, several points a request.

k6 (internal/output/json, lib/netext/httpext of 1.8) writes the points of a request one after the other, `http_reqs`
first, all with the time at which the request *ended*. `http_req_duration` runs from the moment the connection was
there; what came before is `http_req_blocked`, which spans the dial and the handshake, whose own points are kept too.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gameday import wording
from gameday.imports.jsonlines import tables
from gameday.imports.rows import Flags, Rows
from gameday.imports.source import Source
from gameday.imports.tally import Tally

_BEGIN, _UNSENT, _FAILED = "http_reqs", "dropped_iterations", "http_req_failed"
_DURATION, _BLOCKED = "http_req_duration", "http_req_blocked"
_DIAL, _HANDSHAKE = "http_req_connecting", "http_req_tls_handshaking"
_AT_ONCE = ("", "connection refused")
_TIMES = (_DURATION, _BLOCKED, _DIAL, _HANDSHAKE)
_METRICS = pa.array([_BEGIN, _UNSENT, _FAILED, *_TIMES])
_TAGS = ("method", "name", "url", "status", "error", "scenario")
_POINT = pa.schema(
    [
        pa.field("metric", pa.string()),
        pa.field("type", pa.string()),
        pa.field(
            "data",
            pa.struct(
                [
                    pa.field("time", pa.timestamp("ns", "UTC")),
                    pa.field("value", pa.float64()),
                    pa.field("tags", pa.struct([pa.field(tag, pa.string()) for tag in _TAGS])),
                ]
            ),
        ),
    ]
)
_COLUMNS = pa.schema(
    [
        pa.field("metric", pa.string()),
        pa.field("time", pa.int64()),
        pa.field("value", pa.float64()),
        *(pa.field(tag, pa.string()) for tag in _TAGS),
    ]
)


def read(source: Source, tally: Tally) -> Iterator[Rows]:
    """The requests, and the iterations that k6 dropped as it had no user left for them: arrivals that were not sent."""
    open_request = _COLUMNS.empty_table()  # the points of a request may go on in the next block
    judged = False
    for table in tables(source, _POINT, ("metric", "type", "data"), tally):
        points = pa.concat_tables([open_request, _points(table)])
        judged = judged or bool(_named(points, _FAILED).any())
        begins = np.flatnonzero(_named(points, _BEGIN))
        cut = int(begins[-1]) if len(begins) else 0
        yield from _rows(points.slice(0, cut), tally)
        open_request = points.slice(cut).combine_chunks()
    # A killed k6 leaves out the last points of its last request: it would seem faster than it was, or good.
    last = open_request.column("metric").to_pylist()
    if _BEGIN in last and not set(last) >= {*_TIMES, *([_FAILED] if judged else [])}:
        tally.torn = True
        open_request = open_request.filter(pc.equal(open_request.column("metric"), _UNSENT))
    yield from _rows(open_request, tally)


def _points(table: pa.Table) -> pa.Table:
    """The points of the metrics that matter, flat."""
    wanted = pc.and_(pc.equal(table.column("type"), "Point"), pc.is_in(table.column("metric"), _METRICS))
    table = table.filter(wanted)
    data = table.column("data")
    tags = pc.struct_field(data, "tags")
    times = pc.struct_field(data, "time").cast(pa.int64())
    return pa.table(
        [
            table.column("metric"),
            times.fill_null(0),
            pc.struct_field(data, "value").fill_null(np.nan),
            *(pc.struct_field(tags, tag).fill_null("") for tag in _TAGS),
        ],
        schema=_COLUMNS,
    )


def _rows(points: pa.Table, tally: Tally) -> Iterator[Rows]:
    if not points.num_rows:
        return
    begin = _named(points, _BEGIN)
    times, values = points.column("time").to_numpy(), points.column("value").to_numpy()
    dropped = _named(points, _UNSENT)
    # Executors that wait for answers give, as they end, the sum of what they hadn't got to: that was never due.
    arrivals = dropped & (values == 1)
    tally.leave_out("sums of iterations left over", int(np.count_nonzero(dropped & ~arrivals)))
    if arrivals.any():
        yield _unsent(points.filter(pa.array(arrivals)))
    requests = points.filter(pa.array(begin))
    if not requests.num_rows:
        return
    group = np.cumsum(begin) - 1
    end = times[begin]

    def of(metric: str) -> npt.NDArray[np.float64]:
        """The value of a metric for each request, not a number where it has none."""
        held = np.full(len(end), np.nan)
        rows = _named(points, metric) & (group >= 0)
        rows[rows] = times[rows] == end[group[rows]]
        held[group[rows]] = values[rows]
        return held

    taken_ms = of(_DURATION) + np.maximum(of(_BLOCKED), of(_DIAL) + of(_HANDSHAKE))
    whole = np.isfinite(taken_ms)
    latency = np.round(np.where(whole, taken_ms, -1.0) * 1e6).astype(np.int64)
    tags = {tag: requests.column(tag).to_pylist() for tag in _TAGS}
    failed = of(_FAILED) > 0
    status = np.array([int(text) if text.isdigit() else 0 for text in tags["status"]], np.int64)
    # It gives a request that got no connection no time: unless it was refused at once, its start may be long before.
    if any(
        latency[row] == 0 and wording.cause(tags["error"][row]) not in _AT_ONCE for row in np.flatnonzero(status == 0)
    ):
        tally.lacks.add("failed-start")
    yield Rows(
        start_ns=end - latency,
        latency_ns=latency,
        status=status,
        good=~failed & np.array([not error for error in tags["error"]], np.bool_),
        sent=np.ones(len(end), np.bool_),
        size=np.zeros(len(end), np.int64),
        endpoint=[
            f"{method} {name or url}"
            for method, name, url in zip(tags["method"], tags["name"], tags["url"], strict=True)
        ],
        cause=tags["error"],
    )


def _unsent(points: pa.Table) -> Rows:
    count = points.num_rows
    return Rows(
        start_ns=points.column("time").to_numpy(),
        latency_ns=np.zeros(count, np.int64),
        status=np.zeros(count, np.int64),
        good=np.zeros(count, np.bool_),
        sent=np.zeros(count, np.bool_),
        size=np.zeros(count, np.int64),
        endpoint=points.column("scenario").to_pylist(),
        cause=["the iteration was dropped"] * count,
    )


def _named(points: pa.Table, metric: str) -> Flags:
    named: Flags = pc.equal(points.column("metric"), metric).to_numpy()
    return named
