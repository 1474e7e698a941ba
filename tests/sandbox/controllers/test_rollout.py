from __future__ import annotations

import copy

import pytest

from sandbox.controllers.rollout import (
    fence_posts,
    find_new,
    history_to_drop,
    new_annotations,
    new_replica_set,
    scales,
    template_hash,
)
from tests.sandbox.builders import deployment, replica_set

REVISION = "deployment.kubernetes.io/revision"


def rolling(surge: int | str, unavailable: int | str) -> dict[str, object]:
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "expected"),
    [
        (3, "25%", "25%", (1, 0)),  # surge is rounded up, unavailability down
        (10, "25%", "25%", (3, 2)),
        (2, 0, "1%", (0, 1)),  # both resolve to 0, which would stand still for ever
        (4, 2, 0, (2, 0)),
        (1, 0, 5, (0, 1)),  # no more can be unavailable than there are
    ],
)
def test_surge_and_unavailability_are_resolved_as_the_real_controller_does(
    replicas: int, surge: int | str, unavailable: int | str, expected: tuple[int, int]
) -> None:
    assert fence_posts(deployment(replicas=replicas, strategy=rolling(surge, unavailable))) == expected


@pytest.mark.parametrize(
    ("what", "replicas", "surge", "unavailable", "new", "old", "expected"),
    [
        # new and old: (size, available)
        ("begins with the surge", 3, 1, 0, (0, 0), (3, 3), {"new": 1}),
        ("waits for the new pod", 3, 1, 0, (1, 0), (3, 3), {}),
        ("takes an old pod for each available new one", 3, 1, 0, (1, 1), (3, 3), {"old": 2}),
        ("fills the room that an old pod left", 3, 1, 0, (1, 1), (2, 2), {"new": 2}),
        ("takes the last old pod", 3, 1, 0, (3, 3), (1, 1), {"old": 0}),
        ("is done", 3, 1, 0, (3, 3), (0, 0), {}),
        ("takes old pods first where none may be surplus", 3, 0, 1, (0, 0), (3, 3), {"old": 2}),
        ("keeps old pods while new ones fail", 3, 1, 0, (1, 0), (3, 2), {}),
        ("clears away unhealthy old pods first", 4, 2, 2, (2, 0), (4, 2), {"old": 2}),
        ("scales up in steps of the surge", 10, 3, 0, (0, 0), (10, 10), {"new": 3}),
        ("scales a lone set up at once", 8, 1, 0, (3, 3), (0, 0), {"new": 8}),
        ("scales a lone set down at once", 1, 1, 0, (3, 3), (0, 0), {"new": 1}),
        ("scales to none", 0, 1, 0, (3, 3), (0, 0), {"new": 0}),
    ],
)
def test_a_rolling_update(
    what: str,
    replicas: int,
    surge: int,
    unavailable: int,
    new: tuple[int, int],
    old: tuple[int, int],
    expected: dict[str, int],
) -> None:
    wanted = deployment(replicas=replicas, strategy=rolling(surge, unavailable))
    sets = replica_set("new", new[0], available=new[1]), replica_set("old", old[0], available=old[1])
    steps = scales(wanted, sets[0], [sets[1]])
    assert {step.replica_set["metadata"]["name"]: step.replicas for step in steps} == expected, what


def test_recreate_takes_all_old_pods_before_it_scales_the_new_set_up() -> None:
    wanted = deployment(replicas=3, strategy={"type": "Recreate"})
    new, old = replica_set("new", 0), replica_set("old", 3)
    assert [(step.replica_set["metadata"]["name"], step.replicas) for step in scales(wanted, new, [old])] == [
        ("old", 0)
    ]
    gone = replica_set("old", 0)
    assert [(step.replica_set["metadata"]["name"], step.replicas) for step in scales(wanted, new, [gone])] == [
        ("new", 3)
    ]


def test_a_paused_deployment_is_scaled_but_not_rolled_out() -> None:
    wanted = deployment(replicas=5, paused=True)
    (step,) = scales(wanted, None, [replica_set("old", 3)])
    assert (step.replica_set["metadata"]["name"], step.replicas) == ("old", 5)
    assert scales(wanted, replica_set("new", 1), [replica_set("old", 3)]) == []


def test_the_new_replica_set_is_named_labelled_and_owned_by_its_template() -> None:
    wanted = deployment(replicas=3)
    made = new_replica_set(wanted, [])
    digest = made["metadata"]["labels"]["pod-template-hash"]
    assert made["metadata"]["name"] == f"web-{digest}"
    assert set(digest) <= set("bcdfghjklmnpqrstvwxz2456789")
    assert made["spec"]["selector"]["matchLabels"] == {"app": "web", "pod-template-hash": digest}
    assert made["spec"]["template"]["metadata"]["labels"] == {"app": "web", "pod-template-hash": digest}
    assert made["spec"]["replicas"] == 3
    assert made["metadata"]["ownerReferences"] == [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "name": "web",
            "uid": "uid-web",
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]
    assert made["metadata"]["annotations"] == {
        REVISION: "1",
        "deployment.kubernetes.io/desired-replicas": "3",
        "deployment.kubernetes.io/max-replicas": "4",
    }


def test_a_replica_set_is_found_again_by_its_template() -> None:
    wanted = deployment()
    made = new_replica_set(wanted, [])
    made["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
    assert find_new(wanted, [made]) is made
    emptied = copy.deepcopy(wanted)
    emptied["spec"]["template"]["metadata"]["annotations"] = {}
    assert find_new(emptied, [made]) is made, "an empty map is as good as none"
    assert template_hash(emptied["spec"]["template"]) == template_hash(wanted["spec"]["template"])
    changed = copy.deepcopy(wanted)
    changed["spec"]["template"]["spec"]["containers"][0]["image"] = "example/app:2"
    assert find_new(changed, [made]) is None
    assert template_hash(changed["spec"]["template"]) != template_hash(wanted["spec"]["template"])


def test_a_rollback_gets_the_next_revision_and_remembers_its_earlier_ones() -> None:
    wanted = deployment()
    first = replica_set("first", 0, revision=1)
    annotations = new_annotations(wanted, first, [replica_set("second", 3, revision=2)])
    assert annotations[REVISION] == "3"
    assert annotations["deployment.kubernetes.io/revision-history"] == "1"
    first["metadata"]["annotations"] = annotations
    again = new_annotations(wanted, first, [replica_set("second", 3, revision=4)])
    assert again["deployment.kubernetes.io/revision-history"] == "1,3"


def test_the_annotations_that_belong_to_kubectl_alone_are_not_copied() -> None:
    wanted = deployment()
    wanted["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": "{}", "owner": "sre"}
    assert new_annotations(wanted, None, [])["owner"] == "sre"
    assert "kubectl.kubernetes.io/last-applied-configuration" not in new_annotations(wanted, None, [])


def test_only_empty_replica_sets_beyond_the_history_limit_are_dropped_oldest_revision_first() -> None:
    wanted = deployment(revisionHistoryLimit=2)
    old = [replica_set(f"r{revision}", 0, revision=revision) for revision in (4, 1, 3, 2)]
    assert [each["metadata"]["name"] for each in history_to_drop(wanted, old)] == ["r1", "r2"]
    old[1] = replica_set("r1", 1, revision=1)
    assert [each["metadata"]["name"] for each in history_to_drop(wanted, old)] == ["r2"]
