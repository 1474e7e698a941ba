"""`python -m benchmarks.load.recording BUNDLE ROWS`: records that many made-up requests, and says what it took.

Requests come from Locust's own event, as fast as they can, to the listener that a drill has; nothing is sent. The
process ends with a line of JSON on its standard output, a `Recording`.
"""

from __future__ import annotations

import json
import random
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace

import gevent
from geventhttpclient.header import Headers
from locust.event import EventHook

from bundle.table import compact
from gameday.load import rows
from gameday.load.streams import flush_for_ever

ENDPOINTS = ("/api/v1/agents", "/api/v1/agents/{id}/tasks", "/api/v1/dashboard", "/api/v1/evaluations")
AT_ONCE = 1000
MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Recording:
    """What it took to record so many rows."""

    rows: int
    start_mib: float
    """Resident memory when the record was open and nothing recorded."""
    growth_mib: float
    """The most that resident memory came to be above that, at any time."""
    cpu_per_million_s: float
    """CPU time of the listener and of its flushes, without that of making the events."""
    stream_bytes_per_row: float
    parquet_bytes_per_row: float
    compact_s: float


def memory_mib(line: str) -> float:
    """A line of /proc/self/status: VmRSS is resident memory now, VmHWM the most it ever was."""
    status = dict(entry.split(":", 1) for entry in Path("/proc/self/status").read_text().splitlines())
    return int(status[line].split()[0]) / 1024


def fire(event: EventHook, count: int) -> float:
    """Fire so many requests, one in a hundred of them failed; CPU seconds."""
    rng = random.Random(0)
    good = SimpleNamespace(status_code=200, headers=Headers({"x-gameday-region": "us-east-1", "content-length": "2"}))
    bad = SimpleNamespace(status_code=503, headers=Headers())
    times_ms = [rng.expovariate(0.05) for _ in range(AT_ONCE)]
    failure = ConnectionError("503")
    started_ns = time.process_time_ns()
    for _ in range(count // AT_ONCE):
        for number, time_ms in enumerate(times_ms):
            failed = number % 100 == 99
            event.fire(  # type: ignore[no-untyped-call]  # Locust leaves it unannotated
                request_type="GET",
                name=ENDPOINTS[number % 4],
                response_time=time_ms,
                response_length=number,
                exception=failure if failed else None,
                response=bad if failed else good,
                context={},
                start_time=0.0,
                url="",
            )
        gevent.sleep(0)
    return (time.process_time_ns() - started_ns) / 1e9


def main() -> None:
    """Record as the command line says."""
    bundle, count = Path(sys.argv[1]), int(sys.argv[2])
    silent, recorded = EventHook(), EventHook()  # type: ignore[no-untyped-call]
    silent.add_listener(lambda **_: None)  # type: ignore[no-untyped-call]
    recorded.add_listener(rows.on_request)  # type: ignore[no-untyped-call]

    def failed(error: OSError) -> None:
        raise SystemExit(f"the bundle cannot be written: {error}")

    sample = min(count, 500_000)
    making_s = fire(silent, sample) / sample
    rows.open_record(bundle, "load-0", failed)
    recorder = rows.recorder()
    assert recorder is not None
    flushing = gevent.spawn(flush_for_ever, recorder.flush, gevent.sleep)
    start_mib = memory_mib("VmRSS")
    recording_s = fire(recorded, count) / count
    flushing.kill()
    recorder.close(time.monotonic_ns())
    growth_mib = memory_mib("VmHWM") - start_mib
    stream = bundle / "requests" / "load-0.arrows"
    stream_bytes = stream.stat().st_size
    started = time.monotonic()
    compact(bundle, "requests")
    recording = Recording(
        rows=count,
        start_mib=start_mib,
        growth_mib=growth_mib,
        cpu_per_million_s=(recording_s - making_s) * 1e6,
        stream_bytes_per_row=stream_bytes / count,
        parquet_bytes_per_row=(bundle / "requests.parquet").stat().st_size / count,
        compact_s=time.monotonic() - started,
    )
    print(json.dumps(asdict(recording)))


if __name__ == "__main__":
    main()
