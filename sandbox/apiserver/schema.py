"""The structure of the kinds: which fields there are, of which type, and how lists are merged by a patch.

`schema.json` holds structure only, derived by `derive_schema.py` from the OpenAPI documents of Kubernetes 1.34. The
structure of custom kinds is in `crds`.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from sandbox.apiserver import crds
from sandbox.apiserver.objects import KubeObject

Definition = dict[str, Any]
_JSON_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}

_ZEROS: dict[str, str | int | bool] = {"string": "", "integer": 0, "boolean": False}


class SchemaError(ValueError):
    """A value that has not the type its field must have; `path` is the field's, `wanted` the types it may have."""

    def __init__(self, path: str, wanted: str, value: Any) -> None:
        super().__init__(f"{path or 'the object'}: expected {wanted}, got {json.dumps(value)[:40]}")
        self.path = path
        self.wanted = wanted
        self.found = value


@cache
def definitions() -> dict[str, Definition]:
    """Return every definition by short name, such as `core.v1.Pod`."""
    found: dict[str, Definition] = json.loads(files(__package__).joinpath("schema.json").read_text())
    return found | crds.definitions()


def resolve(definition: Definition) -> Definition:
    """Return what a definition refers to, with the patch rules of the place that refers to it."""
    reference = definition.get("$ref")
    if reference is None:
        return definition
    return {**definitions()[reference.rpartition("/")[2]], **definition}


def child(definition: Definition | None, name: str) -> Definition | None:
    """Return the definition of a field of an object, None where any value is taken."""
    if definition is None:
        return None
    found = definition.get("properties", {}).get(name) or definition.get("additionalProperties")
    return resolve(found) if isinstance(found, dict) else None


def items(definition: Definition | None) -> Definition | None:
    """Return the definition of the elements of a list."""
    return resolve(definition["items"]) if definition and "items" in definition else None


def conform(value: KubeObject, schema: str, *, zeros: bool = True) -> tuple[KubeObject, list[str]]:
    """Return a copy of `value` with only the fields of `schema` and without nulls, and the paths that were left out.

    Required texts, numbers and booleans that are missing become "", 0 and false, as decoding into the real server's
    types makes them, and so do `spec` and `status`; clients rely on their presence. Without `zeros` they stay missing,
    as in custom kinds. Raises SchemaError on a value of the wrong type.
    """
    unknown: list[str] = []
    definition = resolve({"$ref": schema})
    copied: KubeObject = _conform(value, definition, "", unknown, zeros)
    for part in ("spec", "status"):
        if zeros and part in definition["properties"]:
            copied.setdefault(part, {})
    return copied, unknown


def _conform(value: Any, definition: Definition, path: str, unknown: list[str], zeros: bool) -> Any:
    _check_type(value, definition, path)
    if isinstance(value, dict) and "properties" in definition:
        fields = definition["properties"]
        unknown.extend(_join(path, name) for name in value if name not in fields)
        copied = {
            name: _conform(each, resolve(fields[name]), _join(path, name), unknown, zeros)
            for name, each in value.items()
            if name in fields and each is not None
        }
        for name in definition.get("required", ()) if zeros else ():
            if name not in copied and fields[name].get("type") in _ZEROS:
                copied[name] = _ZEROS[fields[name]["type"]]
        return copied
    if isinstance(value, dict) and isinstance(definition.get("additionalProperties"), dict):
        element = resolve(definition["additionalProperties"])
        return {name: _conform(each, element, _join(path, name), unknown, zeros) for name, each in value.items()}
    if isinstance(value, list):
        element = resolve(definition["items"])
        return [_conform(each, element, f"{path}[{index}]", unknown, zeros) for index, each in enumerate(value)]
    return value


def _check_type(value: Any, definition: Definition, path: str) -> None:
    wanted = [one["type"] for one in definition.get("oneOf", (definition,)) if "type" in one]
    allowed = tuple(each for name in wanted for each in _JSON_TYPES[name])
    stray_boolean = isinstance(value, bool) and "boolean" not in wanted
    if wanted and (not isinstance(value, allowed) or stray_boolean):
        raise SchemaError(path, " or ".join(wanted), value)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
