from __future__ import annotations

import time
from pathlib import Path

import gevent
import pytest

from bundle.clock import Anchor
from bundle.table import iter_table
from gameday.load import health
from gameday.load.inflight import Counts
from gameday.load.recorder import Recorder


def readings(bundle: Path) -> dict[str, float]:
    rows = [row for batch in iter_table(bundle, "samples") for row in batch.to_pylist()]
    return {row["series"]: row["value"] for row in rows[: len({row["series"] for row in rows})]}


@pytest.mark.parametrize("counts", [Counts(due=7, sent=5, inflight=2), None])
def test_a_blocked_event_loop_shows_as_lag_and_burnt_cpu_as_its_share(tmp_path: Path, counts: Counts | None) -> None:
    """The loop is kept busy for 0.2 s of the first half second: lag is at least 0.2 s less one probe."""
    recorder = Recorder(tmp_path, "load-0", Anchor.take(), pytest.fail)
    watcher = gevent.spawn(health.watch, recorder, counts)
    gevent.sleep(health.TICK_S)
    end = time.monotonic() + 0.2
    while time.monotonic() < end:
        pass
    while not readings(tmp_path):
        gevent.sleep(health.TICK_S)
    watcher.kill()
    recorder.close(time.monotonic_ns())
    first = readings(tmp_path)
    assert first["load.lag_s"] >= 0.2 - health.TICK_S
    assert 0 < first["load.cpu_share"] <= 1.1
    counted = {name.removeprefix("load."): value for name, value in first.items()} if counts else {}
    assert {name: counted[name] for name in ("due", "sent", "inflight") if counts} == (
        {"due": 7, "sent": 5, "inflight": 2} if counts else {}
    )
