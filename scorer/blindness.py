"""When an observer saw nothing: before it connected, while its watch was lost, and after it failed."""

from __future__ import annotations

from collections.abc import Iterable

from bundle.timeline import Entry
from scorer.span import Span


def longest_blindness_s(timeline: Iterable[Entry], context: str, watches: str, window: Span) -> float:
    """The longest stretch of the window, in seconds, in which nobody watched `watches` of `context`.

    `api` is the harness's pulse, which notes only when the API server was out of reach: it needn't have connected.
    """
    blind_since = None if watches == "api" else window.start_ns
    longest = 0
    for entry in timeline:
        if entry.kind != "observer" or entry.context != context or entry.attributes.get("watches") != watches:
            continue
        if entry.event in ("connected", "resumed"):
            if blind_since is not None:
                longest = max(longest, _overlap(blind_since, entry.latest_ns, window))
            blind_since = None
        elif entry.event in ("lost", "failed") and blind_since is None:
            blind_since = entry.earliest_ns
    if blind_since is not None:
        longest = max(longest, _overlap(blind_since, window.end_ns, window))
    return longest / 1e9


def _overlap(start_ns: int, end_ns: int, window: Span) -> int:
    return max(0, min(end_ns, window.end_ns) - max(start_ns, window.start_ns))
