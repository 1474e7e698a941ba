"""Records as other generators write them, and what comes of reading them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from gameday.imports.formats import FORMATS, format_of
from gameday.imports.source import opened
from gameday.imports.tally import Tally

DATA = Path(__file__).parent / "data"
EPOCH_NS = 1_764_000_000_000_000_000
S, MS = 1_000_000_000, 1_000_000
JTL_HEADER = "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes"
LOCUST_HEADER = "start_time,request_type,name,response_time,response_length,status_code,exception"


@dataclass(frozen=True)
class Read:
    """The rows of a record as the bundle would hold them, and the tally."""

    rows: list[dict[str, Any]]
    tally: Tally

    def column(self, name: str) -> list[Any]:
        return [row[name] for row in self.rows]


def read(path: Path, format_: str | None = None) -> Read:
    """Read a whole record as an import does."""
    with opened(path) as source:
        name = format_of(source, format_)
        tally = Tally(source.name, name)
        batches = [tally.sane(rows).batch("w") for rows in FORMATS[name].read(source, tally)]
        tally.check()
    return Read(pa.Table.from_batches(batches).to_pylist(), tally)


def rfc3339(time_ns: int) -> str:
    """A time as Go writes it: without the zeros at its end."""
    whole, rest = divmod(time_ns, S)
    text = datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{rest:09d}".rstrip("0").rstrip(".") + "Z"


def vegeta_line(
    start_ns: int = EPOCH_NS,
    latency_ns: int = 12 * MS,
    code: int = 200,
    error: str = "",
    method: str = "GET",
    url: str = "http://x/ok",
    seq: int = 0,
) -> str:
    """One result of vegeta, as JSON."""
    return json.dumps(
        {
            "attack": "",
            "seq": seq,
            "code": code,
            "timestamp": rfc3339(start_ns),
            "latency": latency_ns,
            "bytes_out": 0,
            "bytes_in": 12,
            "error": error,
            "body": "aGVsbG8=",
            "method": method,
            "url": url,
            "headers": {"Server": ["x"]},
        }
    )


def k6_points(end_ns: int = EPOCH_NS, status: int = 200, error: str = "", **values_ms: float) -> list[str]:
    """The points that k6 writes of one request, in its order; `values_ms` by the end of the metric's name."""
    tags = {"method": "GET", "name": "http://x/ok", "url": "http://x/ok", "status": str(status), "scenario": "a"}
    if error:
        tags["error"] = error
    values = {"duration": 10.0, "blocked": 0.0, "connecting": 0.0, "tls_handshaking": 0.0, **values_ms}
    failed = float(bool(error) or status >= 400)
    named = {
        "http_reqs": 1.0,
        **{f"http_req_{name}": value for name, value in values.items()},
        "http_req_failed": failed,
    }
    return [
        json.dumps({"metric": name, "type": "Point", "data": {"time": rfc3339(end_ns), "value": value, "tags": tags}})
        for name, value in named.items()
    ]


def jtl_line(
    start_ms: int | str = EPOCH_NS // MS,
    elapsed_ms: int | str = 12,
    label: str = "home",
    code: str = "200",
    message: str = "OK",
    success: str = "true",
    failure: str = "",
) -> str:
    """One sample of JMeter, as CSV, in the columns of JTL_HEADER."""
    return f'{start_ms},{elapsed_ms},{label},{code},"{message}",Users 1-1,text,{success},"{failure}",124'


def write(path: Path, *lines: str, end: str = "\n") -> Path:
    """Write lines to a file; the last one gets `end`."""
    path.write_text("\n".join(lines) + end, encoding="utf-8")
    return path
