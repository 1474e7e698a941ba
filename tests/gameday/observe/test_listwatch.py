"""Watching a real API server through a connection that can be cut: nothing is lost, nothing comes twice."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from bundle.timeline import Entry
from gameday.cluster import ApiError, Cluster
from gameday.observe.listwatch import ListWatch
from tests.gameday.kubernetes import use

Wait = Callable[[Callable[[], bool]], None]


class Cutter:
    """A TCP relay in front of the API server that cuts every connection when told to."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = socket.create_server((host, 0))
        self.port = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Drop every connection that is open now."""
        with self._lock:
            doomed, self._open = self._open, []
        for connection in doomed:
            with closing(connection):
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue

    def close(self) -> None:
        """Stop relaying."""
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(self._target)
            with self._lock:
                self._open += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._relay, args=(source, sink), daemon=True).start()

    @staticmethod
    def _relay(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            return


@pytest.fixture
def cutter(cluster: Cluster) -> Iterator[Cutter]:
    """A relay to the test's API server."""
    host, _, port = cluster._host.removeprefix("https://").partition(":")
    relay = Cutter(host, int(port))
    yield relay
    relay.close()


@pytest.fixture
def through(cutter: Cutter, kubeconfig: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """The cluster, reached through the relay."""
    config = yaml.safe_load(kubeconfig.read_text())
    server = config["clusters"][0]["cluster"]
    server["server"] = f"{server['server'].rpartition(':')[0]}:{cutter.port}"
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    use(path, monkeypatch)
    return Cluster.from_kubeconfig("us-east-1")


@pytest.fixture
def wait() -> Wait:
    """Wait until something is so, or fail."""

    def until(so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 20
        while not so():
            assert time.monotonic() < deadline, "it never came"
            time.sleep(0.005)

    return until


class Watching:
    """A list watch on a thread of its own, and what it wrote."""

    def __init__(self, cluster: Cluster, watches: str = "pods", lateness_ns: int = 1_000_000) -> None:
        self.entries: list[Entry] = []
        self.watch = ListWatch(cluster, watches, self.entries.append, time.time_ns, lambda: lateness_ns)
        self._thread = threading.Thread(target=self.watch.run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it."""
        self.watch.stop()
        self._thread.join(5)
        assert not self._thread.is_alive()

    def pods(self) -> list[tuple[str, str]]:
        """(event, name) of every pod that was there, came or went."""
        return [(e.event, e.name) for e in self.entries if e.kind == "pod" and e.event != "modified"]

    def observer(self) -> list[str]:
        """What the observer said of itself."""
        return [e.event for e in self.entries if e.kind == "observer"]


def test_what_was_there_and_what_comes_and_goes_is_told_once(cluster: Cluster, objects: Any, wait: Wait) -> None:
    objects.pod("old")
    watching = Watching(cluster)
    wait(watching.watch.synced.is_set)
    objects.pod("new")
    objects.delete("pods", "old")
    wait(lambda: ("deleted", "old") in watching.pods())
    watching.stop()
    assert watching.pods() == [("present", "old"), ("added", "new"), ("deleted", "old")]
    assert watching.observer() == ["connected"]


def test_a_watched_event_is_bounded_by_how_late_news_may_be(cluster: Cluster, objects: Any, wait: Wait) -> None:
    watching = Watching(cluster, lateness_ns=7_000_000)
    wait(watching.watch.synced.is_set)
    time.sleep(0.05)  # past the time in which a new stream may still bring old news
    before_ns = time.time_ns()
    objects.pod("new")
    after_ns = time.time_ns()
    wait(lambda: ("added", "new") in watching.pods())
    watching.stop()
    (added,) = [e for e in watching.entries if e.event == "added"]
    assert added.latest_ns - added.earliest_ns == 7_000_000
    assert added.latest_ns >= before_ns
    assert added.earliest_ns <= after_ns


def test_a_cut_connection_is_resumed_and_nothing_is_lost_or_doubled(
    through: Cluster, cutter: Cutter, objects: Any, wait: Wait
) -> None:
    watching = Watching(through)
    wait(watching.watch.synced.is_set)
    names = [f"pod-{number}" for number in range(40)]
    for number, name in enumerate(names):
        if number % 8 == 4:
            cutter.cut()
        objects.pod(name)
    wait(lambda: ("added", names[-1]) in watching.pods())
    for name in names:
        objects.delete("pods", name)
    wait(lambda: ("deleted", names[-1]) in watching.pods())
    watching.stop()
    assert watching.pods() == [("added", n) for n in names] + [("deleted", n) for n in names]
    assert all(entry.earliest_ns <= entry.latest_ns for entry in watching.entries)


def test_what_happened_while_blind_is_dated_back_to_the_last_contact(
    through: Cluster, cutter: Cutter, objects: Any, wait: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    watching = Watching(through)
    wait(watching.watch.synced.is_set)
    blind = threading.Event()
    real = Cluster.watch

    def refuse(self: Cluster, *args: Any, **kwargs: Any) -> Any:
        if blind.is_set():
            raise ApiError(503, "no")
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Cluster, "watch", refuse)
    blind.set()
    cutter.cut()
    wait(lambda: "lost" in watching.observer())
    objects.pod("unseen")
    created_ns = time.time_ns()
    time.sleep(0.3)
    blind.clear()
    wait(lambda: ("added", "unseen") in watching.pods())
    watching.stop()
    (added,) = [e for e in watching.entries if e.event == "added"]
    assert added.earliest_ns <= created_ns <= added.latest_ns
    assert watching.observer() == ["connected", "lost", "resumed"]


def test_an_observer_that_is_refused_says_so_and_ends(
    kubeconfig: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wait: Wait
) -> None:
    config = yaml.safe_load(kubeconfig.read_text())
    config["users"][0]["user"]["token"] = "wrong"
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config))
    use(tmp_path / "kubeconfig", monkeypatch)
    watching = Watching(Cluster.from_kubeconfig("us-east-1"))
    wait(lambda: "failed" in watching.observer())
    watching.stop()
    (failed,) = [e for e in watching.entries if e.event == "failed"]
    assert "401" in str(failed.attributes["error"])
