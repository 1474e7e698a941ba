"""Actions and probes that ask who leads, against a service that is scripted."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from chaoslib.exceptions import ActivityFailed

from gameday import actions
from gameday.actions import lead_from, scale_back
from gameday.probes import another_region_leads, leading_region
from gameday.undo import Replicas, Undo, UndoRecord


class Service(ThreadingHTTPServer):
    """Says who leads, and lets the lead go to the region asked for where `obeys`."""

    def __init__(self, leader: str, obeys: bool = True) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.leader, self.obeys, self.asked = leader, obeys, 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Service

    def do_GET(self) -> None:
        self._answer({"raft_status": {"leader": self.server.leader}})

    def do_POST(self) -> None:
        wanted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["region"]
        self.server.asked += 1
        if self.server.obeys:
            self.server.leader = wanted
        self._answer({})

    def _answer(self, body: dict[str, Any]) -> None:
        raw = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service("west")
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def test_a_leader_elsewhere_is_asked_to_hand_over(service: Service) -> None:
    assert lead_from("east", service.url, timeout=5) == "east"
    assert (service.leader, service.asked) == ("east", 1)


def test_a_leader_that_is_there_already_is_left_alone(service: Service) -> None:
    assert lead_from("west", service.url, timeout=5) == "west"
    assert service.asked == 0


def test_a_leader_that_does_not_come_fails_the_action(service: Service) -> None:
    service.obeys = False
    with pytest.raises(ActivityFailed, match="did not come to east"):
        lead_from("east", service.url, timeout=0)


def test_it_is_told_whether_another_region_leads(service: Service) -> None:
    assert another_region_leads("east", service.url, timeout=0)
    assert not another_region_leads("west", service.url, timeout=0)
    service.leader = ""
    assert not another_region_leads("west", service.url, timeout=0)


def test_a_service_that_does_not_answer_knows_no_leader() -> None:
    assert leading_region("http://127.0.0.1:1") == ""


class Scaled:
    """What was scaled to what."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, int, str]] = []

    def __call__(self, name: str, replicas: int, ns: str, **_: object) -> None:
        self.calls.append((name, replicas, ns))


@pytest.fixture
def scaled(monkeypatch: pytest.MonkeyPatch) -> Scaled:
    made = Scaled()
    monkeypatch.setattr(actions, "scale_deployment", made)
    monkeypatch.setenv("KUBERNETES_CONTEXT", "east")
    monkeypatch.delenv("GAMEDAY_BUNDLE", raising=False)
    return made


def test_a_deployment_gets_the_replicas_that_it_had_before_the_drill(
    scaled: Scaled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [
        Replicas(context=context, namespace="tars", deployment="agent", replicas=replicas)
        for context, replicas in (("west", 7), ("east", 5))
    ]
    Undo(tmp_path, UndoRecord(state="armed", before=tuple(before)))._save()
    monkeypatch.setenv("GAMEDAY_BUNDLE", str(tmp_path))
    assert scale_back("agent", "tars", otherwise=3) == 5
    assert scaled.calls == [("agent", 5, "tars")]


def test_outside_a_drill_it_gets_what_the_experiment_says(scaled: Scaled) -> None:
    assert scale_back("agent", "tars", otherwise=3) == 3
    assert scaled.calls == [("agent", 3, "tars")]


def test_a_cluster_that_refuses_fails_the_rollback(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise ActivityFailed("no")

    monkeypatch.setattr(actions, "scale_deployment", refuse)
    with pytest.raises(ActivityFailed):
        scale_back("agent", "tars", otherwise=3)
