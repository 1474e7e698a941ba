"""Derive `schema.json` from the OpenAPI v3 documents of a Kubernetes release.

    python -m sandbox.apiserver.derive_schema api__v1_openapi.json apis__apps__v1_openapi.json ... > schema.json

The documents lie in `api/openapi-spec/v3` of the Kubernetes source and are served under `/openapi/v3` by any cluster.
Of each type that a kind of the catalogue reaches, only its structure is kept: fields, types, required fields and
patch rules.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from sandbox.apiserver.catalogue import KINDS

EXTRA_ROOTS = ("core.v1.Binding", "policy.v1.Eviction", "autoscaling.v1.Scale")
"""Bodies of subresources, which are no kinds of their own."""
KEPT = ("type", "format", "oneOf", "required", "x-kubernetes-patch-merge-key", "x-kubernetes-patch-strategy")
_PREFIXES = ("io.k8s.apimachinery.pkg.apis.", "io.k8s.apimachinery.pkg.", "io.k8s.api.")

Definition = dict[str, Any]


def short_name(name: str) -> str:
    """Return `core.v1.Pod` for `io.k8s.api.core.v1.Pod`."""
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return name


def structure(definition: Definition, reached: list[str]) -> Definition:
    """Return what is kept of a definition; the full names of the types that it refers to are added to `reached`."""
    for part in definition.get("allOf", ()):
        definition = {**part, **definition}
    kept = {key: definition[key] for key in KEPT if key in definition}
    if "$ref" in definition:
        name = definition["$ref"].rpartition("/")[2]
        reached.append(name)
        kept["$ref"] = f"#/components/schemas/{short_name(name)}"
    for key in ("items", "additionalProperties"):
        if isinstance(definition.get(key), dict):
            kept[key] = structure(definition[key], reached)
    if "properties" in definition:
        kept["properties"] = {name: structure(each, reached) for name, each in definition["properties"].items()}
    return kept


def derive(documents: list[Definition], roots: set[str]) -> dict[str, Definition]:
    """Return the structure of every type that `roots` reach, by short name."""
    known: Definition = {}
    for document in documents:
        known |= document["components"]["schemas"]
    derived: dict[str, Definition] = {}
    reached = [name for name in known if short_name(name) in roots]
    while reached:
        name = reached.pop()
        if short_name(name) not in derived:
            derived[short_name(name)] = structure(known[name], reached)
    return derived


def main() -> None:
    """Read the documents named on the command line and print the derived schema, one type a line."""
    documents = [json.loads(Path(name).read_text()) for name in sys.argv[1:]]
    roots = {kind.schema for kind in KINDS if kind.schema} | set(EXTRA_ROOTS)
    derived = derive(documents, roots)
    lines = [
        f"{json.dumps(name)}:{json.dumps(derived[name], sort_keys=True, separators=(',', ':'))}"
        for name in sorted(derived)
    ]
    print("{\n" + ",\n".join(lines) + "\n}")


if __name__ == "__main__":
    main()
