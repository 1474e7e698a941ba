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
from kubernetes.client.exceptions import ApiException

from bundle.timeline import Entry, TimelineWriter
from gameday import actions
from gameday.actions import lead_from, remove_chaos, scale_back
from gameday.chaosmesh import ChaosResource
from gameday.probes import another_region_leads, chaos_came_to, leading_region
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


class CustomObjects:
    """An API server that has a chaos resource of these conditions for so many looks."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, looks: int, *conditions: str, refuses: int = 0) -> None:
        self.looks, self.conditions, self.refuses, self.deleted = looks, conditions, refuses, 0
        for module in ("actions", "probes"):
            monkeypatch.setattr(f"gameday.{module}.create_k8s_api_client", lambda _: None)
            monkeypatch.setattr(f"gameday.{module}.client.CustomObjectsApi", lambda _: self)
            monkeypatch.setattr(f"gameday.{module}.LOOK_S", 0.001)

    def get_namespaced_custom_object(self, *where: str) -> dict[str, Any]:
        assert where == ("chaos-mesh.org", "v1alpha1", "tars", "networkchaos", "slow")
        self.looks -= 1
        if self.looks < 0:
            raise ApiException(status=404)
        conditions = [{"type": each, "status": "True"} for each in self.conditions]
        return {"metadata": {"uid": "uid-1"}, "status": {"conditions": conditions}}

    def delete_namespaced_custom_object(self, *where: str, body: Any) -> None:
        if self.refuses:
            raise ApiException(status=self.refuses, reason="Forbidden")
        self.get_namespaced_custom_object(*where)
        assert body.preconditions.uid == "uid-1"
        self.deleted += 1


def test_a_chaos_resource_is_removed_once_and_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    api = CustomObjects(monkeypatch, 3)
    assert remove_chaos("networkchaos", "slow", "tars") is True
    assert (api.deleted, api.looks) == (1, -1)


@pytest.mark.parametrize(("made", "deleted"), [("uid-1", 1), ("uid-2", 0), ("", 0)])
def test_in_a_drill_only_what_the_drill_made_is_removed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, made: str, deleted: int
) -> None:
    slow = ChaosResource(activity="a", context="east", namespace="tars", resource="networkchaos", name="slow")
    Undo(tmp_path, UndoRecord(state="armed", before=(), chaos=(slow,)))._save()
    timeline = TimelineWriter(tmp_path / "timeline.jsonl")
    timeline.append(Entry("creation", "made" if made else "refused", 1, 1, uid=made, attributes={"activity": "a"}))
    timeline.close()
    monkeypatch.setenv("GAMEDAY_BUNDLE", str(tmp_path))
    api = CustomObjects(monkeypatch, 3)
    secrets = {"KUBERNETES_CONTEXT": "east"}
    assert remove_chaos("networkchaos", "slow", "tars", secrets=secrets) is bool(deleted)
    assert api.deleted == deleted


def test_where_there_is_none_nothing_needs_to_be_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    CustomObjects(monkeypatch, 0)
    assert remove_chaos("networkchaos", "slow", "tars") is False


def test_one_that_stays_or_cannot_be_removed_fails_the_activity(monkeypatch: pytest.MonkeyPatch) -> None:
    CustomObjects(monkeypatch, 10**6)
    with pytest.raises(ActivityFailed, match="still there after 0 s"):
        remove_chaos("networkchaos", "slow", "tars", timeout=0)
    CustomObjects(monkeypatch, 1, refuses=403)
    with pytest.raises(ActivityFailed, match="could not be removed: Forbidden"):
        remove_chaos("networkchaos", "slow", "tars")


def test_a_chaos_resource_comes_to_its_condition_or_is_told_not_to(monkeypatch: pytest.MonkeyPatch) -> None:
    CustomObjects(monkeypatch, 10**6, "Selected", "AllInjected")
    assert chaos_came_to("AllInjected", "networkchaos", "slow", "tars")
    assert not chaos_came_to("AllRecovered", "networkchaos", "slow", "tars", timeout=0)


def test_a_condition_is_not_waited_for_once_the_drill_is_to_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A delay may last for minutes."""
    CustomObjects(monkeypatch, 10**6)
    monkeypatch.setenv("GAMEDAY_BUNDLE", str(tmp_path))
    (tmp_path / "abort").touch()
    assert not chaos_came_to("AllRecovered", "networkchaos", "slow", "tars", timeout=600)
