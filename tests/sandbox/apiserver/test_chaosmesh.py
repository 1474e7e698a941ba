from __future__ import annotations

from typing import Any

import pytest

from sandbox.apiserver.catalogue import Kind
from sandbox.apiserver.objects import KubeObject
from sandbox.apiserver.registry import Write
from sandbox.apiserver.status import BadRequest, Forbidden, Invalid, UnsupportedMediaType
from tests.sandbox.apiserver.bodies import CATALOGUE, Region

NETWORK_CHAOS, POD_CHAOS = CATALOGUE.named("NetworkChaos"), CATALOGUE.named("PodChaos")
SELECTOR = {"labelSelectors": {"app": "web"}}
TARGET = {"mode": "all", "selector": {"labelSelectors": {"app": "db"}}}


def delay(**spec: Any) -> KubeObject:
    """A NetworkChaos that delays one pod by 100 ms; a field given as None is left out."""
    wanted = {"action": "delay", "mode": "one", "selector": dict(SELECTOR), "delay": {"latency": "100ms"}, **spec}
    return {"metadata": {"name": "slow"}, "spec": {name: each for name, each in wanted.items() if each is not None}}


def partition(**spec: Any) -> KubeObject:
    return delay(action="partition", delay=None, **spec)


def kill(**spec: Any) -> KubeObject:
    return {"metadata": {"name": "kill"}, "spec": {"action": "pod-kill", "mode": "one", "selector": SELECTOR, **spec}}


def refusal(kind: Kind, body: KubeObject, error: type[Invalid] | type[Forbidden]) -> str:
    with pytest.raises(error) as refused:
        Region().create(kind, body)
    return refused.value.message


def test_what_is_left_out_is_filled_in_as_by_chaos_mesh() -> None:
    created = Region().create(NETWORK_CHAOS, delay(target={"mode": "one", "selector": {}}))
    assert created["spec"] == {
        "action": "delay",
        "mode": "one",
        "direction": "to",
        "selector": {**SELECTOR, "namespaces": ["default"]},
        "target": {"mode": "one", "selector": {"namespaces": ["default"]}},
        "delay": {"latency": "100ms", "correlation": "0", "jitter": "0ms"},
    }


def test_namespaces_that_are_given_stay() -> None:
    created = Region().create(POD_CHAOS, kill(selector={"namespaces": ["tars"]}))
    assert created["spec"]["selector"] == {"namespaces": ["tars"]}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (delay(action=None), "spec.action: Required value"),
        (delay(mode=None), "spec.mode: Required value"),
        (delay(delay={}), "spec.delay.latency: Required value"),
        (delay(action="slow"), 'spec.action: Unsupported value: "slow"'),
        (delay(mode="some"), 'spec.mode: Unsupported value: "some"'),
        (delay(direction="up"), 'spec.direction: Unsupported value: "up"'),
        (delay(delay={"latency": "soon"}), 'spec.delay.latency: Invalid value: "soon": spec.delay.latency in body'),
        (delay(delay={"latency": 100}), "spec.delay.latency in body must be of type string"),
        ({"metadata": {"name": "x"}}, "spec: Required value"),
    ],
)
def test_what_the_definition_rules_out_is_invalid(body: KubeObject, says: str) -> None:
    assert says in refusal(NETWORK_CHAOS, body, Invalid)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (delay(duration="soon"), 'spec.duration: Invalid value: "soon": parse duration field error'),
        (delay(mode="fixed", value="x"), 'spec.value: Invalid value: "x": parse value field error'),
        (delay(mode="fixed", value="--1"), "parse value field error"),
        (delay(mode="fixed"), "spec.value: "),
        (delay(mode="fixed", value="0"), "value must be greater than 0 with mode:fixed"),
        (delay(mode="fixed-percent", value="101"), "Must be (0,100] with mode:fixed-percent"),
        (delay(target={**TARGET, "mode": "fixed", "value": "0"}), "spec.target.value: "),
        (delay(delay={"latency": "1s", "correlation": "much"}), "spec.delay.correlation: Invalid value"),
        (delay(action="loss", loss={"loss": "101"}), 'spec.loss.loss: Invalid value: "101": must be from 0 to 100'),
        (delay(direction="from"), "`from` and `both` direction cannot be used when targets is empty"),
        (delay(direction="both", target=TARGET, externalTargets=["10.0.0.1"]), "external targets cannot be used"),
    ],
)
def test_what_chaos_mesh_refuses_is_refused_by_its_webhook(body: KubeObject, says: str) -> None:
    message = refusal(NETWORK_CHAOS, body, Forbidden)
    assert message.startswith('admission webhook "vnetworkchaos.kb.io" denied the request: spec.')
    assert says in message


