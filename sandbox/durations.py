"""Durations as Go writes them, which is how Chaos Mesh takes them."""

from __future__ import annotations

import re
from fractions import Fraction

_UNITS_NS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,  # the micro sign
    "μs": 1_000,  # the Greek letter, which Go takes as well
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60 * 1_000_000_000,
    "h": 3600 * 1_000_000_000,
}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)


def duration_ns(text: str) -> int:
    """Nanoseconds of a Go duration such as `5m`, `1.5s` or `1h2m3s`; ValueError where it is none."""
    unsigned = text[1:] if text[:1] in ("+", "-") else text
    if unsigned == "0":
        return 0
    parts = list(_PART.finditer(unsigned))
    if not parts or "".join(each[0] for each in parts) != unsigned:
        raise ValueError(f'time: invalid duration "{text}"')
    total = sum(int(Fraction(each[1].rstrip(".")) * _UNITS_NS[each[2]]) for each in parts)
    return -total if text.startswith("-") else total
