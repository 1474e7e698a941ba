"""Locust's own runner calls these; importing it patches the standard library, hence a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEADER = """
import json
from types import SimpleNamespace
from locust import User, task
from gameday.load.dispatcher import OneOfEach, WithoutLatecomers
class A(User):
    fixed_count = 1
class B(User):
    fixed_count = 1
nodes = [SimpleNamespace(id=name) for name in ("x_1", "y_2", "z_3")]
late = SimpleNamespace(id="w_9")
members = {node.id for node in nodes}
def deal(dispatcher, users=6):
    dispatcher.new_dispatch(users, users)
    return list(dispatcher)[-1]
"""
ONE_OF_EACH = """
dispatcher = OneOfEach(nodes, [A, B], lambda node: node in members)
rounds = [deal(dispatcher, 1)]
dispatcher.remove_worker(nodes[1])
rounds.append(deal(dispatcher))
dispatcher.add_worker(late)
rounds.append(deal(dispatcher))
dispatcher.add_worker(nodes[1])
rounds.append(deal(dispatcher))
members.clear()
rounds.append(deal(dispatcher))
print(json.dumps(rounds))
"""
WITHOUT_LATECOMERS = """
members.update(node.id for node in nodes)
dispatcher = WithoutLatecomers([*nodes, late], [A, B], lambda node: node in members)
before = deal(dispatcher, 2)
dispatcher.add_worker(late)
print(json.dumps([before, deal(dispatcher, 2)]))
"""


@pytest.fixture(scope="module")
def dealt() -> dict[str, list[dict[str, dict[str, int]]]]:
    """What was dealt in each round of each of the two."""
    script = HEADER + ONE_OF_EACH + WITHOUT_LATECOMERS
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    one, without = (json.loads(line) for line in done.stdout.splitlines())
    return {"one": one, "without": without}


EACH = {"A": 1, "B": 1}
NONE = {"A": 0, "B": 0}


def test_each_class_runs_once_on_each_worker_however_many_users_were_asked_for(
    dealt: dict[str, list[dict[str, dict[str, int]]]],
) -> None:
    assert dealt["one"][0] == {"x_1": EACH, "y_2": EACH, "z_3": EACH}


def test_a_lost_worker_is_not_made_up_for_and_a_late_one_gets_nothing(
    dealt: dict[str, list[dict[str, dict[str, int]]]],
) -> None:
    assert dealt["one"][1] == {"x_1": EACH, "z_3": EACH}
    assert dealt["one"][2] == {"x_1": EACH, "z_3": EACH, "w_9": NONE}


def test_one_that_was_only_thought_to_be_lost_goes_on(dealt: dict[str, list[dict[str, dict[str, int]]]]) -> None:
    assert dealt["one"][3] == {"x_1": EACH, "z_3": EACH, "w_9": NONE, "y_2": EACH}


def test_once_the_load_ends_nobody_is_started_again(dealt: dict[str, list[dict[str, dict[str, int]]]]) -> None:
    assert set(map(str, dealt["one"][4].values())) == {str(NONE)}


def test_users_who_wait_are_spread_as_locust_does_over_those_who_take_part(
    dealt: dict[str, list[dict[str, dict[str, int]]]],
) -> None:
    assert [sum(sum(users.values()) for users in one.values()) for one in dealt["without"]] == [2, 2]
    assert all("w_9" not in one for one in dealt["without"])
