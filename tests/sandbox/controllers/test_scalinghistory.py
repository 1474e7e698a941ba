from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.client import KubeObject
from sandbox.clock import NS_PER_S
from sandbox.controllers.scalinghistory import Bounds, History, Moment, Normalized, normalize

NOW_NS = 1000 * NS_PER_S
PODS_1_A_MINUTE = {"type": "Pods", "value": 1, "periodSeconds": 60}
HALF_A_MINUTE = {"type": "Percent", "value": 50, "periodSeconds": 60}


def moments(*given: tuple[float, int]) -> tuple[Moment, ...]:
    """(seconds ago, replicas)"""
    return tuple(Moment(replicas, NOW_NS - int(ago_s * NS_PER_S)) for ago_s, replicas in given)


def behavior(up: dict[str, Any] | None = None, down: dict[str, Any] | None = None) -> KubeObject:
    """As the API server stores it."""
    rules = {"selectPolicy": "Max", "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]}
    return {"scaleUp": {"stabilizationWindowSeconds": 0, **rules, **(up or {})}, "scaleDown": {**rules, **(down or {})}}


def normal(
    wanted: int,
    current: int,
    *,
    low: int = 1,
    high: int = 100,
    rules: KubeObject | None = None,
    **past: tuple[Moment, ...],
) -> Normalized:
    return normalize(wanted, Bounds(current, low, high), rules, 300.0, History(**past), NOW_NS)


@pytest.mark.parametrize(
    ("wanted", "current", "low", "high", "replicas", "limit"),
    [
        (3, 2, 1, 10, 3, "DesiredWithinRange"),
        (9, 2, 1, 10, 4, "ScaleUpLimit"),  # never more than four, or than twice as many, at once
        (30, 8, 1, 100, 16, "ScaleUpLimit"),
        (9, 2, 1, 3, 3, "TooManyReplicas"),
        (0, 3, 2, 10, 2, "TooFewReplicas"),
        (2, 2, 1, 10, 2, "DesiredWithinRange"),
    ],
)
def test_without_a_behavior_a_step_is_bounded(
    wanted: int, current: int, low: int, high: int, replicas: int, limit: str
) -> None:
    found = normal(wanted, current, low=low, high=high)
    assert (found.replicas, found.limit[0], found.limited) == (replicas, limit, limit != "DesiredWithinRange")


@pytest.mark.parametrize(
    ("ago_s", "replicas", "able"),
    [(299, 5, "ScaleDownStabilized"), (300, 5, "ScaleDownStabilized"), (300.5, 2, "ReadyForNewScale")],
)
def test_the_highest_recommendation_of_the_window_holds_back_the_way_down(
    ago_s: float, replicas: int, able: str
) -> None:
    found = normal(2, 5, recommended=moments((ago_s, 5), (10, 2)))
    assert (found.replicas, found.able[0]) == (replicas, able)


def test_the_way_up_is_not_held_back_by_lower_recommendations() -> None:
    assert normal(4, 2, recommended=moments((10, 2))).replicas == 4


def test_a_window_on_the_way_up_waits_for_the_lowest_recommendation_to_pass() -> None:
    slow = behavior(up={"stabilizationWindowSeconds": 60})
    held = normal(4, 2, rules=slow, recommended=moments((59, 2), (15, 4)))
    assert (held.replicas, held.able[0]) == (2, "ScaleUpStabilized")
    assert normal(4, 2, rules=slow, recommended=moments((60, 2), (15, 4))).replicas == 4
    assert normal(5, 2, rules=slow, recommended=moments((30, 3), (15, 4))).replicas == 3


def test_the_controllers_window_counts_on_the_way_down_where_the_behavior_names_none() -> None:
    past = {"recommended": moments((100, 5))}
    assert normal(2, 5, rules=behavior(), **past).replicas == 5
    assert normal(2, 5, rules=behavior(down={"stabilizationWindowSeconds": 60}), **past).replicas == 2


@pytest.mark.parametrize(
    ("why", "rules", "wanted", "past", "replicas", "limit"),
    [
        ("one more a minute", behavior(up={"policies": [PODS_1_A_MINUTE]}), 9, {}, 5, "ScaleUpLimit"),
        ("which is used up", behavior(up={"policies": [PODS_1_A_MINUTE]}), 9, {"added": moments((59, 1))}, 4,
         "ScaleUpLimit"),
        ("and free again", behavior(up={"policies": [PODS_1_A_MINUTE]}), 9, {"added": moments((60, 1))}, 5,
         "ScaleUpLimit"),
        ("what was taken away meanwhile may come back", behavior(up={"policies": [PODS_1_A_MINUTE]}), 9,
         {"removed": moments((20, 2))}, 7, "ScaleUpLimit"),
        ("half more, rounded up", behavior(up={"policies": [{**HALF_A_MINUTE, "value": 10}]}), 9, {}, 5,
         "ScaleUpLimit"),
        ("of two policies the larger change", behavior(up={"policies": [PODS_1_A_MINUTE, HALF_A_MINUTE]}), 9, {}, 6,
         "ScaleUpLimit"),
        ("or the smaller", behavior(up={"policies": [PODS_1_A_MINUTE, HALF_A_MINUTE], "selectPolicy": "Min"}), 9, {}, 5,
         "ScaleUpLimit"),
        ("or none", behavior(up={"selectPolicy": "Disabled"}), 9, {}, 4, "ScaleUpLimit"),
        ("the maximum before the rate", behavior(), 40, {}, 8, "ScaleUpLimit"),
        ("one fewer a minute", behavior(down={"policies": [PODS_1_A_MINUTE]}), 1, {}, 3, "ScaleDownLimit"),
        ("which is used up", behavior(down={"policies": [PODS_1_A_MINUTE]}), 1, {"removed": moments((30, 1))}, 4,
         "ScaleDownLimit"),
        ("of two policies the larger change",
         behavior(down={"policies": [PODS_1_A_MINUTE, HALF_A_MINUTE]}), 1, {}, 2, "ScaleDownLimit"),
        ("or the smaller",
         behavior(down={"policies": [PODS_1_A_MINUTE, HALF_A_MINUTE], "selectPolicy": "Min"}), 1, {}, 3,
         "ScaleDownLimit"),
        ("not on the way down", behavior(down={"selectPolicy": "Disabled"}), 1, {}, 4, "ScaleDownLimit"),
        ("within both", behavior(), 5, {}, 5, "DesiredWithinRange"),
    ],
)  # fmt: skip
def test_policies_bound_the_change_of_their_periods(
    why: str, rules: KubeObject, wanted: int, past: dict[str, tuple[Moment, ...]], replicas: int, limit: str
) -> None:
    found = normal(wanted, 4, rules=rules, **past)
    assert (found.replicas, found.limit[0]) == (replicas, limit), why


def test_the_bounds_of_the_spec_come_before_those_of_the_rate() -> None:
    assert normal(9, 4, high=6, rules=behavior()).limit[0] == "TooManyReplicas"
    assert normal(0, 4, low=2, rules=behavior()).limit[0] == "TooFewReplicas"


def test_changes_are_remembered_as_long_as_a_policy_asks_for_them() -> None:
    rules = behavior(up={"policies": [PODS_1_A_MINUTE]})
    history = History().scaled(2, 5, rules, NOW_NS).scaled(5, 4, rules, NOW_NS + 30 * NS_PER_S)
    assert history.added == (Moment(3, NOW_NS),)
    assert history.removed == (Moment(1, NOW_NS + 30 * NS_PER_S),)
    assert history.scaled(4, 6, rules, NOW_NS + 61 * NS_PER_S).added == (Moment(2, NOW_NS + 61 * NS_PER_S),)
    assert History().scaled(2, 5, None, NOW_NS) == History()


def test_the_present_number_is_the_first_recommendation_and_old_ones_are_forgotten() -> None:
    begun = History().begun(3, NOW_NS)
    assert begun.recommended == (Moment(3, NOW_NS),)
    assert begun.begun(9, NOW_NS) is begun
    kept = normal(2, 3, recommended=moments((400, 9), (200, 3))).history.recommended
    assert kept == (*moments((200, 3)), Moment(2, NOW_NS))


@given(
    wanted=st.integers(0, 50), current=st.integers(1, 20), low=st.integers(1, 5), above=st.integers(0, 15),
    recommended=st.lists(st.tuples(st.floats(0, 600), st.integers(1, 20)), max_size=6),
    with_behavior=st.booleans(), added=st.lists(st.tuples(st.floats(0, 60), st.integers(1, 9)), max_size=3),
)  # fmt: skip
def test_what_may_be_set_lies_within_the_spec_and_between_what_is_and_what_was_called_for(
    wanted: int, current: int, low: int, above: int, recommended: list[tuple[float, int]], with_behavior: bool,
    added: list[tuple[float, int]],
) -> None:  # fmt: skip
    current = min(max(current, low), low + above)  # as decided before: outside the spec the spec alone counts
    rules = behavior(up={"policies": [PODS_1_A_MINUTE]}, down={"policies": [HALF_A_MINUTE]}) if with_behavior else None
    past = {"recommended": moments(*recommended), "added": moments(*added)}
    found = normal(wanted, current, low=low, high=low + above, rules=rules, **past)
    assert low <= found.replicas <= low + above
    if wanted >= current:
        assert found.replicas >= current or rules is not None
    assert found.limited is (found.limit[0] != "DesiredWithinRange")
