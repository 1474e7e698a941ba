from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from gameday.observe.roles import Role, RolePlan, role_in


@pytest.mark.parametrize(
    ("status", "role"),
    [
        ({"role": "leader", "term": 3, "region": "east"}, Role(True, 3, "east")),
        ({"role": "follower", "term": 3, "region": "east"}, Role(False, 3, "east")),
        ({"role": "candidate"}, Role(False, None, "")),
        ({"role": "leader", "term": True, "region": 7}, Role(True, None, "")),
    ],
)
def test_an_answer_tells_a_role_and_where_it_has_them_term_and_region(status: object, role: Role) -> None:
    assert role_in(json.dumps({"raft_status": status}).encode(), "raft_status") == role


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"raft_status": 1}', b'{"raft_status": {"role": 1}}', b"\xff"])
def test_an_answer_that_tells_no_role_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - what is wrong with it is no matter
        role_in(body, "raft_status")


def test_by_default_the_reference_service_is_asked() -> None:
    plan = RolePlan.model_validate({})
    assert (plan.deployment, plan.port, plan.path, plan.reach) == (
        "orchestration-agent",
        8094,
        "/health",
        "direct",
    )


@pytest.mark.parametrize("wrong", [{"port": 0}, {"path": "health"}, {"reach": "magic"}, {"deployment": ""}, {"x": 1}])
def test_what_cannot_be_asked_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        RolePlan.model_validate(wrong)
