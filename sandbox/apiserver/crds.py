"""The custom kinds that the server has from the start: their definitions, as a real server has those of an operator.

`crds.json` holds names and structure only, derived by `derive_crds.py` from Chaos Mesh's of August 2026.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from sandbox.apiserver.objects import KubeObject
from sandbox.apiserver.status import Cause, invalid_value, required, unsupported_value

Definition = dict[str, Any]
_METADATA = {"$ref": "#/components/schemas/meta.v1.ObjectMeta"}


@cache
def manifests() -> tuple[KubeObject, ...]:
    """Return the CustomResourceDefinitions, without the status that a server adds."""
    return tuple(json.loads(files(__package__).joinpath("crds.json").read_text()))


@cache
def definitions() -> dict[str, Definition]:
    """Return the structure of each custom kind by the name that `catalogue` knows it by."""
    found = {}
    for manifest in manifests():
        names, version = manifest["spec"]["names"], manifest["spec"]["versions"][0]
        definition = version["schema"]["openAPIV3Schema"]
        properties = {**definition["properties"], "metadata": _METADATA}
        found[f"{manifest['spec']['group']}.{version['name']}.{names['kind']}"] = {
            **definition,
            "properties": properties,
        }
    return found


def established(manifest: KubeObject, now: str) -> KubeObject:
    """Return a definition as a server shows it once it serves the kind."""
    spec = manifest["spec"]
    conditions = [
        {"type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": now}
        for kind, reason, message in (
            ("NamesAccepted", "NoConflicts", "no conflicts found"),
            ("Established", "InitialNamesAccepted", "the initial names have been accepted"),
        )
    ]
    stored = [each["name"] for each in spec["versions"]]
    status = {"acceptedNames": spec["names"], "conditions": conditions, "storedVersions": stored}
    return {**manifest, "spec": {**spec, "conversion": {"strategy": "None"}}, "status": status}


def faults(value: Any, definition: Definition, path: str = "") -> Iterator[Cause]:
    """Yield what a value of the right types still breaks of its structure: what is required, enumerated, bounded."""
    if "enum" in definition and value not in definition["enum"]:
        yield unsupported_value(path, value, definition["enum"])
    if isinstance(value, str) and not re.search(definition.get("pattern", ""), value):
        yield invalid_value(path, value, f"{path} in body should match '{definition['pattern']}'")
    if isinstance(value, int | float) and value < definition.get("minimum", value):
        bound = definition["minimum"]
        yield invalid_value(path, value, f"{path} in body should be greater than or equal to {bound}")
    if isinstance(value, list):
        for index, each in enumerate(value):
            yield from faults(each, definition["items"], f"{path}[{index}]")
    if isinstance(value, dict):
        inner = definition.get("properties", {})
        for name in definition.get("required", ()):
            if name not in value:
                yield required(f"{path}.{name}".lstrip("."))
        for name, each in value.items():
            if name in inner and "$ref" not in inner[name]:
                yield from faults(each, inner[name], f"{path}.{name}".lstrip("."))
