from __future__ import annotations

import pytest

from gameday.imports.recognise import recognised, refusal
from tests.gameday.imports.records import DATA, JTL_HEADER, LOCUST_HEADER, jtl_line, k6_points, vegeta_line


@pytest.mark.parametrize(
    ("file", "format_"),
    [
        ("vegeta.json", "vegeta-json"),
        ("vegeta.csv", "vegeta-csv"),
        ("k6.json", "k6-json"),
        ("locust.csv", "locust-csv"),
        ("jmeter.csv", "jmeter-jtl"),
        ("jmeter.xml", "jmeter-jtl"),
    ],
)
def test_what_the_tools_wrote_is_recognised(file: str, format_: str) -> None:
    assert recognised((DATA / file).read_bytes()) == format_


@pytest.mark.parametrize(
    ("text", "format_"),
    [
        (f"\ufeff{JTL_HEADER}\n{jtl_line()}\n", "jmeter-jtl"),  # saved by a spreadsheet
        ('"timeStamp";"elapsed";"label"\n', "jmeter-jtl"),
        ('<?xml version="1.0"?><testResults version="1.2">', "jmeter-jtl"),
        ("<testResults>", "jmeter-jtl"),
        (f"\n\n{vegeta_line()}\n", "vegeta-json"),
        (k6_points()[0], "k6-json"),
        (f"{LOCUST_HEADER}\r\n", "locust-csv"),
        ("<?xml version='1.0'?><testsuite/>", None),
        ('{"timestamp": 1', None),
        ("[1, 2]", None),
        ("hello", None),
    ],
)
def test_formats_are_told_by_their_first_line(text: str, format_: str | None) -> None:
    assert recognised(text.encode()) == format_


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (b"#[StartTime: 1441812279.474 (seconds since epoch)]\n", "a HdrHistogram log"),
        (b"#[Histogram log format version 1.3]\n", "a HdrHistogram log"),
        (b'"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"\n', "a HdrHistogram log"),
        (
            b"Tag=a,0.127,1.007,2.769,HISTFAAAAEV42pNpmSzMwMCgyAABTBDKT4GBgdnNYMcCBvsPEBEJISEuATEZMQ4uASkhIR4n\n",
            "HdrHistogram",
        ),
        (b"       Value   Percentile   TotalCount 1/(1-Percentile)\n", "HdrHistogram's report"),
        (b"Running 30s test @ http://127.0.0.1:80/index.html\n  2 threads and 100 connections\n", "wrk's"),
        (b"Type,Name,Request Count,Failure Count,Median Response Time\n", "Locust's statistics"),
        (b'"Timestamp","User Count","Type","Name"\n', "Locust's statistics"),
        (b"Method,Name,Error,Occurrences,First Seen\n", "Locust's statistics"),
        (b"metric_name,timestamp,metric_value,check\n", "k6's CSV"),
        (b'{\n  "metrics": {}, "root_group": {\n', "k6's summary"),
        (b'{"latencies":{"total":1},"bytes_in":{"total":12}}\n', "a report of vegeta"),
        (b"1795597558435,36,good,200,OK\n", "without the line that names its columns"),
        (
            b"I\x7f\x03\x01\x01\x06Result\x01\xff\x80\x00\x01\x0c\x01\x06Attack\x01\x0c\x00\x08BytesOut\x01",
            "vegeta's own binary",
        ),
        (bytes(range(256)), "binary"),
        (b"hello\n", "no record that can be imported"),
    ],
)
def test_what_holds_no_time_per_request_is_refused_by_name(head: bytes, what: str) -> None:
    assert recognised(head) is None
    assert what in refusal(head)[0]


def test_a_record_of_locust_plugins_is_refused_for_it_may_lack_the_failures() -> None:
    """Its version 5.0.3 raises on a request without an answer of a FastHttpUser, and the row is gone."""
    head = (DATA / "locust-plugins.csv").read_bytes()
    assert recognised(head) is None
    assert "locust-plugins" in refusal(head)[0]
