from __future__ import annotations

from sandbox.apiserver.derive_schema import derive

DOCUMENT = {
    "components": {
        "schemas": {
            "io.k8s.api.core.v1.Pod": {
                "description": "Prose that is not taken over.",
                "type": "object",
                "properties": {
                    "metadata": {
                        "allOf": [{"$ref": "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}],
                        "default": {},
                        "description": "More prose.",
                    },
                    "ports": {
                        "type": "array",
                        "items": {"type": "string", "default": ""},
                        "x-kubernetes-patch-strategy": "merge",
                    },
                },
                "required": ["ports"],
            },
            "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta": {
                "type": "object",
                "properties": {"labels": {"type": "object", "additionalProperties": {"type": "string"}}},
            },
            "io.k8s.api.core.v1.Secret": {"type": "object"},
        }
    }
}


def test_only_the_structure_of_what_a_root_reaches_is_kept() -> None:
    assert derive([DOCUMENT], {"core.v1.Pod"}) == {
        "core.v1.Pod": {
            "type": "object",
            "required": ["ports"],
            "properties": {
                "metadata": {"$ref": "#/components/schemas/meta.v1.ObjectMeta"},
                "ports": {"type": "array", "items": {"type": "string"}, "x-kubernetes-patch-strategy": "merge"},
            },
        },
        "meta.v1.ObjectMeta": {
            "type": "object",
            "properties": {"labels": {"type": "object", "additionalProperties": {"type": "string"}}},
        },
    }
