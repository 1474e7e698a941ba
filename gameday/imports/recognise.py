"""Which generator wrote a file, told from its first lines."""

from __future__ import annotations

import json
import re

FORMATS = ("vegeta-json", "vegeta-csv", "k6-json", "locust-csv", "jmeter-jtl")
"""What can be imported."""

_VEGETA_CSV = re.compile(r"\d{16,19},\d{1,3},-?\d+,\d+,\d+,")
_LOCUST_PLUGINS = re.compile(r"^timeStamp,elapsed,.*\s+\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+,[^,]*,\d*,[OK]K,")
_HEADLESS_JTL = re.compile(r"\d{13}[,;\t]\d+[,;\t]")

_REFUSED: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(pattern, re.MULTILINE), what, do)
    for pattern, what, do in (
        (
            r'^(#\[.*[Hh]istogram|"StartTimestamp"|"?Tag=[^,]*,)|^#\[(StartTime|BaseTime)',
            "is a HdrHistogram log: it counts requests by latency and interval, and holds no time per request",
            "record with vegeta, k6 or JMeter",
        ),
        (
            r"^\s*Value\s+Percentile\s+TotalCount|^Running .* test @ |Detailed Percentile spectrum",
            "is wrk's or HdrHistogram's report: it holds percentiles of the whole run, and no time per request",
            "record with vegeta, k6 or JMeter",
        ),
        (
            r'^"?(Type"?,"?Name"?,"?Request Count|Timestamp"?,"?User Count|Method"?,"?Name"?,"?Error"?,"?Occurrences)',
            "is a CSV of Locust's statistics: sums over many requests, and no time per request",
            "record each request as docs/importing.md shows for Locust",
        ),
        (
            r"^metric_name,timestamp,metric_value",
            "is k6's CSV, whose times are whole seconds",
            "run k6 with `--out json=FILE`",
        ),
        (
            r'"root_group"|"state"\s*:\s*\{\s*"isStdErrTTY"',
            "is k6's summary: it holds no time per request",
            "run k6 with `--out json=FILE`",
        ),
        (
            r'"latencies"\s*:.*"bytes_in"\s*:\s*\{',
            "is a report of vegeta: it holds no time per request",
            "give the output of `vegeta encode`",
        ),
        (
            _LOCUST_PLUGINS.pattern,
            "is from the JMeter listener of locust-plugins: its times are whole seconds, and requests "
            "without an answer may be missing",
            "record each request as docs/importing.md shows for Locust",
        ),
        (
            _HEADLESS_JTL.pattern,
            "looks like a JMeter JTL without the line that names its columns",
            "set jmeter.save.saveservice.print_field_names=true, or write that line above it",
        ),
    )
)


def recognised(head: bytes) -> str | None:
    """The format of a file that begins with `head`; None where it is none of `FORMATS`."""
    text = head.decode("utf-8-sig", errors="replace").lstrip()
    line, _, rest = text.partition("\n")
    if line.startswith("{"):
        return _of_json(line)
    if line.startswith("<testResults") or (line.startswith("<?xml") and rest.lstrip().startswith("<testResults")):
        return "jmeter-jtl"
    if line.startswith("<?xml") and "<testResults" in line:
        return "jmeter-jtl"
    if _VEGETA_CSV.match(line):
        return "vegeta-csv"
    columns = line.replace('"', "").strip()
    if re.search(r"(^|[,;\t|])timeStamp[,;\t|]", columns) and "elapsed" in columns:
        return None if _LOCUST_PLUGINS.search(text) else "jmeter-jtl"
    if {"start_time", "response_time", "name"} <= set(columns.split(",")):
        return "locust-csv"
    return None


def refusal(head: bytes) -> tuple[str, str]:
    """What a file is that is none of `FORMATS`, and what to do instead."""
    if b"Result" in head[:200] and b"BytesOut" in head[:400] and b"\x00" in head[:400]:
        return "is vegeta's own binary form", "turn it into JSON with `vegeta encode`"
    if b"\x00" in head:
        return "is binary, and no record that can be imported", f"give one of {', '.join(FORMATS)}"
    text = head.decode("utf-8", errors="replace")
    for pattern, what, do in _REFUSED:
        if pattern.search(text):
            return what, do
    return "is no record that can be imported", f"give one of {', '.join(FORMATS)}, or name it with --format"


def _of_json(line: str) -> str | None:
    try:
        held = json.loads(line)
    except (ValueError, RecursionError):  # the latter where it is nested without end
        return None
    if not isinstance(held, dict):
        return None
    if {"timestamp", "latency", "code"} <= held.keys():
        return "vegeta-json"
    if {"type", "metric", "data"} <= held.keys():
        return "k6-json"
    return None
