from __future__ import annotations

from typing import Any

import pytest

from sandbox.apiserver import schema
from sandbox.apiserver.catalogue import KINDS


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.schema], ids=lambda kind: kind.kind)
def test_every_kind_of_the_catalogue_has_its_structure_and_all_that_it_refers_to(kind: Any) -> None:
    reached, seen = [{"$ref": kind.schema}], set()
    while reached:
        definition = schema.resolve(reached.pop())
        for inner in (*definition.get("properties", {}).values(), definition.get("items"), definition.get("oneOf")):
            if isinstance(inner, dict) and inner.get("$ref", inner.get("items", {}).get("$ref")) not in seen:
                seen.add(inner.get("$ref", inner.get("items", {}).get("$ref")))
                reached.append(inner)
    assert len(seen) > 1


def test_unknown_fields_are_left_out_and_named_by_their_path() -> None:
    body = {"metadata": {"name": "x"}, "spec": {"replicsa": 2, "template": {"spec": {"containers": [{"nam": "y"}]}}}}
    obj, unknown = schema.conform(body, "apps.v1.Deployment")
    assert unknown == ["spec.replicsa", "spec.template.spec.containers[0].nam"]
    assert "replicsa" not in obj["spec"]


def test_nulls_are_left_out_and_missing_required_scalars_become_zeros() -> None:
    """Clients rely on the required fields of, say, a container's status, which the real server always sends."""
    status = {"containerStatuses": [{"name": "main", "image": None}], "reason": None}
    obj, unknown = schema.conform({"metadata": {}, "status": status}, "core.v1.Pod")
    assert unknown == []
    assert obj["spec"] == {}
    assert obj["status"] == {
        "containerStatuses": [{"name": "main", "image": "", "imageID": "", "ready": False, "restartCount": 0}]
    }


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"replicas": "two"}, 'spec.replicas: expected integer, got "two"'),
        ({"replicas": True}, "spec.replicas: expected integer, got true"),
        ({"paused": "yes"}, 'spec.paused: expected boolean, got "yes"'),
        ({"template": []}, "spec.template: expected object, got []"),
        ({"selector": {"matchLabels": {"a": 1}}}, "spec.selector.matchLabels.a: expected string, got 1"),
        ({"template": {"spec": {"containers": {}}}}, "spec.template.spec.containers: expected array, got {}"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(spec: dict[str, Any], says: str) -> None:
    with pytest.raises(schema.SchemaError) as caught:
        schema.conform({"metadata": {}, "spec": spec}, "apps.v1.Deployment")
    assert str(caught.value) == says


def test_quantities_and_ports_are_texts_or_numbers() -> None:
    container = {"resources": {"limits": {"cpu": 1, "memory": "1Gi"}}, "readinessProbe": {"httpGet": {"port": "http"}}}
    obj, _ = schema.conform({"metadata": {}, "spec": {"containers": [container]}}, "core.v1.Pod")
    assert obj["spec"]["containers"][0]["resources"] == {"limits": {"cpu": 1, "memory": "1Gi"}}
