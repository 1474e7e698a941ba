"""One run of an open loop that is recorded, and what its rows say of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.load.machine import Cores
from benchmarks.load.planted import MS, S
from benchmarks.load.process import (
    POLL_S,
    START_TIMEOUT_S,
    BenchmarkFailed,
    Generator,
    ServerProcess,
    Usage,
    recorded,
)
from bundle.clock import ENVIRONMENT_VARIABLE, Anchor
from bundle.table import iter_table

MARGIN_S = 0.3
"""A run goes on for so long after its window, so that the end of the load is none of it."""


@dataclass(frozen=True, slots=True)
class Run:
    """What was due within the window of a run. Times are CLOCK_MONOTONIC nanoseconds.

    due: how many arrivals the rate makes of the window. scheduled_ns: when those were due that left a row. start_ns,
    latency_ns: of those that were sent, in the order in which they were due; latency counts from the due time.
    """

    due: int
    began_ns: int
    scheduled_ns: NDArray[np.int64]
    start_ns: NDArray[np.int64]
    latency_ns: NDArray[np.int64]
    usage: Usage
    """Of the generator, within the window."""
    bytes_per_row: float
    """Of the stream that the generator wrote."""

    @property
    def sent_share(self) -> float:
        """Sent / due."""
        return len(self.start_ns) / self.due

    def lateness_ms(self, share: float) -> float:
        """The quantile of how long after it was due a request was sent."""
        return float(np.quantile(self.start_ns - self.scheduled_ns, share)) / MS


def run(server: ServerProcess, cores: Cores, folder: Path, *, rate_per_s: float, window_s: float) -> Run:
    """Send evenly spaced arrivals for `window_s` and a little longer, into a new bundle in `folder`.

    Raises BenchmarkFailed.
    """
    bundle = folder / f"open-{len(list(folder.iterdir()))}"
    clock = Anchor.take()
    command = recorded("open", server.url, bundle, "--rate", f"{rate_per_s!r}")
    with Generator(command, cores, folder / f"{bundle.name}.log", {ENVIRONMENT_VARIABLE: clock.text()}) as generator:
        began_ns = _wait_began(bundle, generator)
        used = generator.usage()
        time.sleep(max(0.0, began_ns / S + window_s - clock.now_ns() / S))
        usage = generator.usage() - used
        time.sleep(MARGIN_S)
        generator.stop()
    rows = pa.Table.from_batches(iter_table(bundle, "requests")).sort_by("scheduled_ns")
    scheduled_ns = rows["scheduled_ns"].to_numpy()
    within = scheduled_ns < began_ns + round(window_s * S)
    sent = within & rows["start_ns"].is_valid().to_numpy()
    if not sent.any():
        raise BenchmarkFailed(f"nothing was sent at {rate_per_s:g} requests/s; see {folder}")
    to_mono_ns = clock.mono_ns - clock.wall_ns
    return Run(
        due=round(rate_per_s * window_s),
        began_ns=began_ns + to_mono_ns,
        scheduled_ns=scheduled_ns[sent] + to_mono_ns,
        start_ns=rows["start_ns"].to_numpy()[sent].astype(np.int64) + to_mono_ns,
        latency_ns=rows["latency_ns"].to_numpy()[sent].astype(np.int64),
        usage=usage,
        bytes_per_row=sum(path.stat().st_size for path in (bundle / "requests").iterdir()) / rows.num_rows,
    )


def _wait_began(bundle: Path, generator: Generator) -> int:
    """When the schedule began, UTC nanoseconds of the bundle's clock. Raises BenchmarkFailed."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        for batch in iter_table(bundle, "samples"):
            for row in batch.to_pylist():
                if row["series"] == "load.began":
                    return int(row["t_ns"])
        generator.check()
        if time.monotonic() > deadline:
            raise BenchmarkFailed(f"no load after {START_TIMEOUT_S:g} s: {generator.last_words()}")
        time.sleep(POLL_S)