@pytest.mark.parametrize(
    ("kind", "body", "field"),
    [
        (NETWORK_CHAOS, delay(action="bandwidth"), "spec.action"),
        (NETWORK_CHAOS, delay(action="corrupt"), "spec.action"),
        (NETWORK_CHAOS, delay(duplicate={"duplicate": "5"}), "spec.duplicate"),
        (NETWORK_CHAOS, delay(rate={"rate": "1mbit"}), "spec.rate"),
        (NETWORK_CHAOS, delay(delay={"latency": "1s", "reorder": {"reorder": "5", "gap": 1}}), "spec.delay.reorder"),
        (NETWORK_CHAOS, delay(device="wlan0"), "spec.device"),
        (NETWORK_CHAOS, delay(remoteCluster="west"), "spec.remoteCluster"),
        (NETWORK_CHAOS, delay(externalTargets=["10.0.0.0/8", "x.io"]), "spec.externalTargets[1]"),
        (NETWORK_CHAOS, partition(direction="both"), "spec.direction"),
        (POD_CHAOS, kill(action="pod-failure"), "spec.action"),
        (POD_CHAOS, kill(containerNames=["main"]), "spec.containerNames"),
    ],
)
def test_what_the_sandbox_does_not_implement_is_refused_by_name_and_never_ignored(
    kind: Kind, body: KubeObject, field: str
) -> None:
    message = refusal(kind, body, Forbidden)
    assert f"{field}: Forbidden: " in message
    assert "the sandbox does not implement it" in message


@pytest.mark.parametrize(
    "body",
    [delay(device="eth0", externalTargets=["10.0.0.1", "10.1.0.0/16"]), delay(direction="both", target=TARGET),
     partition(), partition(direction="both", target=TARGET), delay(action="netem", loss={"loss": "5"}),
     delay(mode="random-max-percent", value="50", duration="5m")],
)  # fmt: skip
def test_what_it_does_implement_is_taken(body: KubeObject) -> None:
    assert Region().create(NETWORK_CHAOS, body)["metadata"]["generation"] == 1


def test_a_spec_cannot_be_changed_but_a_status_can() -> None:
    region = Region()
    region.create(NETWORK_CHAOS, delay())
    key = ("default", "slow")

    def patch(body: KubeObject) -> KubeObject:
        return region.registry.patch(NETWORK_CHAOS, key, body, "application/merge-patch+json", "", Write())

    with pytest.raises(Forbidden, match="Cannot update chaos spec"):
        patch({"spec": {"delay": {"latency": "1s"}}})
    changed = patch({"status": {"experiment": {"desiredPhase": "Run"}}})
    assert changed["metadata"]["generation"] == 2, "without a status subresource a status counts as well"


def test_custom_kinds_take_no_strategic_patch() -> None:
    region = Region()
    region.create(POD_CHAOS, kill())
    with pytest.raises(UnsupportedMediaType):
        region.registry.patch(POD_CHAOS, ("default", "kill"), {}, "application/strategic-merge-patch+json", "", Write())


def test_an_unknown_field_is_warned_of_or_refused_as_asked() -> None:
    body = delay(latency="100ms")
    write = Write()
    region = Region()
    assert "latency" not in region.registry.create(NETWORK_CHAOS, "default", body, write)["spec"]
    assert write.warnings == ['unknown field "spec.latency"']
    with pytest.raises(BadRequest, match=r'unknown field "spec\.latency"'):
        region.registry.create(NETWORK_CHAOS, "default", body, Write(field_validation="Strict"))
