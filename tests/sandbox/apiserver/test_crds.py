from __future__ import annotations

from sandbox.apiserver import crds
from sandbox.apiserver.catalogue import KINDS, Catalogue
from tests.sandbox.apiserver.bodies import Region

DEFINITION = {
    "type": "object",
    "required": ["action"],
    "properties": {
        "action": {"type": "string", "enum": ["delay", "loss"]},
        "latency": {"type": "string", "pattern": "^[0-9]+ms$"},
        "limit": {"type": "integer", "minimum": 1},
        "rules": {"type": "array", "items": {"type": "object", "required": ["key"], "properties": {"key": {}}}},
    },
}


def says(value: object) -> list[str]:
    return [f"{each.field}: {each.message}" for each in crds.faults(value, DEFINITION)]


def test_a_value_that_fits_its_structure_has_no_fault() -> None:
    assert says({"action": "delay", "latency": "5ms", "limit": 1, "rules": [{"key": "a"}], "other": 1}) == []


def test_each_fault_names_its_field_in_the_words_of_the_real_server() -> None:
    assert says({"latency": "5", "limit": 0, "rules": [{}]}) == [
        "action: Required value",
        "latency: Invalid value: \"5\": latency in body should match '^[0-9]+ms$'",
        "limit: Invalid value: 0: limit in body should be greater than or equal to 1",
        "rules[0].key: Required value",
    ]
    assert says({"action": "stop"}) == ['action: Unsupported value: "stop": supported values: "delay", "loss"']


def test_every_custom_kind_is_one_that_is_defined_and_served() -> None:
    custom = {(kind.group, kind.plural, kind.schema) for kind in KINDS if kind.custom}
    defined = {
        (each["spec"]["group"], each["spec"]["names"]["plural"], name)
        for each, name in zip(crds.manifests(), crds.definitions(), strict=True)
    }
    assert custom == defined


def test_a_client_can_tell_that_a_custom_kind_is_established() -> None:
    region = Region()
    kind = Catalogue().named("CustomResourceDefinition")
    found = region.registry.get(kind, ("", "networkchaos.chaos-mesh.org"))
    assert found["spec"]["versions"][0]["name"] == "v1alpha1"
    assert {each["type"]: each["status"] for each in found["status"]["conditions"]}["Established"] == "True"
