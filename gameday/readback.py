"""Reading the ledger back: is every acknowledged write in every region?

After the drill, when the load has stopped and the regions are back. A write that got no answer stays unknown, and
unknown is never safe.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

import urllib3.exceptions

from bundle.reader import Bundle
from bundle.table import LEDGER, STREAM_SUFFIX, StreamWriter
from gameday.cluster import ApiError, Cluster
from gameday.observe.asking import Asking, NoAnswer, OutOfReach, asking
from gameday.observe.leaders import replicas_of
from gameday.observe.roles import LedgerPlan
from gameday.observe.sighting import Replica

LIMIT_S = 60.0
"""For all writes together; what has not been asked by then is unknown."""
AT_ONCE = 4
"""Questions at once in each region."""
ANSWER_TIMEOUT_S = 10.0
TRIES = 3
PAUSE_S = 0.1
UNKNOWN = "unknown"
WORDS = {200: "found", 404: "lost"}

Make = Callable[[LedgerPlan, Cluster, Replica, float], Asking]
Write = tuple[str, int]
"""A key, and when it was acknowledged."""


def read_back(
    root: Path, plan: LedgerPlan, clusters: Sequence[Cluster], make: Make = asking, limit_s: float = LIMIT_S
) -> None:
    """Ask every region for every write of the bundle's ledger, and add a row of each answer to the ledger.

    Raises OSError where the ledger can't be written.
    """
    writes = acknowledged_writes(root)
    if not writes:
        return
    deadline_s = time.monotonic() + limit_s
    regions = [_Region(cluster, plan, writes, make, deadline_s) for cluster in clusters]
    for region in regions:
        region.start()
    stream = StreamWriter(root / "ledger" / f"readback{STREAM_SUFFIX}", LEDGER)
    try:
        for region in regions:
            stream.append(_batch(region.context, writes, region.words()))
    finally:
        stream.close()


def acknowledged_writes(root: Path) -> list[Write]:
    """Every acknowledged write of a bundle that may still be open, once each, in the order of their acknowledgement."""
    first: dict[str, int] = {}
    for batch in Bundle.open(root).ledger():
        for key, at_ns in zip(batch["key"].to_pylist(), batch["acknowledged_ns"].to_pylist(), strict=True):
            first.setdefault(key, at_ns)
    return sorted(first.items(), key=lambda write: write[1])


class _Region:
    """Asks one region for all writes."""

    def __init__(
        self, cluster: Cluster, plan: LedgerPlan, writes: Sequence[Write], make: Make, deadline_s: float
    ) -> None:
        self.context = cluster.context
        self._cluster, self._plan, self._make, self._deadline_s = cluster, plan, make, deadline_s
        self._writes = writes
        self._words = [UNKNOWN] * len(writes)
        self._left: Iterator[int] = iter(range(len(writes)))
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._run, args=(number,), name=f"{self.context}-readback-{number}", daemon=True)
            for number in range(AT_ONCE)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def words(self) -> list[str]:
        """What was found of each write, once every question is answered or too late."""
        for thread in self._threads:
            thread.join(max(0.0, self._deadline_s - time.monotonic()) + ANSWER_TIMEOUT_S)
        return list(self._words)

    def _run(self, number: int) -> None:
        replicas: list[Asking] = []
        try:
            while time.monotonic() < self._deadline_s:
                with self._lock:
                    at = next(self._left, None)
                if at is None:
                    return
                for turn in range(TRIES):
                    if not replicas:
                        replicas = self._replicas()
                    word = self._ask(replicas[(number + turn) % len(replicas)], at) if replicas else UNKNOWN
                    self._words[at] = word
                    if word != UNKNOWN or time.monotonic() > self._deadline_s:
                        break
                    time.sleep(PAUSE_S)
        finally:
            for replica in replicas:
                replica.close()

    def _replicas(self) -> list[Asking]:
        try:
            pods = self._cluster.list("pods")["items"]
        except (ApiError, urllib3.exceptions.HTTPError):
            return []  # its writes are unknown then, which the verdict says
        found = replicas_of(pods, self.context, self._plan.deployment)
        return [self._make(self._plan, self._cluster, replica, ANSWER_TIMEOUT_S) for replica in found]

    def _ask(self, replica: Asking, at: int) -> str:
        try:
            status, _ = replica.get(self._plan.path.replace("{key}", quote(self._writes[at][0], safe="")))
        except (NoAnswer, OutOfReach):
            return UNKNOWN
        return WORDS.get(status, UNKNOWN)


def _batch(context: str, writes: Sequence[Write], words: Sequence[str]) -> object:
    import pyarrow as pa

    columns = [
        pa.array([key for key, _ in writes], pa.string()),
        pa.array([at_ns for _, at_ns in writes], pa.int64()),
        pa.array([context] * len(writes), pa.string()).dictionary_encode(),
        pa.array(words, pa.string()).dictionary_encode(),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=LEDGER)
