"""Locust's statistics, brought up to date when somebody reads them instead of at every request.

What they say is the same. Locust counts each request twice, in its entry and in the total, which is a fiftieth of what
a request costs; counted together, many cost a third of that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from time import time
from typing import Any, TypeAlias

from locust import stats as locust_stats
from locust.stats import RequestStats, StatsEntry

Key: TypeAlias = tuple[str, str]
"""Name and method."""
Requests: TypeAlias = list[Any]
"""Of each request three values: time of day in s, response time in ms or None, size in bytes. A tuple for each would
cost as much again, as the garbage collector counts them."""
VALUES = 3

MAX_WAITING = 4096
"""Requests of one entry that wait to be counted where nobody reads, at most."""
COUNT_S = 0.2
"""So long they wait, at most."""


class _Waiting(dict[Key, Requests]):
    """Requests that are not counted yet. Their entry is made with the first of them, as Locust does."""

    def __init__(self, entries: dict[Key, StatsEntry]) -> None:
        self._entries = entries

    def __missing__(self, key: Key) -> Requests:
        self._entries[key]  # Locust's own dictionary makes what it doesn't have
        self[key] = []
        return self[key]


class DeferredStats(RequestStats):
    """Counts what waits before anything is read of it. An entry that somebody holds on to lags by `COUNT_S` at most."""

    _waiting: _Waiting

    def log_request(self, method: str, name: str, response_time: float | None, content_length: int) -> None:
        """Note a request. Locust calls it."""
        waiting = self._waiting[name, method]
        waiting += (time(), response_time, content_length)
        if len(waiting) >= MAX_WAITING * VALUES:
            self.count()

    def count(self) -> None:
        """Count what waits."""
        waiting = {key: requests for key, requests in self._waiting.items() if requests}
        if not waiting:
            return
        self._waiting = _Waiting(self._entries)
        parts = [(second, key, part) for key in waiting for second, part in _seconds(waiting[key])]
        for second, key, requests in sorted(parts):  # the total goes on from one second to the next
            _count(requests, second, (self._total, self._entries[key]))

    def count_for_ever(self, sleep: Callable[[float], None]) -> None:
        """Count what waits, every `COUNT_S` seconds, until killed."""
        while True:
            sleep(COUNT_S)
            self.count()

    @property
    def total(self) -> StatsEntry:  # Locust keeps it as an attribute
        """All requests."""
        self.count()
        return self._total

    @total.setter
    def total(self, entry: StatsEntry) -> None:
        self._total = entry

    @property
    def entries(self) -> dict[Key, StatsEntry]:  # Locust keeps it as an attribute
        """Those of each name and method."""
        self.count()
        return self._entries

    @entries.setter
    def entries(self, entries: dict[Key, StatsEntry]) -> None:
        self._entries, self._waiting = entries, _Waiting(entries)


def defer(stats: RequestStats) -> DeferredStats:
    """From now on, count later. It stays the same object: Locust's runner has handed it out already."""
    total, entries = stats.total, stats.entries
    stats.__class__ = DeferredStats
    assert isinstance(stats, DeferredStats)
    stats.total, stats.entries = total, entries
    return stats


def _seconds(requests: Requests) -> Iterator[tuple[int, Requests]]:
    """Requests by the second of the day, in order."""
    seconds = [int(time_s) for time_s in (requests[0], requests[-VALUES])]
    if seconds[0] == seconds[1]:
        yield seconds[0], requests
        return
    done = 0
    for second, times_s in groupby(requests[::VALUES], int):
        part = requests[done : done + VALUES * sum(1 for _ in times_s)]
        done += len(part)
        yield second, part


def _count(requests: Requests, second: int, entries: Iterable[StatsEntry]) -> None:
    """Count requests of one second in each of the entries, as `StatsEntry.log` does one by one."""
    count, answers_ms = len(requests) // VALUES, requests[1::VALUES]
    if None in answers_ms:
        answers_ms = [answer_ms for answer_ms in answers_ms if answer_ms is not None]
    size, last_s = sum(requests[2::VALUES]), requests[-VALUES]
    buckets = Counter(map(locust_stats.bucket_response_time, answers_ms))
    for entry in entries:
        before = entry.last_request_timestamp
        if entry.use_response_times_cache and before and second > int(before):
            entry._cache_response_times(second - 1)
        entry.num_requests += count
        entry.num_none_requests += count - len(answers_ms)
        entry.num_reqs_per_sec[second] += count
        entry.last_request_timestamp = max(last_s, before or 0.0)
        entry.total_content_length += size
        if not answers_ms:
            continue
        entry.total_response_time += sum(answers_ms)
        least, most = min(answers_ms), max(answers_ms)
        entry.min_response_time = least if entry.min_response_time is None else min(entry.min_response_time, least)
        entry.max_response_time = max(entry.max_response_time, most)
        for bucket, times in buckets.items():
            entry.response_times[bucket] += times
