from __future__ import annotations

from typing import Any

import pytest

from sandbox.apiserver.deletion import DeleteOptions, Fate
from sandbox.apiserver.registry import Write
from sandbox.apiserver.status import BadRequest, Conflict, Forbidden, NotFound
from sandbox.apiserver.store import EventType
from tests.sandbox.apiserver.bodies import (
    CONFIG_MAP,
    DEPLOYMENT,
    NAMESPACE,
    POD,
    SECOND_NS,
    Region,
    config_map,
    deployment,
    pod,
)

KEY = ("default", "web")
MERGE = "application/merge-patch+json"


def options(**body: Any) -> DeleteOptions:
    return DeleteOptions.parse(body)


def test_an_unscheduled_pod_is_removed_at_once() -> None:
    region = Region()
    region.create(POD, pod())
    assert region.registry.delete(POD, KEY, options())[0] is Fate.REMOVED
    assert region.store.get(POD, KEY) is None


def test_a_scheduled_pod_is_marked_and_kept_for_its_grace_period() -> None:
    region = Region()
    region.scheduled_pod(terminationGracePeriodSeconds=7)
    fate, marked = region.registry.delete(POD, KEY, options())
    assert fate is Fate.MARKED
    assert marked["metadata"]["deletionGracePeriodSeconds"] == 7
    assert marked["metadata"]["deletionTimestamp"] == "2027-01-15T08:00:07Z"
    assert marked["metadata"]["generation"] == 2
    assert region.registry.get(POD, KEY) == marked


def test_a_pod_deleted_with_grace_zero_is_removed_at_once_and_marked_in_the_event_before() -> None:
    region = Region()
    before = region.scheduled_pod()
    assert region.registry.delete(POD, KEY, options(gracePeriodSeconds=0))[0] is Fate.REMOVED
    changes = list(region.store.changes_since(POD, int(before["metadata"]["resourceVersion"])))
    assert [change.type for change in changes] == [EventType.MODIFIED, EventType.DELETED]
    assert changes[0].object["metadata"]["deletionGracePeriodSeconds"] == 0


def test_the_node_agent_ends_a_marked_pod_with_grace_zero_and_its_uid() -> None:
    region = Region()
    uid = region.scheduled_pod()["metadata"]["uid"]
    region.registry.delete(POD, KEY, options())
    fate, _ = region.registry.delete(POD, KEY, options(gracePeriodSeconds=0, preconditions={"uid": uid}))
    assert fate is Fate.REMOVED


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
def test_a_finished_pod_needs_no_grace(phase: str) -> None:
    region = Region()
    region.scheduled_pod()
    region.registry.patch(POD, KEY, {"status": {"phase": phase}}, MERGE, "status", Write())
    assert region.registry.delete(POD, KEY, options())[0] is Fate.REMOVED


@pytest.mark.parametrize(("asked", "kept"), [(None, 30), (60, 30), (30, 30), (5, 5), (-3, 1)])
def test_a_second_delete_may_shorten_the_grace_period_and_never_lengthen_it(asked: int | None, kept: int) -> None:
    region = Region()
    region.scheduled_pod()
    first = region.registry.delete(POD, KEY, options())[1]["metadata"]
    region.now_ns += 2 * SECOND_NS
    _, second = region.registry.delete(POD, KEY, options(**({} if asked is None else {"gracePeriodSeconds": asked})))
    assert second["metadata"]["deletionGracePeriodSeconds"] == kept
    assert second["metadata"]["generation"] == first["generation"]
    assert second["metadata"]["deletionTimestamp"] == f"2027-01-15T08:00:{kept:02d}Z"


@pytest.mark.parametrize("precondition", ["uid", "resourceVersion"])
def test_a_delete_of_another_object_than_was_meant_is_a_conflict(precondition: str) -> None:
    region = Region()
    region.create(POD, pod())
    with pytest.raises(Conflict, match="in the precondition"):
        region.registry.delete(POD, KEY, options(preconditions={precondition: "1"}))
    assert region.store.get(POD, KEY) is not None


@pytest.mark.parametrize(
    ("policy", "finalizers"), [("Foreground", ["foregroundDeletion"]), ("Orphan", ["orphan"]), ("Background", None)]
)
def test_the_propagation_policy_becomes_a_finalizer_for_the_garbage_collector(
    policy: str, finalizers: list[str] | None
) -> None:
    region = Region()
    region.create(DEPLOYMENT, deployment())
    fate, marked = region.registry.delete(DEPLOYMENT, KEY, options(propagationPolicy=policy))
    assert fate is (Fate.MARKED if finalizers else Fate.REMOVED)
    assert marked["metadata"].get("finalizers") == finalizers


def test_an_object_goes_with_the_last_of_its_finalizers() -> None:
    region = Region()
    region.create(CONFIG_MAP, {**config_map("web"), "metadata": {"name": "web", "finalizers": ["x.io/a", "x.io/b"]}})
    region.registry.delete(CONFIG_MAP, KEY, options())
    region.registry.patch(CONFIG_MAP, KEY, {"metadata": {"finalizers": ["x.io/b"]}}, MERGE, "", Write())
    assert region.store.get(CONFIG_MAP, KEY) is not None
    region.registry.patch(CONFIG_MAP, KEY, {"metadata": {"finalizers": []}}, MERGE, "", Write())
    assert region.store.get(CONFIG_MAP, KEY) is None


def test_a_namespace_takes_nothing_new_once_deleted_and_goes_when_finalized() -> None:
    region = Region()
    region.create(NAMESPACE, {"metadata": {"name": "tars"}})
    fate, marked = region.registry.delete(NAMESPACE, ("", "tars"), options())
    assert (fate, marked["status"]["phase"]) == (Fate.MARKED, "Terminating")
    with pytest.raises(Forbidden, match="because it is being terminated"):
        region.create(CONFIG_MAP, config_map("late"), "tars")
    region.registry.update(
        NAMESPACE, ("", "tars"), {"metadata": {"name": "tars"}, "spec": {"finalizers": []}}, "finalize", Write()
    )
    with pytest.raises(NotFound):
        region.registry.get(NAMESPACE, ("", "tars"))


def test_the_namespaces_of_the_cluster_itself_stay() -> None:
    with pytest.raises(Forbidden, match="this namespace may not be deleted"):
        Region().registry.delete(NAMESPACE, ("", "default"), options())


def test_a_dry_run_deletes_nothing() -> None:
    region = Region()
    region.create(POD, pod())
    version = region.store.version
    region.registry.delete(POD, KEY, options(dryRun=["All"]))
    assert region.store.version == version


@pytest.mark.parametrize("body", [{"propagationPolicy": "Sideways"}, {"gracePeriodSeconds": "soon"}])
def test_options_that_mean_nothing_are_refused(body: dict[str, Any]) -> None:
    with pytest.raises(BadRequest, match="invalid DeleteOptions"):
        DeleteOptions.parse(body)
