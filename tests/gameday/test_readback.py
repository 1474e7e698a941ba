"""Reading back a ledger from regions that are scripted."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from bundle.reader import Bundle
from bundle.table import LEDGER, STREAM_SUFFIX, StreamWriter
from gameday.cluster import ApiError
from gameday.observe.asking import NoAnswer, OutOfReach
from gameday.observe.roles import LedgerPlan
from gameday.readback import LAG_S, Clock, acknowledged_writes, limit_s, read_back
from scorer.planted import plant
from scorer.planted_plan import Plan

Answer = Callable[[str], int | Exception]
KEYS = ("a", "b/ü", "c")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A bundle whose load acknowledged three writes, one of them twice."""
    root = tmp_path / "run"
    plant(root, Plan(rate_per_s=10))
    (root / "ledger.parquet").unlink(missing_ok=True)
    (root / "ledger").mkdir(exist_ok=True)
    stream = StreamWriter(root / "ledger" / f"load{STREAM_SUFFIX}", LEDGER)
    keys = [*KEYS, "a"]
    stream.append(
        pa.RecordBatch.from_arrays(
            [
                pa.array(keys),
                pa.array([3, 1, 2, 9], pa.int64()),
                pa.array([""] * 4).dictionary_encode(),
                pa.array(["unknown"] * 4).dictionary_encode(),
            ],
            schema=LEDGER,
        )
    )
    stream.close()
    return root


class Time:
    """Passes only where somebody sleeps."""

    def __init__(self) -> None:
        self.now_s, self._lock = 0.0, threading.Lock()
        self.clock = Clock(lambda: self.now_s, self._sleep)

    def _sleep(self, by_s: float) -> None:
        with self._lock:
            self.now_s += by_s


def region(name: str, pods: list[str] | Exception) -> Any:
    def listed(_: str) -> dict[str, Any]:
        if isinstance(pods, Exception):
            raise pods
        owner = [{"kind": "ReplicaSet", "name": "orchestration-agent-1"}]
        metas = [{"name": pod, "namespace": "tars", "uid": pod, "ownerReferences": owner} for pod in pods]
        return {"items": [{"metadata": meta, "status": {"podIP": "127.0.0.1"}} for meta in metas]}

    return SimpleNamespace(context=name, list=listed)


class Asked:
    """A replica that answers by the path."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def get(self, path: str) -> tuple[int, bytes]:
        said = self._answer(path)
        if isinstance(said, Exception):
            raise said
        return said, b"{}"

    def close(self) -> None:
        pass


def found(root: Path, region: str) -> dict[str, str]:
    rows = [row for batch in Bundle.open(root).ledger() for row in batch.to_pylist()]
    return {row["key"]: row["read_back"] for row in rows if row["region"] == region}


def test_each_write_is_asked_for_once_in_the_order_of_its_acknowledgement(root: Path) -> None:
    assert acknowledged_writes(root) == [("b/ü", 1), ("c", 2), ("a", 3)]


def test_what_each_region_says_of_each_write_becomes_a_row(root: Path) -> None:
    answers: dict[str, Answer] = {
        "east-1": lambda _: 200,
        "west-1": lambda path: 404 if path == "/api/v1/tasks/c" else 200,
        "central-1": lambda path: 503 if path == "/api/v1/tasks/b%2F%C3%BC" else 200,
    }
    regions = [region(name, [f"{name}-1"]) for name in ("east", "west", "central")]
    read_back(root, LedgerPlan(), regions, lambda _, __, replica, ___: Asked(answers[replica.name]), clock=Time().clock)
    assert found(root, "east") == dict.fromkeys(KEYS, "found")
    assert found(root, "west") == {"a": "found", "b/ü": "found", "c": "lost"}
    assert found(root, "central") == {"a": "found", "b/ü": "unknown", "c": "found"}


@pytest.mark.parametrize("failure", [NoAnswer("refused"), OutOfReach("timed out")])
def test_where_one_replica_fails_another_is_asked(root: Path, failure: Exception) -> None:
    read_back(
        root,
        LedgerPlan(),
        [region("east", ["bad", "good"])],
        lambda _, __, replica, ___: Asked(lambda _: failure if replica.name == "bad" else 200),
        clock=Time().clock,
    )
    assert found(root, "east") == dict.fromkeys(KEYS, "found")


@pytest.mark.parametrize("pods", [[], ApiError(500, "broken")])
def test_a_region_that_nobody_can_be_asked_in_leaves_its_writes_unknown(
    root: Path, pods: list[str] | Exception
) -> None:
    read_back(root, LedgerPlan(), [region("east", pods)], lambda *_: Asked(lambda _: 200), clock=Time().clock)
    assert found(root, "east") == dict.fromkeys(KEYS, "unknown")


def test_what_could_not_be_asked_in_time_is_unknown(root: Path) -> None:
    read_back(root, LedgerPlan(), [region("east", ["e"])], lambda *_: Asked(lambda _: 200), limit=lambda _: 0.0)
    assert found(root, "east") == dict.fromkeys(KEYS, "unknown")


@pytest.mark.parametrize(("behind_s", "word"), [(0.0, "found"), (0.7 * LAG_S, "found"), (1.5 * LAG_S, "lost")])
def test_a_replica_that_lags_behind_is_asked_again_until_it_has_had_its_time(
    root: Path, behind_s: float, word: str
) -> None:
    time = Time()
    read_back(
        root,
        LedgerPlan(),
        [region("east", ["e"])],
        lambda *_: Asked(lambda path: 200 if path.endswith("/a") or time.now_s >= behind_s else 404),
        clock=time.clock,
    )
    assert found(root, "east") == {"a": "found", "b/ü": word, "c": word}


def test_a_replica_that_never_gets_a_write_does_not_hide_behind_the_others(root: Path) -> None:
    read_back(
        root,
        LedgerPlan(),
        [region("east", ["good", "poor", "fine"])],
        lambda _, __, replica, ___: Asked(lambda _: 404 if replica.name == "poor" else 200),
        clock=Time().clock,
    )
    assert sorted(found(root, "east").values()) == ["found", "found", "lost"]


def test_what_was_missing_when_the_time_was_over_is_unknown(root: Path) -> None:
    read_back(
        root,
        LedgerPlan(),
        [region("east", ["e"])],
        lambda *_: Asked(lambda _: 404),
        limit=lambda _: LAG_S / 2,
        clock=Time().clock,
    )
    assert found(root, "east") == dict.fromkeys(KEYS, "unknown")


def test_many_writes_have_more_time() -> None:
    assert limit_s(12_000) == 300
