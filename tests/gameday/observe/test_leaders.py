"""Polling replicas that are scripted, and one over real HTTP."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest

from bundle.timeline import Entry
from gameday.observe.asking import Direct, NoAnswer, OutOfReach
from gameday.observe.leaders import leader_poll
from gameday.observe.polling import replicas_of
from gameday.observe.roles import RolePlan
from gameday.observe.sighting import Replica


def pod(name: str, owner: str = "orchestration-agent-5f7", ip: str = "127.0.0.9") -> dict[str, Any]:
    return {
        "metadata": {
            "name": name,
            "namespace": "tars",
            "uid": f"uid-{name}",
            "ownerReferences": [{"kind": "ReplicaSet", "name": owner}],
        },
        "status": {"podIP": ip} if ip else {},
    }


def until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 8
    while not what():
        assert time.monotonic() < deadline, "never came true"
        time.sleep(0.002)


class Region:
    """A region whose pods answer what a test says: a term to lead, 0 to follow, or an error."""

    def __init__(self, *names: str) -> None:
        self.pods = [pod(name) for name in names]
        self.says: dict[str, int | Exception] = dict.fromkeys(names, 0)
        self.entries: list[Entry] = []
        self.samples: list[tuple[str, str]] = []
        self.poll = leader_poll(
            SimpleNamespace(context="east"),  # type: ignore[arg-type]  # all that is used of it
            RolePlan(),
            lambda: list(self.pods),
            lambda _, __, replica: _Scripted(self, replica.name),
            self.entries.append,
            lambda series, source, _, __: self.samples.append((series, source)),
            time.monotonic_ns,
        )

    def told(self, kind: str) -> list[tuple[str, str]]:
        return [(entry.event, entry.name) for entry in self.entries if entry.kind == kind]

    def __enter__(self) -> Region:
        self.poll.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.poll.stop()


class _Scripted:
    def __init__(self, region: Region, name: str) -> None:
        self._region, self._name = region, name

    def get(self, path: str) -> tuple[int, bytes]:
        assert path == "/health"
        said = self._region.says[self._name]
        if isinstance(said, Exception):
            raise said
        status = {"role": "leader" if said else "follower", "term": said or 1, "region": "us-east-1"}
        return 200, json.dumps({"raft_status": status}).encode()

    def close(self) -> None:
        pass


def test_a_leader_that_changes_is_seen_from_the_one_to_the_other() -> None:
    region = Region("a", "b")
    region.says["a"] = 3
    with region:
        until(lambda: ("present", "a") in region.told("leader"))
        region.says["a"] = 0
        region.says["b"] = 4
        until(lambda: {("lost", "a"), ("seen", "b")} <= set(region.told("leader")))
    assert region.told("observer") == [("connected", "")]


def test_a_pod_that_leaves_the_api_is_asked_until_it_is_silent() -> None:
    """Its process may go on leading for a moment."""
    region = Region("a")
    region.says["a"] = 3
    with region:
        until(lambda: ("present", "a") in region.told("leader"))
        region.pods.clear()
        time.sleep(0.15)
        assert ("lost", "a") not in region.told("leader")
        region.says["a"] = NoAnswer("refused")
        until(lambda: ("lost", "a") in region.told("leader"))


def test_a_pod_that_comes_later_is_polled_too() -> None:
    region = Region("a")
    with region:
        region.says["b"] = 9
        region.pods.append(pod("b"))
        until(lambda: ("seen", "b") in region.told("leader"))


def test_replicas_that_refuse_are_no_blindness_but_silence_everywhere_is() -> None:
    region = Region("a", "b")
    with region:
        region.says.update(a=NoAnswer("refused"), b=OutOfReach("timed out"))
        time.sleep(0.15)
        assert region.told("observer") == [("connected", "")]
        region.says["a"] = OutOfReach("timed out")
        until(lambda: ("lost", "") in region.told("observer"))
        region.says["b"] = 0
        until(lambda: ("resumed", "") in region.told("observer"))
    lost = next(entry for entry in region.entries if entry.event == "lost")
    assert lost.attributes == {"watches": "leaders", "error": "no replica can be reached"}


def test_a_poll_that_breaks_says_so_and_never_claims_to_see_again() -> None:
    region = Region("a", "b")
    with region:
        region.says["a"] = RecursionError("of a defect")
        until(lambda: ("failed", "") in region.told("observer"))
        region.says["b"] = OutOfReach("timed out")
        region.pods.append(None)  # type: ignore[arg-type]  # and the look at the pods breaks, too
        until(lambda: region.told("observer").count(("failed", "")) == 2)
    assert region.told("observer") == [("connected", ""), ("failed", ""), ("failed", "")]
    errors = [entry.attributes["error"] for entry in region.entries if entry.event == "failed"]
    assert errors == ["RecursionError: of a defect", "TypeError: 'NoneType' object is not subscriptable"]


def test_the_region_of_a_context_is_known_though_none_of_its_replicas_ever_led() -> None:
    with Region("a", "b") as region:
        until(lambda: region.told("region") != [])
    assert set(region.told("region")) == {("named", "us-east-1")}
    assert region.told("leader") == []


def test_it_is_noted_how_far_apart_two_questions_were() -> None:
    region = Region("a")
    with region:
        until(lambda: ("poll.widest_s", "east/a") in region.samples)


def test_only_pods_of_the_deployment_that_have_an_address_are_asked() -> None:
    pods = [
        pod("a"),
        pod("b", owner="orchestration-agent-canary-5f7"),
        pod("c", ip=""),
        pod("d", owner="eval-engine-1"),
    ]
    assert replicas_of(pods, "east", "orchestration-agent") == (Replica("east", "tars", "a", "uid-a", "127.0.0.9"),)


class _Health(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    connections: list[Any] = []  # noqa: RUF012 - one server, one test

    def setup(self) -> None:
        super().setup()
        self.connections.append(self.client_address)

    def do_GET(self) -> None:
        self.send_response(503)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_asking_directly_keeps_its_connection_takes_any_status_and_tells_refusal_from_silence() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Health)
    port = server.server_address[1]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    asking = Direct("127.0.0.1", port)
    assert [asking.get("/health") for _ in range(3)] == [(503, b"{}")] * 3
    assert len(_Health.connections) == 1
    asking.close()
    server.shutdown()
    server.server_close()
    with pytest.raises(NoAnswer):
        asking.get("/health")
    unused = ThreadingHTTPServer(("127.0.0.1", 0), _Health)  # accepts, and nobody answers
    with pytest.raises(OutOfReach):
        Direct("127.0.0.1", unused.server_address[1]).get("/health")
    unused.server_close()
