from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from locust.stats import RequestStats

    from gameday.load.deferredstats import MAX_WAITING, DeferredStats, defer
else:
    with pytest.MonkeyPatch.context() as unpatched:  # else it would patch the standard library of all other tests
        unpatched.setenv("LOCUST_SKIP_MONKEY_PATCH", "1")
        from locust.stats import RequestStats

        from gameday.load.deferredstats import MAX_WAITING, DeferredStats, defer

NAMES = ("/a", "/b")

requests = st.tuples(
    st.sampled_from(NAMES),
    st.sampled_from(("GET", "POST")),
    st.none() | st.integers(0, 100_000) | st.floats(0, 1e5),
    st.integers(0, 1 << 40),
    st.booleans(),
    st.floats(0, 3),
    st.booleans(),
)
"""Name, method, response time, size, whether it failed, seconds since the one before, whether somebody reads then."""


def said(stats: RequestStats) -> list[object]:
    """All that there is to be read of statistics, in any order of entries."""
    totals = [stats.total, *(stats.entries[key] for key in sorted(stats.entries))]
    return [
        stats.num_requests,
        stats.last_request_timestamp,
        {key: error.occurrences for key, error in stats.errors.items()},
        *(
            (
                entry.name,
                entry.method,
                pytest.approx(entry.total_response_time, rel=1e-12),
                entry.current_rps,
                entry.total_rps,
                entry.fail_ratio,
                entry.get_response_time_percentile(0.95),
                entry.get_current_response_time_percentile(0.5) if entry.use_response_times_cache else None,
                {k: v for k, v in entry.serialize().items() if k != "total_response_time"},
            )
            for entry in totals
        ),
    ]


@given(sent=st.lists(requests, max_size=60), caches=st.booleans())
def test_they_say_what_locusts_own_say(
    sent: list[tuple[str, str, float | None, int, bool, float, bool]], caches: bool
) -> None:
    now = [1_700_000_000.25]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("locust.stats.time.time", lambda: now[0])
        patched.setattr("gameday.load.deferredstats.time", lambda: now[0])
        plain, deferred = RequestStats(caches), defer(RequestStats(caches))
        for name, method, time_ms, size, failed, later_s, read in sent:
            now[0] += later_s
            for stats in (plain, deferred):
                stats.log_request(method, name, time_ms, size)  # type: ignore[arg-type]  # Locust gives it None, too
                if failed:
                    stats.log_error(method, name, "HTTP 503")
            if read:
                assert said(deferred) == said(plain)
        assert said(deferred) == said(plain)


def test_an_entry_that_is_held_is_counted_when_somebody_reads_another() -> None:
    stats = defer(RequestStats())
    held = stats.get("/a", "GET")
    stats.log_request("GET", "/a", 10, 2)
    assert held.num_requests == 0
    assert stats.num_requests == 1
    assert held.num_requests == 1


def test_what_waits_is_bounded() -> None:
    stats = defer(RequestStats())
    held = stats.get("/a", "GET")
    for _ in range(MAX_WAITING):
        stats.log_request("GET", "/a", 10, 2)
    assert held.num_requests == MAX_WAITING


def test_what_was_counted_before_stays() -> None:
    stats = RequestStats()
    stats.log_request("GET", "/a", 10, 2)
    assert defer(stats).num_requests == 1


@pytest.mark.parametrize("forget", [RequestStats.reset_all, DeferredStats.clear_all])
def test_nothing_that_waited_survives_a_reset(forget: object) -> None:
    stats = defer(RequestStats())
    stats.log_request("GET", "/a", 10, 2)
    forget(stats)  # type: ignore[operator]
    assert stats.num_requests == 0
    stats.log_request("GET", "/a", 10, 2)
    assert stats.num_requests == stats.get("/a", "GET").num_requests == 1


def test_it_goes_on_until_killed() -> None:
    stats, slept = defer(RequestStats()), []
    held = stats.get("/a", "GET")

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        stats.log_request("GET", "/a", 10, 2)
        if len(slept) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stats.count_for_ever(sleep)
    assert held.num_requests == 2
