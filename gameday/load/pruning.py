"""Locust's statistics without what grows with the length of a run: its counts second by second, and its history.

What Locust computes from them stays the same: totals are kept elsewhere, and current rates look back 12 s.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from locust.stats import RequestStats

KEPT_S = 60
"""Seconds of counts that are kept before the last request."""
KEPT_HISTORY = 720
"""Points that are kept for the charts of Locust's own report, which gets one every 5 s: the last hour."""
PRUNE_S = 10.0


def prune(stats: RequestStats) -> None:
    """Drop what is older."""
    del stats.history[:-KEPT_HISTORY]
    if stats.last_request_timestamp is None:
        return
    oldest = int(stats.last_request_timestamp) - KEPT_S
    for entry in (stats.total, *stats.entries.values()):
        for counts in (entry.num_reqs_per_sec, entry.num_fail_per_sec):
            for second in [second for second in counts if second < oldest]:
                del counts[second]


def prune_for_ever(stats: RequestStats, sleep: Callable[[float], None]) -> None:
    """Drop what is older, every `PRUNE_S` seconds, until killed."""
    while True:
        sleep(PRUNE_S)
        prune(stats)
