from __future__ import annotations

import copy
from typing import Any

import pytest

from sandbox.apiserver.catalogue import Catalogue, Kind
from sandbox.apiserver.objects import KubeObject
from sandbox.apiserver.registry import Write
from sandbox.apiserver.status import (
    AlreadyExists,
    BadRequest,
    Conflict,
    Expired,
    NotFound,
    StatusError,
    Timeout,
    UnsupportedMediaType,
)
from tests.sandbox.apiserver.bodies import (
    CATALOGUE,
    CONFIG_MAP,
    DEPLOYMENT,
    EVENT,
    LEASE,
    POD,
    SERVICE,
    Region,
    config_map,
    deployment,
    pod,
    service,
)

KEY = ("default", "web")
MERGE, STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"


def patched(region: Region, kind: Kind, patch: Any, subresource: str = "", patch_type: str = MERGE) -> KubeObject:
    return region.registry.patch(kind, KEY, patch, patch_type, subresource, Write())


def test_a_new_object_gets_its_identity_from_the_server() -> None:
    region = Region()
    body = {**deployment(), "status": {"replicas": 9}}
    body["metadata"] |= {"uid": "mine", "generation": 7, "creationTimestamp": "2000-01-01T00:00:00Z"}
    created = region.create(DEPLOYMENT, body)
    metadata = created["metadata"]
    assert (metadata["namespace"], metadata["generation"]) == ("default", 1)
    assert metadata["creationTimestamp"] == "2027-01-15T08:00:00Z"
    assert metadata["uid"] != "mine"
    assert metadata["resourceVersion"] == str(region.store.version)
    assert created["status"] == {}
    assert (created["apiVersion"], created["kind"]) == ("apps/v1", "Deployment")


def test_a_generated_name_ends_in_five_letters_of_its_own() -> None:
    region = Region()
    names = {region.create(POD, {**pod(), "metadata": {"generateName": "web-"}})["metadata"]["name"] for _ in range(9)}
    assert len(names) == 9
    assert all(name.startswith("web-") and len(name) == 9 for name in names)


@pytest.mark.parametrize(
    ("namespace", "body", "error", "says"),
    [
        ("nowhere", config_map("x"), NotFound, 'namespaces "nowhere" not found'),
        ("default", config_map("web"), AlreadyExists, 'configmaps "web" already exists'),
        ("default", {"metadata": {"name": "x", "namespace": "other"}}, BadRequest, "does not match the namespace"),
        ("default", {**config_map("x"), "kind": "Secret"}, BadRequest, "not match the expected v1, Kind=ConfigMap"),
        ("default", {"metadata": {"name": "x", "resourceVersion": "1"}}, StatusError, "should not be set on objects"),
        ("default", {"metadata": {"name": "x"}, "data": []}, BadRequest, "data: expected object, got []"),
        ("default", [], BadRequest, "is no Kubernetes object"),
    ],
)
def test_what_can_not_be_created_is_refused(namespace: str, body: Any, error: type[StatusError], says: str) -> None:
    region = Region()
    region.create(CONFIG_MAP, config_map("web"))
    with pytest.raises(error) as caught:
        region.registry.create(CONFIG_MAP, namespace, body, Write())
    assert says in str(caught.value)


