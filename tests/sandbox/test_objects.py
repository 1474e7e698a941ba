from __future__ import annotations

import pytest

from sandbox.clock import NS_PER_S, micro_timestamp, parse_timestamp, timestamp
from sandbox.objects import available_in_s, matches, merge_condition
from tests.sandbox.builders import T0_NS, at, condition, pod


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"key": "app", "operator": "In", "values": ["web", "api"]}, True),
        ({"key": "app", "operator": "NotIn", "values": ["web"]}, False),
        ({"key": "tier", "operator": "NotIn", "values": ["web"]}, True),
        ({"key": "app", "operator": "Exists"}, True),
        ({"key": "tier", "operator": "Exists"}, False),
        ({"key": "tier", "operator": "DoesNotExist"}, True),
    ],
)
def test_selector_expressions(expression: dict[str, object], expected: bool) -> None:
    assert matches({"matchExpressions": [expression]}, {"app": "web"}) is expected


def test_all_labels_of_a_selector_must_match() -> None:
    assert matches({"matchLabels": {"app": "web"}}, {"app": "web", "tier": "front"})
    assert not matches({"matchLabels": {"app": "web", "tier": "back"}}, {"app": "web", "tier": "front"})


def test_a_condition_keeps_its_transition_time_while_its_status_stays() -> None:
    before = [condition("Ready", "False", "a"), condition("Other", "True")]
    same = merge_condition(before, {"type": "Ready", "status": "False", "reason": "b"}, T0_NS + NS_PER_S)
    assert same[0] == {"type": "Ready", "status": "False", "reason": "b", "lastTransitionTime": at(0)}
    assert same[1] is before[1]
    changed = merge_condition(before, {"type": "Ready", "status": "True"}, T0_NS + NS_PER_S)
    assert changed[0] == {"type": "Ready", "status": "True", "lastTransitionTime": at(1)}


def test_a_pod_is_available_when_it_was_ready_for_long_enough() -> None:
    assert available_in_s(pod(ready=False), 0, T0_NS) is None
    assert available_in_s(pod(), 0, T0_NS) == 0
    assert available_in_s(pod(), 10, T0_NS + 4 * NS_PER_S) == 6
    assert available_in_s(pod(), 10, T0_NS + 11 * NS_PER_S) == 0


def test_times_are_written_as_kubernetes_writes_them() -> None:
    now_ns = 1_800_000_000_123_456_789
    assert timestamp(now_ns) == "2027-01-15T08:00:00Z"
    assert micro_timestamp(now_ns) == "2027-01-15T08:00:00.123456Z"
    assert parse_timestamp(timestamp(now_ns)) == 1_800_000_000_000_000_000
    assert parse_timestamp(micro_timestamp(now_ns)) == 1_800_000_000_123_456_000
