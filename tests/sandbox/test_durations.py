from __future__ import annotations

import pytest

from sandbox.durations import duration_ns


@pytest.mark.parametrize(
    ("text", "expected_ns"),
    [
        ("0", 0),
        ("0ms", 0),
        ("100ms", 100_000_000),
        ("1.5s", 1_500_000_000),
        (".5s", 500_000_000),
        ("2.s", 2_000_000_000),
        ("1h2m3s", 3_723_000_000_000),
        ("+5us", 5_000),
        ("5µs", 5_000),
        ("-1m", -60_000_000_000),
        ("7ns", 7),
    ],
)
def test_a_duration_is_read_as_go_reads_it(text: str, expected_ns: int) -> None:
    assert duration_ns(text) == expected_ns


@pytest.mark.parametrize("text", ["", "5", "5 s", "s", "1d", "1s2", "--1s", "1,5s", "٣s"])
def test_what_go_refuses_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="invalid duration"):
        duration_ns(text)
