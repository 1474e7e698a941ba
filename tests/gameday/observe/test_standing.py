from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from gameday.cluster import ApiError
from gameday.errors import BadInput, GuardRefused
from gameday.observe.asking import NoAnswer
from gameday.observe.roles import DelayPlan, RolePlan
from gameday.observe.standing import check_delays, check_leader


def region(name: str, deployment: bool = True) -> Any:
    def get(path: str) -> dict[str, Any]:
        if not deployment:
            raise ApiError(404, f"nothing at {path}")
        return {}

    owner = [{"kind": "ReplicaSet", "name": "orchestration-agent-1"}]
    pod = {"metadata": {"name": name, "uid": name, "ownerReferences": owner}, "status": {"podIP": "127.0.0.1"}}
    return SimpleNamespace(context=name, namespace="tars", get=get, list=lambda _: {"items": [pod]})


class Says:
    def __init__(self, role: str | None) -> None:
        self._role = role

    def get(self, _: str) -> tuple[int, bytes]:
        if self._role is None:
            raise NoAnswer("refused")
        return 200, json.dumps({"raft_status": {"role": self._role}}).encode()

    def close(self) -> None:
        pass


def check(regions: list[Any], roles: dict[str, str | None]) -> None:
    check_leader(regions, RolePlan(), lambda _, __, replica: Says(roles[replica.name]))


def test_a_leader_in_any_of_the_regions_will_do() -> None:
    check([region("east"), region("west")], {"east": None, "west": "leader"})


def test_one_region_alone_cannot_fail_over() -> None:
    with pytest.raises(BadInput, match="at least two regions"):
        check([region("east")], {"east": "leader"})


def test_a_region_without_the_deployment_is_refused_by_name() -> None:
    with pytest.raises(BadInput, match="no deployment orchestration-agent") as refused:
        check([region("east"), region("west", deployment=False)], {"east": "leader"})
    assert "context west" in str(refused.value)


@pytest.mark.parametrize(
    ("roles", "says"),
    [
        ({"east": "follower", "west": "candidate"}, "2 replicas told their role, and none of them leads"),
        ({"east": None, "west": None}, "no replica told its role at port 8094, /health, as raft_status.role"),
    ],
)
def test_without_a_leader_there_is_none_to_lose(roles: dict[str, str | None], says: str) -> None:
    with pytest.raises(GuardRefused, match=says):
        check([region("east"), region("west")], roles)


def delays(regions: list[Any], roles: dict[str, str | None]) -> None:
    check_delays(regions, DelayPlan(), lambda _, __, replica: Says(roles[replica.name]))


def test_pods_that_answer_can_be_measured() -> None:
    delays([region("east")], {"east": "follower"})


def test_one_that_does_not_answer_cannot_be_measured() -> None:
    with pytest.raises(GuardRefused, match="pod east doesn't answer at port 8094, /health: refused"):
        delays([region("east")], {"east": None})
    with pytest.raises(BadInput, match="no deployment orchestration-agent"):
        delays([region("east", deployment=False)], {})