def test_an_update_from_a_stale_version_is_a_conflict() -> None:
    region = Region()
    first = region.create(DEPLOYMENT, deployment())
    patched(region, DEPLOYMENT, {"spec": {"replicas": 3}})
    with pytest.raises(Conflict) as caught:
        region.registry.update(DEPLOYMENT, KEY, first, "", Write())
    assert str(caught.value) == (
        'Operation cannot be fulfilled on deployments.apps "web": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )
    assert region.registry.get(DEPLOYMENT, KEY)["spec"]["replicas"] == 3


def test_an_update_of_a_namesake_is_a_conflict() -> None:
    region = Region()
    region.create(CONFIG_MAP, config_map("web"))
    with pytest.raises(Conflict, match="UID in precondition: other"):
        patched(region, CONFIG_MAP, {"metadata": {"uid": "other"}})


def test_an_update_without_a_version_is_taken_except_for_leases() -> None:
    region = Region()
    region.create(CONFIG_MAP, config_map("web"))
    region.registry.update(CONFIG_MAP, KEY, config_map("web", a="1"), "", Write())
    region.create(LEASE, {"metadata": {"name": "web"}})
    with pytest.raises(StatusError, match="must be specified for an update"):
        region.registry.update(LEASE, KEY, {"metadata": {"name": "web"}}, "", Write())


def test_an_update_that_changes_nothing_is_no_write() -> None:
    region = Region()
    created = region.create(DEPLOYMENT, deployment())
    version = region.store.version
    assert region.registry.update(DEPLOYMENT, KEY, copy.deepcopy(created), "", Write()) == created
    assert region.store.version == version


def test_the_generation_counts_the_changes_of_the_spec_alone() -> None:
    region = Region()
    region.create(DEPLOYMENT, deployment())
    generations = [
        patched(region, DEPLOYMENT, {"metadata": {"labels": {"a": "b"}}}),
        patched(region, DEPLOYMENT, {"status": {"replicas": 1}}, "status"),
        patched(region, DEPLOYMENT, {"spec": {"replicas": 5}}),
        patched(region, DEPLOYMENT, {"spec": {"replicas": 5}}),
    ]
    assert [each["metadata"]["generation"] for each in generations] == [1, 1, 2, 2]


def test_spec_and_status_are_written_apart() -> None:
    region = Region()
    region.create(DEPLOYMENT, deployment())
    both = {"spec": {"replicas": 7}, "status": {"replicas": 7}}
    assert patched(region, DEPLOYMENT, both)["status"] == {}
    after = patched(region, DEPLOYMENT, {"spec": {"replicas": 9}, "status": {"replicas": 9}}, "status")
    assert (after["spec"]["replicas"], after["status"]) == (7, {"replicas": 9})


def test_scaling_changes_the_replicas_and_nothing_else() -> None:
    region = Region()
    before = region.create(DEPLOYMENT, deployment())
    scale = patched(region, DEPLOYMENT, {"spec": {"replicas": 0}}, "scale")
    assert scale["kind"] == "Scale"
    assert scale["status"] == {"replicas": 0, "selector": "app=web"}
    after = region.registry.get(DEPLOYMENT, KEY)
    assert after["spec"] == {**before["spec"], "replicas": 0}
    assert after["metadata"]["generation"] == 2


@pytest.mark.parametrize(
    ("scale", "error"),
    [
        ({"spec": {"replicas": -1}}, "must be greater than or equal to 0"),
        ({"spec": {"replicas": "many"}}, "is no Scale"),
        ({"metadata": {"resourceVersion": "1"}, "spec": {"replicas": 1}}, "the object has been modified"),
    ],
)
def test_a_scale_that_can_not_be_is_refused(scale: KubeObject, error: str) -> None:
    region = Region()
    region.create(DEPLOYMENT, deployment())
    with pytest.raises(StatusError, match=error):
        region.registry.update(DEPLOYMENT, KEY, scale, "scale", Write())


def test_a_binding_assigns_a_pod_once() -> None:
    region = Region()
    bound = region.scheduled_pod()
    assert bound["spec"]["nodeName"] == "node-1"
    assert bound["status"]["conditions"][0]["type"] == "PodScheduled"
    binding = {"metadata": {"name": "web"}, "target": {"name": "node-2"}}
    with pytest.raises(Conflict, match='already assigned to node "node-1"'):
        region.registry.bind(POD, KEY, binding, Write())


def test_a_bound_pod_carries_the_region_and_zone_of_its_node() -> None:
    """And none of the node's other labels; as Kubernetes does it since 1.35."""
    region = Region()
    topology = {"topology.kubernetes.io/region": "us-east-1", "topology.kubernetes.io/zone": "us-east-1a"}
    node = {"metadata": {"name": "node-1", "labels": {**topology, "kubernetes.io/hostname": "node-1"}}}
    region.create(CATALOGUE.named("Node"), node)
    assert region.scheduled_pod()["metadata"]["labels"] == {"app": "web", **topology}


@pytest.mark.parametrize("binding", [{}, {"metadata": {"name": "web"}}, {"metadata": {"name": "x"}, "target": {}}])
def test_a_binding_that_names_no_pod_or_no_node_is_refused(binding: KubeObject) -> None:
    region = Region()
    region.create(POD, pod())
    with pytest.raises(BadRequest):
        region.registry.bind(POD, KEY, binding, Write())


def test_a_strict_write_refuses_unknown_fields_and_others_warn_of_them() -> None:
    region = Region()
    body = deployment(replicsa=3)
    with pytest.raises(BadRequest, match=r'strict decoding error: unknown field "spec\.replicsa"'):
        region.registry.create(DEPLOYMENT, "default", body, Write(field_validation="Strict"))
    write = Write()
    region.registry.create(DEPLOYMENT, "default", body, write)
    assert write.warnings == ['unknown field "spec.replicsa"']


def test_a_dry_run_is_checked_and_answered_and_leaves_nothing() -> None:
    region = Region()
    version = region.store.version
    assert region.registry.create(POD, "default", pod(), Write(dry_run=True))["metadata"]["uid"]
    region.create(DEPLOYMENT, deployment())
    region.registry.patch(DEPLOYMENT, KEY, {"spec": {"replicas": 9}}, MERGE, "", Write(dry_run=True))
    assert region.store.version == version + 1
    with pytest.raises(StatusError, match="Required value"):
        region.registry.create(POD, "default", pod(containers=[]), Write(dry_run=True))


def test_a_service_keeps_its_address_when_an_update_leaves_it_out() -> None:
    region = Region()
    address = region.create(SERVICE, service())["spec"]["clusterIP"]
    updated = region.registry.update(SERVICE, KEY, service(ports=[{"port": 81}]), "", Write())
    assert updated["spec"]["clusterIP"] == address


def test_a_list_from_a_version_that_is_not_reached_yet_times_out_and_an_exact_old_one_has_expired() -> None:
    region = Region()
    with pytest.raises(Timeout, match="Too large resource version"):
        region.registry.list(POD, "", None, str(region.store.version + 1))
    with pytest.raises(Expired):
        region.registry.list(POD, "", None, str(region.store.version - 1), "Exact")
    with pytest.raises(BadRequest, match="must be a whole number"):
        region.registry.list(POD, "", None, "one")


def test_a_kind_without_a_schema_takes_any_field_and_no_strategic_patch() -> None:
    region = Region()
    custom = Kind("x.io", "v1", "Widget", "widgets")
    created = region.create(custom, {"metadata": {"name": "web"}, "spec": {"delay": {"latency": "100ms"}}})
    assert created["spec"] == {"delay": {"latency": "100ms"}}
    assert patched(region, custom, {"spec": {"duration": "1m"}})["spec"]["duration"] == "1m"
    with pytest.raises(UnsupportedMediaType, match="accepted media types include"):
        patched(region, custom, {}, patch_type=STRATEGIC)
    assert Catalogue((custom,)).find("x.io", "v1", "widgets") is custom


def test_server_side_apply_is_refused_with_what_is_taken_instead() -> None:
    region = Region()
    region.create(CONFIG_MAP, config_map("web"))
    with pytest.raises(UnsupportedMediaType, match=STRATEGIC.replace("+", r"\+")):
        patched(region, CONFIG_MAP, {}, patch_type="application/apply-patch+yaml")


def test_events_are_forgotten_an_hour_after_they_were_last_seen() -> None:
    region = Region()
    for name, seen in (("old", "2027-01-15T06:59:59Z"), ("new", "2027-01-15T07:00:01Z")):
        body = {"metadata": {"name": name}, "involvedObject": {"kind": "Pod", "name": "web"}, "lastTimestamp": seen}
        region.create(EVENT, body)
    region.registry.forget_events_before("2027-01-15T07:00:00Z")
    assert [each["metadata"]["name"] for each in region.store.list(EVENT)] == ["new"]
