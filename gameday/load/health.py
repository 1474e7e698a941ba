"""Is the generator the bottleneck? Its own readings, taken while it runs."""

from __future__ import annotations

import time

import gevent

from gameday.load.inflight import Counts
from gameday.load.recorder import Recorder

SAMPLE_S = 0.5
TICK_S = 0.02


def watch(recorder: Recorder, counts: Counts | None) -> None:
    """Write a sample of each series every `SAMPLE_S` seconds, until killed.

    `load.lag_s` is the longest that the event loop kept a sleeper waiting since the last sample, probed every `TICK_S`
    seconds; `load.cpu_share` is CPU time / wall time since then (1 = one core). `load.due`, `load.sent` (cumulative)
    and `load.inflight` count arrivals; counts is None for a closed-loop profile, which has none.
    """
    last_ns, last_cpu_ns = time.monotonic_ns(), time.process_time_ns()
    while True:
        lag_s = _longest_lag_s(SAMPLE_S)
        now_ns, cpu_ns = time.monotonic_ns(), time.process_time_ns()
        readings = {"load.lag_s": lag_s, "load.cpu_share": (cpu_ns - last_cpu_ns) / (now_ns - last_ns)}
        if counts is not None:
            readings |= {"load.due": counts.due, "load.sent": counts.sent, "load.inflight": counts.inflight}
        recorder.sample(now_ns, readings)
        last_ns, last_cpu_ns = now_ns, cpu_ns


def _longest_lag_s(duration_s: float) -> float:
    longest = 0.0
    end = time.monotonic() + duration_s
    while (before := time.monotonic()) < end:
        gevent.sleep(TICK_S)
        longest = max(longest, time.monotonic() - before - TICK_S)
    return longest
