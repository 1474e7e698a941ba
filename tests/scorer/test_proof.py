"""Whether the fault is proven."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bundle.manifest import Effect
from bundle.reader import Bundle
from bundle.timeline import Entry
from scorer.facts import read_facts
from scorer.planted import APP, CONTEXT, EPOCH_NS, NAMESPACE, Plan
from scorer.proof import proof_grounds, proven

PlantedBundle = Callable[..., Bundle]
S = 1_000_000_000
FAULT_NS = EPOCH_NS + 7 * S


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
        ((effect(activity="other"),), False, "other did not begin or did not succeed"),
        ((effect(kind="replicas", name=APP, count=2),), False, "was to have 2 ready replicas; seen: 2, 3"),
        ((effect(kind="replicas", name=APP, count=0),), False, "was to have 0 ready replicas; seen: 2, 3"),
        ((effect(kind="replicas", name="other", count=0),), False, "was to have 0 ready replicas; seen: no change"),
    ],
)
def test_each_effect_must_be_seen(planted: PlantedBundle, effects: tuple[Effect, ...], ok: bool, says: str) -> None:
    shown, line = proven(read_facts(planted(effects=effects)))
    assert shown is ok
    assert says in line


def begun(source: str, status: str = "succeeded") -> Entry:
    attributes = {"activity": "lose", "status": status}
    return Entry("fault", "begin", FAULT_NS + S, FAULT_NS + S, CONTEXT, source=source, attributes=attributes)


INJECTED = effect(kind="injected", activity="lose", name="lossy", selector="")


@pytest.mark.parametrize(
    ("effects", "seen", "ok", "says"),
    [
        ((effect(), INJECTED), (begun("watch"),), True, "lossy in us-east-1 was seen to be injected"),
        ((effect(), INJECTED), (), False, "lose did not begin or did not succeed"),
        ((effect(), INJECTED), (begun("watch", "failed"),), False, "lose did not begin or did not succeed"),
        # its action has returned, which says nothing of what was made
        ((effect(), INJECTED), (begun("control"),), False, "nobody saw that it was injected"),
        ((effect(selector="app=other"), INJECTED), (begun("watch"),), False, "0 of at least 1 pods"),
        ((INJECTED,), (begun("watch"),), False, "injects no fault whose effect could be seen"),
    ],
)
def test_what_was_only_injected_must_have_been_and_proves_nothing(
    planted: PlantedBundle, effects: tuple[Effect, ...], seen: tuple[Entry, ...], ok: bool, says: str
) -> None:
    facts = read_facts(planted(effects=effects, extra=seen))
    shown, line = proven(facts)
    assert (shown, says in line) == (ok, True), line
    assert [entry for entry in proof_grounds(facts).entries if entry in seen] == [
        entry for entry in seen if entry.attributes["status"] == "succeeded"
    ]


def marked(at_s: float, gone_s: float, **begin: str) -> tuple[Entry, ...]:
    """A pod that is marked for deletion and then gone, in seconds from the fault, and the begin of the action."""
    at, gone = FAULT_NS + round(at_s * S), FAULT_NS + round(gone_s * S)
    attributes = {"labels": {"app": APP}, "deleting": True}
    return (
        Entry("pod", "modified", at, at, CONTEXT, NAMESPACE, "agent-0", "old-0", "watch", attributes),
        Entry("pod", "deleted", gone, gone, CONTEXT, NAMESPACE, "agent-0", "old-0", "watch", attributes),
        Entry("fault", "begin", FAULT_NS, FAULT_NS, attributes={"activity": "kill", "status": "succeeded", **begin}),
    )


@pytest.mark.parametrize(
    ("entries", "ok"),
    [
        (marked(0.5, 8), True),
        (marked(0, 0), True),
        (marked(-0.5, 0.5), False),  # on its way out already
        (marked(1.5, 2), False),  # later than the action can have asked for
        (marked(0.5, 1, status="failed"), False),
        (marked(0.5, 1, output='["agent-0"]'), True),
        (marked(0.5, 1, output='["agent-2"]'), False),  # another one than the action took
        (marked(0.5, 1, output="[]"), False),
        (marked(0.5, 1, output='["agent-2", "age'), True),  # cut off: it names nobody
        (marked(0.5, 1, output="null"), True),
    ],
)
def test_a_victim_was_marked_as_the_action_was_at_work(
    planted: PlantedBundle, entries: tuple[Entry, ...], ok: bool
) -> None:
    bundle = planted(Plan(pods_killed=0), keep=lambda entry: entry.kind != "fault", extra=entries)
    assert proven(read_facts(bundle))[0] is ok


def status(at_s: float, desired: int, ready: int, event: str = "modified") -> Entry:
    at = FAULT_NS + round(at_s * S)
    attributes = {"desired": desired, "ready": ready}
    return Entry("deployment", event, at, at, CONTEXT, NAMESPACE, APP, "d", "watch", attributes)


@pytest.mark.parametrize(
    ("count", "entries", "ok"),
    [
        (0, (status(1, 0, 3), status(2, 0, 0)), True),
        (0, (status(1, 0, 3),), False),
        (3, (status(5, 3, 3),), False),  # it had three
        (0, (status(5, 3, 0), status(6, 3, 3)), False),  # crashed, not scaled
        (0, (status(5, 3, 3, "deleted"),), False),
        (0, (status(-1, 0, 0), status(5, 0, 0)), False),  # it had none
    ],
)
def test_replicas_must_be_scaled_to_their_number_after_the_action(
    planted: PlantedBundle, count: int, entries: tuple[Entry, ...], ok: bool
) -> None:
    scaled = (effect(kind="replicas", name=APP, count=count),)
    assert proven(read_facts(planted(Plan(pods_killed=0), effects=scaled, extra=entries)))[0] is ok


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
