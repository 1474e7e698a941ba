"""Whether the fault is proven."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bundle.manifest import Effect
from bundle.reader import Bundle
from bundle.timeline import Entry
from scorer.facts import read_facts
from scorer.planted import APP, CONTEXT, NAMESPACE, Plan
from scorer.proof import proven

PlantedBundle = Callable[..., Bundle]


def effect(**changes: object) -> Effect:
    return Effect.model_validate(
        {
            "kind": "pods-replaced",
            "activity": "kill",
            "context": CONTEXT,
            "namespace": NAMESPACE,
            "selector": f"app={APP}",
            **changes,
        }
    )


@pytest.mark.parametrize(
    ("effects", "ok", "says"),
    [
        (
            (effect(),),
            True,
            "1 of at least 1 pods with app=orchestration-agent in us-east-1 "
            "lost their UID after the fault began (agent-0)",
        ),
        (
            (effect(selector="app=other"),),
            False,
            "0 of at least 1 pods with app=other in us-east-1 lost their UID after the fault began",
        ),
        ((effect(selector="", name="^agent-0$"),), True, "1 of at least 1 pods with any label"),
        ((effect(name="^agent-2$"),), False, "0 of at least 1 pods"),
        ((effect(count=2),), False, "1 of at least 2 pods"),
        ((effect(context="eu-central-1"),), False, "0 of at least 1 pods"),
        ((effect(), effect(selector="app=other")), False, "0 of at least 1 pods with app=other"),
        ((), False, "the experiment's method injects no fault whose effect could be seen"),
        ((effect(kind="replicas", name=APP, count=2),), True, "was to have 2 ready replicas; seen: 2, 3"),
        ((effect(kind="replicas", name=APP, count=0),), False, "was to have 0 ready replicas; seen: 2, 3"),
        ((effect(kind="replicas", name="other", count=0),), False, "was to have 0 ready replicas; seen: no change"),
    ],
)
def test_each_effect_must_be_seen(planted: PlantedBundle, effects: tuple[Effect, ...], ok: bool, says: str) -> None:
    shown, line = proven(read_facts(planted(effects=effects)))
    assert shown is ok
    assert says in line


def test_a_pod_that_went_before_the_fault_proves_nothing(planted: PlantedBundle) -> None:
    bundle = planted(Plan(pods_killed=0))
    at = bundle.manifest.phases[2].start_ns - 1
    gone = Entry(
        "pod", "deleted", at - 1, at, CONTEXT, NAMESPACE, "agent-0", "old-0", "watch", {"labels": {"app": APP}}
    )
    assert proven(read_facts(planted(Plan(pods_killed=0), extra=(gone,))))[0] is False


def test_a_pod_that_came_after_the_fault_and_went_again_proves_nothing(planted: PlantedBundle) -> None:
    bundle = planted(Plan(pods_killed=0))
    at = bundle.manifest.phases[3].start_ns
    crash = [
        Entry("pod", event, at - 1, at, CONTEXT, NAMESPACE, "agent-9", "new-9", "watch", {"labels": {"app": APP}})
        for event in ("added", "deleted")
    ]
    assert proven(read_facts(planted(Plan(pods_killed=0), extra=tuple(crash))))[0] is False


def test_no_recorded_fault_proves_nothing(planted: PlantedBundle) -> None:
    bundle = planted(keep=lambda entry: entry.kind != "fault")
    assert proven(read_facts(bundle)) == (False, "no fault was recorded to have begun")
