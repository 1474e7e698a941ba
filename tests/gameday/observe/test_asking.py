"""Asking through an API server that is scripted; asking directly is in test_leaders."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import urllib3.exceptions

from gameday.observe.asking import Direct, NoAnswer, OutOfReach, Proxied, asking
from gameday.observe.roles import RolePlan
from gameday.observe.sighting import Replica

REPLICA = Replica("east", "tars", "agent-1", "uid", "127.0.0.1")


def cluster(answer: tuple[int, bytes] | Exception, asked: list[str]) -> Any:
    def read(path: str, *, timeout_s: float) -> tuple[int, bytes]:
        asked.append(f"{path} within {timeout_s:g} s")
        if isinstance(answer, Exception):
            raise answer
        return answer

    return SimpleNamespace(read=read)


def test_the_api_server_asks_the_pod_in_our_place_and_passes_on_any_status() -> None:
    asked: list[str] = []
    proxied = Proxied(cluster((503, b'{"raft_status": {}}'), asked), REPLICA, 8094)
    assert proxied.get("/health") == (503, b'{"raft_status": {}}')
    assert asked == ["/api/v1/namespaces/tars/pods/agent-1:8094/proxy/health within 0.5 s"]


def test_what_the_api_server_itself_says_is_no_answer_of_the_pod() -> None:
    """Its 404 must not be taken for a lost write."""
    proxied = Proxied(cluster((404, b'{"kind": "Status", "code": 404}'), []), REPLICA, 8094)
    with pytest.raises(NoAnswer, match="HTTP 404"):
        proxied.get("/api/v1/tasks/k")


def test_an_api_server_that_does_not_answer_is_out_of_reach() -> None:
    with pytest.raises(OutOfReach):
        Proxied(cluster(urllib3.exceptions.HTTPError("no"), []), REPLICA, 8094).get("/health")


@pytest.mark.parametrize(("reach", "kind"), [("direct", Direct), ("proxy", Proxied)])
def test_a_plan_says_which_way(reach: str, kind: type) -> None:
    made = asking(RolePlan.model_validate({"reach": reach}), cluster((200, b""), []), REPLICA)
    assert isinstance(made, kind)
    made.close()
