from __future__ import annotations

from sandbox.apiserver.derive_crds import derive


def test_names_and_structure_are_kept_and_prose_is_not() -> None:
    action = {"type": "string", "enum": ["delay"], "description": "Prose."}
    selectors = {"type": "object", "additionalProperties": {"type": "string", "description": "Prose."}}
    devices = {"type": "array", "items": {"type": "string", "description": "Prose."}}
    schema = {
        "type": "object", "description": "Prose.", "required": ["action"],
        "properties": {"action": action, "selectors": selectors, "devices": devices},
    }  # fmt: skip
    version = {"name": "v1", "served": True, "schema": {"openAPIV3Schema": schema}}
    manifest = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "metadata": {"name": "delays.x.io", "annotations": {"tool": "v1"}},
        "spec": {"group": "x.io", "names": {"kind": "Delay"}, "versions": [version]},
    }
    kept = {
        "type": "object", "required": ["action"],
        "properties": {
            "action": {"type": "string", "enum": ["delay"]},
            "selectors": {"type": "object", "additionalProperties": {"type": "string"}},
            "devices": {"type": "array", "items": {"type": "string"}},
        },
    }  # fmt: skip
    assert derive(manifest) == {
        "metadata": {"name": "delays.x.io"},
        "spec": {
            "group": "x.io",
            "names": {"kind": "Delay"},
            "versions": [{"name": "v1", "served": True, "schema": {"openAPIV3Schema": kept}}],
        },
    }
