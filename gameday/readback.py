"""Reading the ledger back: is every acknowledged write in every region?

After the drill, when the load has stopped and the regions are back. A write that got no answer stays unknown, and
unknown is never safe.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import urllib3.exceptions

from bundle.reader import Bundle
from bundle.table import LEDGER, STREAM_SUFFIX, StreamWriter
from gameday.cluster import ApiError, Cluster
from gameday.observe.asking import Asking, NoAnswer, OutOfReach, asking
from gameday.observe.polling import replicas_of
from gameday.observe.roles import LedgerPlan
from gameday.observe.sighting import Replica

LEAST_LIMIT_S, LIMIT_PER_WRITE_S = 60.0, 0.02
"""For all writes together; what has not been asked by then is unknown."""
LAG_S = 10.0
"""So long a replica that lacks a write may lag behind, and is asked for it again and again. Then the write is lost."""
AGAIN_S = 0.5
AT_ONCE = 4
"""Questions at once in each region."""
ANSWER_TIMEOUT_S = 10.0
TRIES = 3
PAUSE_S = 0.1
FOUND, MISSING, LOST, UNKNOWN = "found", "missing", "lost", "unknown"
WORDS = {200: FOUND, 404: MISSING}

Make = Callable[[LedgerPlan, Cluster, Replica, float], Asking]
Write = tuple[str, int]
"""A key, and when it was acknowledged."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What time it is, in seconds that only grow, and how to let some pass."""

    now_s: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def limit_s(writes: int) -> float:
    """How long reading back so many writes may take."""
    return LEAST_LIMIT_S + LIMIT_PER_WRITE_S * writes


def read_back(
    root: Path,
    plan: LedgerPlan,
    clusters: Sequence[Cluster],
    make: Make = asking,
    limit: Callable[[int], float] = limit_s,
    clock: Clock | None = None,
) -> None:
    """Ask every region for every write of the bundle's ledger, and add a row of each answer to the ledger.

    limit: for how long, in seconds, by the number of writes. Raises OSError where the ledger can't be written.
    """
    writes, clock = acknowledged_writes(root), clock or Clock()
    if not writes:
        return
    deadline_s = clock.now_s() + limit(len(writes))
    regions = [_Region(cluster, plan, writes, make, deadline_s, clock) for cluster in clusters]
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


@dataclass(frozen=True, slots=True)
class _Question:
    """Is the write at this place of the list there? Not to be asked before `due_s`; missing since `missed_s`."""

    at: int
    due_s: float = 0.0
    missed_s: float | None = None


class _Region:
    """Asks one region for all writes."""

    def __init__(
        self,
        cluster: Cluster,
        plan: LedgerPlan,
        writes: Sequence[Write],
        make: Make,
        deadline_s: float,
        clock: Clock,
    ) -> None:
        self.context = cluster.context
        self._cluster, self._plan, self._make = cluster, plan, make
        self._deadline_s, self._clock = deadline_s, clock
        self._writes = writes
        self._words = [UNKNOWN] * len(writes)
        self._left = deque(_Question(at) for at in range(len(writes)))
        """What is asked again comes behind what wasn't asked yet."""
        self._threads = [
            threading.Thread(target=self._run, name=f"{self.context}-readback-{number}", daemon=True)
            for number in range(AT_ONCE)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def words(self) -> list[str]:
        """What was found of each write, once every question is answered or too late."""
        for thread in self._threads:
            thread.join(max(0.0, self._deadline_s - self._clock.now_s()) + ANSWER_TIMEOUT_S)
        return list(self._words)

    def _run(self) -> None:
        replicas: list[Asking] = []
        try:
            while (question := self._next()) is not None:
                if (early_s := question.due_s - self._clock.now_s()) > 0:
                    self._clock.sleep(early_s)
                word = self._word(replicas, question.at)
                now_s = self._clock.now_s()
                missed_s = now_s if question.missed_s is None else question.missed_s
                if word == MISSING and now_s - missed_s < LAG_S:
                    self._left.append(_Question(question.at, now_s + AGAIN_S, missed_s))
                else:
                    self._words[question.at] = LOST if word == MISSING else word
        finally:
            for replica in replicas:
                replica.close()

    def _next(self) -> _Question | None:
        try:
            return self._left.popleft() if self._clock.now_s() < self._deadline_s else None
        except IndexError:
            return None

    def _word(self, replicas: list[Asking], at: int) -> str:
        """What the replica whose turn it is says; another one is asked only where that one says nothing.

        So a replica that lags is given its time, and none that never catches up hides behind the others.
        """
        for turn in range(TRIES):
            if not replicas:
                replicas.extend(self._replicas())
            word = self._ask(replicas[(at + turn) % len(replicas)], at) if replicas else UNKNOWN
            if word != UNKNOWN or self._clock.now_s() > self._deadline_s:
                break
            self._clock.sleep(PAUSE_S)
        return word

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
