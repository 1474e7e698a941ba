"""What an action must be seen to do, read from its own arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from bundle.manifest import Effect
from gameday.effects import effects_of


def action(func: str, module: str = "chaosk8s.pod.actions", **arguments: object) -> dict[str, Any]:
    """An action of a method."""
    return {
        "name": "break-it",
        "type": "action",
        "provider": {"type": "python", "module": module, "func": func, "arguments": arguments},
    }


def as_written(activity: Mapping[str, Any]) -> tuple[Mapping[str, Any], None]:
    """Arguments as they stand, and no context of its own."""
    return activity["provider"]["arguments"], None


@pytest.mark.parametrize(
    ("activity", "effect"),
    [
        (
            action("terminate_pods", label_selector="app=x", ns="tars", qty=2),
            Effect(kind="pods-replaced", activity="break-it", context="c", namespace="tars", selector="app=x", count=2),
        ),
        # a percentage or `all` kills at least one; how many, only the cluster knows
        (
            action("terminate_pods", label_selector="app=x", ns="tars", mode="percentage", qty=50),
            Effect(kind="pods-replaced", activity="break-it", context="c", namespace="tars", selector="app=x", count=1),
        ),
        (
            action("terminate_pods", name_pattern="^x-", all=True, qty=5),
            Effect(kind="pods-replaced", activity="break-it", context="c", namespace="default", name="^x-", count=1),
        ),
        (
            action("scale_deployment", "chaosk8s.deployment.actions", name="x", ns="tars", replicas=0),
            Effect(kind="replicas", activity="break-it", context="c", namespace="tars", name="x", count=0),
        ),
        (
            action("load_rises", "gameday.peak", deployment="x", ns="tars"),
            Effect(kind="load-step", activity="break-it", context="c", namespace="tars", name="x"),
        ),
    ],
)
def test_a_known_action_says_what_must_be_seen(activity: dict[str, Any], effect: Effect) -> None:
    assert effects_of([activity], "c", as_written) == (effect,)


LOSS = {
    "group": "chaos-mesh.org",
    "plural": "networkchaos",
    "ns": "tars",
    "resource": {"metadata": {"name": "lossy"}, "spec": {"action": "loss"}},
}


@pytest.mark.parametrize(
    "activity",
    [
        action("create_custom_object", "chaosk8s.crd.actions", **LOSS),
        action("set_loss", "chaosk8s.chaosmesh.network.actions", name="lossy", ns="tars"),
        action("stress_cpu", "chaosk8s.chaosmesh.stress.actions", name="lossy", ns="tars"),
    ],
)
def test_a_chaos_resource_whose_effect_cannot_be_seen_must_be_injected_at_least(activity: dict[str, Any]) -> None:
    expected = Effect(kind="injected", activity="break-it", context="c", namespace="tars", name="lossy")
    assert effects_of([activity], "c", as_written) == (expected,)


def test_an_action_that_names_its_own_context_is_looked_for_there() -> None:
    (effect,) = effects_of([action("terminate_pods")], "c", lambda a: (a["provider"]["arguments"], "us-west-2"))
    assert effect.context == "us-west-2"


@pytest.mark.parametrize(
    "activity",
    [
        action("exec_in_pods", cmd="true"),
        action("delete_network_fault", "chaosk8s.chaosmesh.network.actions", name="lossy", ns="tars"),
        action("create_custom_object", "chaosk8s.crd.actions", **{**LOSS, "group": "example.org"}),
        {**action("terminate_pods"), "type": "probe"},
        {"name": "by-process", "type": "action", "provider": {"type": "process", "path": "kubectl"}},
        {"ref": "elsewhere"},
    ],
)
def test_what_cannot_be_proven_gives_no_effect(activity: dict[str, Any]) -> None:
    assert effects_of([activity], "c", as_written) == ()
