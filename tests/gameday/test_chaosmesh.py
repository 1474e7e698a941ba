"""What an experiment makes of Chaos Mesh's resources, and what each must be seen to do."""

from __future__ import annotations

from typing import Any

import pytest

from bundle.manifest import Effect
from gameday.chaosmesh import NETWORK, ChaosResource, duration_ns, effect_of, kind_made, resource_of, watched_in

MS = 1_000_000


def arguments(plural: str = "networkchaos", group: str = "chaos-mesh.org", **spec: Any) -> dict[str, Any]:
    """What `create_custom_object` is given to delay a pod, or whatever the spec says."""
    made = {"action": "delay", "mode": "one", "selector": {"labelSelectors": {"app": "x"}}, "delay": {"latency": "1ms"}}
    resource = {"metadata": {"name": "slow"}, "spec": made | spec}
    return {"group": group, "version": "v1alpha1", "plural": plural, "ns": "tars", "resource": resource}


def action(module: str, func: str, **arguments: Any) -> dict[str, Any]:
    """An action of a method."""
    return {"name": "a", "type": "action", "provider": {"module": module, "func": func, "arguments": arguments}}


@pytest.mark.parametrize(
    ("given", "kind", "count", "latency_ns"),
    [
        (arguments(), "delay", 1, MS),
        (arguments(delay={"latency": "100ms"}, mode="fixed", value="2"), "delay", 2, 100 * MS),
        (arguments(mode="all"), "delay", 1, MS),
        (arguments(selector={"namespaces": ["tars"], "labelSelectors": {"app": "x"}}), "delay", 1, MS),
        (arguments("podchaos", action="pod-kill"), "pods-replaced", 1, 0),
        (arguments("podchaos", action="pod-kill", mode="fixed", value="3"), "pods-replaced", 3, 0),
    ],
)
def test_a_delay_and_a_kill_say_what_must_be_seen(
    given: dict[str, Any], kind: str, count: int, latency_ns: int
) -> None:
    expected = Effect.model_validate(
        {
            "kind": kind,
            "activity": "slow-down",
            "context": "east",
            "namespace": "tars",
            "selector": "app=x",
            "count": count,
            "latency_ns": latency_ns,
        }
    )
    assert effect_of("slow-down", "east", given) == expected


@pytest.mark.parametrize(
    "given",
    [arguments(group="example.org"), arguments(action="loss"), arguments("podchaos", action="pod-failure")],
)
def test_what_cannot_be_seen_gives_no_effect(given: dict[str, Any]) -> None:
    assert effect_of("a", "east", given) is None


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (arguments(selector={"namespaces": ["other"]}), "only on pods of tars"),
        (arguments(selector={"pods": {"tars": ["x-1"]}}), "only on pods of tars"),
        (arguments(target={"mode": "all", "selector": {}}), "leave out target and direction"),
        (arguments(direction="both"), "leave out target and direction"),
        (arguments(delay={"latency": "soon"}), "no duration"),
        ({**arguments(), "resource": "file.yaml"}, "in the experiment itself"),
    ],
)
def test_what_could_not_be_proven_is_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        effect_of("a", "east", given)


@pytest.mark.parametrize(
    ("text", "ns"),
    [("100ms", 100 * MS), ("1m30s", 90_000 * MS), ("1.5s", 1500 * MS), ("5m", 300_000 * MS), ("0ms", 0)],
)
def test_durations_are_read_as_go_writes_them(text: str, ns: int) -> None:
    assert duration_ns(text) == ns


@pytest.mark.parametrize("text", ["", "100", "ms", "5 m", "-1s", "1d"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no duration"):
        duration_ns(text)


@pytest.mark.parametrize(
    ("activity", "kind", "name"),
    [
        (action("chaosk8s.crd.actions", "create_custom_object", **arguments()), "networkchaos", "slow"),
        (action("chaosk8s.crd.actions", "create_custom_object", **arguments("iochaos")), "iochaos", "slow"),
        (action(NETWORK, "add_latency", name="late", ns="tars"), "networkchaos", "late"),
        (action(NETWORK, "set_loss", name="late", ns="tars"), "networkchaos", "late"),
    ],
)
def test_each_resource_that_is_made_is_known_by_its_name(activity: dict[str, Any], kind: str, name: str) -> None:
    made = ChaosResource(activity="a", context="east", namespace="tars", resource=kind, name=name)
    assert kind_made(activity) == kind
    assert resource_of(activity, "east", activity["provider"]["arguments"]) == made
    assert made.path == f"/apis/chaos-mesh.org/v1alpha1/namespaces/tars/{kind}/{name}"
    assert made.removal == f"kubectl --context east -n tars delete {kind} {name}"


@pytest.mark.parametrize(
    "activity",
    [
        action("chaosk8s.crd.actions", "create_custom_object", **arguments(group="example.org")),
        action(NETWORK, "delete_network_fault", name="late"),
        action("chaosk8s.pod.actions", "terminate_pods"),
        {"name": "p", "type": "probe", "provider": {"module": NETWORK, "func": "add_latency"}},
        {"ref": "elsewhere"},
    ],
)
def test_other_activities_make_none(activity: dict[str, Any]) -> None:
    assert kind_made(activity) == ""


def test_a_name_that_would_lead_elsewhere_is_refused() -> None:
    given = arguments()
    given["resource"]["metadata"]["name"] = "../../pods"
    with pytest.raises(ValueError, match="name"):
        resource_of(action("chaosk8s.crd.actions", "create_custom_object", **given), "east", given)


def test_each_context_watches_the_kinds_that_are_made_there() -> None:
    def made(context: str, resource: str) -> ChaosResource:
        return ChaosResource(activity="a", context=context, namespace="tars", resource=resource, name="x")

    resources = [made("east", "podchaos"), made("east", "iochaos"), made("west", "networkchaos")]
    assert watched_in(resources, "east") == ("podchaos",)
    assert watched_in(resources, "west") == ("networkchaos",)
    assert watched_in(resources, "south") == ()
