from __future__ import annotations

import pytest

from sandbox.apiserver import discovery
from sandbox.apiserver.objects import KubeObject
from tests.sandbox.apiserver.bodies import CATALOGUE


def document(path: str) -> KubeObject:
    found = discovery.document(CATALOGUE, tuple(path.split("/")))
    assert found is not None
    return found


def test_every_kind_is_listed_in_its_group_version_with_its_subresources() -> None:
    listed = set()
    for group_version in CATALOGUE.group_versions():
        path = f"apis/{group_version}" if "/" in group_version else f"api/{group_version}"
        listed |= {(group_version, entry["name"]) for entry in document(path)["resources"]}
    for kind in CATALOGUE.kinds:
        assert (kind.group_version, kind.plural) in listed
        assert {(kind.group_version, f"{kind.plural}/{each}") for each in kind.subresources} <= listed


def test_the_scale_subresource_is_announced_as_what_it_is() -> None:
    entries = {entry["name"]: entry for entry in document("apis/apps/v1")["resources"]}
    assert entries["deployments/scale"]["kind"] == "Scale"
    assert entries["deployments/scale"]["group"] == "autoscaling"
    assert entries["deployments"]["shortNames"] == ["deploy"]
    assert entries["deployments"]["categories"] == ["all"]


def test_the_groups_name_their_preferred_version() -> None:
    groups = {group["name"]: group["preferredVersion"]["groupVersion"] for group in document("apis")["groups"]}
    assert groups["apps"] == "apps/v1"
    assert document("apis/apps")["name"] == "apps"


def test_openapi_tells_kubectl_that_the_server_checks_fields_and_what_they_are() -> None:
    for path in document("openapi/v3")["paths"]:
        found = document(f"openapi/v3/{path}")
        for operations in found["paths"].values():
            assert "fieldValidation" in {each["name"] for each in operations["patch"]["parameters"]}
    deployment = found["components"]["schemas"]["apps.v1.Deployment"]
    assert deployment["properties"]["spec"]["$ref"] in {
        f"#/components/schemas/{name}" for name in found["components"]["schemas"]
    }


@pytest.mark.parametrize("path", ["apis/nope", "apis/apps/v2", "api/v2", "openapi/v2", "openapi/v3/apis/nope/v1", "x"])
def test_what_is_not_served_has_no_document(path: str) -> None:
    assert discovery.document(CATALOGUE, tuple(path.split("/"))) is None


@pytest.mark.parametrize(
    ("path", "served"),
    [("api/v1/widgets", True), ("apis/apps/v1/widgets", True), ("apis/nope/v1/widgets", False), ("api/v2/pods", False)],
)
def test_a_group_version_is_served_or_not(path: str, served: bool) -> None:
    assert discovery.is_served(CATALOGUE, tuple(path.split("/"))) is served
