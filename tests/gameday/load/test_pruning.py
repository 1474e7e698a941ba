from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gameday.load.pruning import KEPT_HISTORY, KEPT_S, prune, prune_for_ever

if TYPE_CHECKING:
    from locust.stats import RequestStats
else:
    with pytest.MonkeyPatch.context() as unpatched:  # else it would patch the standard library of all other tests
        unpatched.setenv("LOCUST_SKIP_MONKEY_PATCH", "1")
        from locust.stats import RequestStats

HOUR_S = 3600


def after(seconds: int, monkeypatch: pytest.MonkeyPatch) -> RequestStats:
    """Locust's own statistics of a run with a request a second, every other one failed, and its history."""
    clock = [1_700_000_000.0]
    monkeypatch.setattr("locust.stats.time.time", lambda: clock[0])
    stats = RequestStats()
    for second in range(seconds):
        stats.log_request("GET", "/a", 10, 2)
        if second % 2:
            stats.log_error("GET", "/a", "HTTP 503")
        if second % 5 == 0:
            stats.history.append({"time": second})
        clock[0] += 1
    return stats


def size(stats: RequestStats) -> int:
    """How many entries there are that a run adds to."""
    entries = (stats.total, *stats.entries.values())
    return len(stats.history) + sum(len(entry.num_reqs_per_sec) + len(entry.num_fail_per_sec) for entry in entries)


def test_what_is_kept_does_not_grow_with_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    for hours in (2, 4):
        stats = after(hours * HOUR_S, monkeypatch)
        grown = size(stats)
        prune(stats)
        sizes.append(size(stats))
        assert sizes[-1] < grown / 4
    assert sizes[0] == sizes[1] <= KEPT_HISTORY + 2 * 2 * (KEPT_S + 1)


def test_what_locust_says_of_the_run_stays_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    stats = after(2 * HOUR_S, monkeypatch)

    def said() -> list[float]:
        return [
            value
            for entry in (stats.total, stats.get("/a", "GET"))
            for value in (
                entry.current_rps,
                entry.current_fail_per_sec,
                entry.total_rps,
                entry.num_requests,
                entry.num_failures,
                entry.get_response_time_percentile(0.95),
            )
        ]

    before = said()
    prune(stats)
    assert said() == before
    assert before[:2] == [1.0, 0.5]


def test_statistics_of_nothing_have_nothing_to_drop() -> None:
    prune(RequestStats())


def test_it_goes_on_every_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    stats, slept = after(HOUR_S, monkeypatch), []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prune_for_ever(stats, sleep)
    assert slept == [10, 10, 10]
    assert len(stats.total.num_reqs_per_sec) == KEPT_S + 1
