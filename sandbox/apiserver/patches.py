"""The three kinds of patch: JSON patch (RFC 6902), JSON merge patch (RFC 7386) and strategic merge patch.

Strategic merge patch follows the Kubernetes reference of its directives (`$patch`, `$retainKeys`,
`$setElementOrder/FIELD`, `$deleteFromPrimitiveList/FIELD`); which lists are merged, and by which key, comes from the
schema of the kind.
"""

from __future__ import annotations

import copy
from typing import Any

from sandbox.apiserver import schema
from sandbox.apiserver.objects import KubeObject
from sandbox.apiserver.schema import Definition

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
PATCH_TYPES = (JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH)
"""All of them; a kind without a schema takes the first two."""

_ORDER = "$setElementOrder/"
_DELETE = "$deleteFromPrimitiveList/"


class MalformedPatch(ValueError):
    """A patch that is none, whatever the object."""


class PatchMismatch(ValueError):
    """A JSON patch that does not fit the object it is for: a failed test, a path that is not there."""


def apply(original: KubeObject, patch: Any, patch_type: str, schema_name: str) -> KubeObject:
    """Return `original` changed by a patch of one of `PATCH_TYPES`; raises MalformedPatch or PatchMismatch."""
    if patch_type == JSON_PATCH:
        return json_patch(original, patch)
    if not isinstance(patch, dict):
        raise MalformedPatch("a merge patch must be an object")
    if patch_type == STRATEGIC_PATCH:
        return strategic_merge(original, patch, schema.resolve({"$ref": schema_name}))
    merged: KubeObject = merge_patch(original, patch)
    return merged


def json_patch(original: KubeObject, operations: Any) -> KubeObject:
    """Return `original` changed by an RFC 6902 list of operations; raises MalformedPatch or PatchMismatch."""
    import jsonpatch
    import jsonpointer

    try:
        patch = jsonpatch.JsonPatch(operations)
    except (jsonpatch.InvalidJsonPatch, jsonpointer.JsonPointerException, TypeError) as error:
        raise MalformedPatch(str(error)) from error
    try:
        changed = patch.apply(original)
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, TypeError) as error:
        raise PatchMismatch(str(error)) from error
    if not isinstance(changed, dict):
        raise PatchMismatch("the patch leaves no object")
    return changed


def merge_patch(original: Any, patch: Any) -> Any:
    """Return `original` changed by an RFC 7386 merge patch: null removes, objects merge, all else replaces."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    merged = dict(original) if isinstance(original, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def strategic_merge(original: KubeObject, patch: KubeObject, definition: Definition | None) -> KubeObject:
    """Return `original` changed by a strategic merge patch; raises MalformedPatch."""
    return _merge_objects(original, patch, definition) or {}


def _merge_objects(original: KubeObject, patch: KubeObject, definition: Definition | None) -> KubeObject | None:
    """Return the merged object, None where the patch deletes it."""
    match patch.get("$patch"):
        case "delete":
            return None
        case "replace":
            replaced: KubeObject = _without_directives(patch)
            return replaced
        case None | "merge":
            pass
        case other:
            raise MalformedPatch(f"unknown patch type: {other}")
    merged = dict(original)
    if "$retainKeys" in patch:
        merged = {name: value for name, value in merged.items() if name in _list(patch, "$retainKeys")}
    for name, value in patch.items():
        if name.startswith(_DELETE):
            unwanted, target = _list(patch, name), name.removeprefix(_DELETE)
            merged[target] = [each for each in merged.get(target, []) if each not in unwanted]
        elif not name.startswith("$"):
            _merge_field(merged, name, value, schema.child(definition, name))
    for name in patch:
        if name.startswith(_ORDER):
            target = name.removeprefix(_ORDER)
            if isinstance(merged.get(target), list):
                key = (schema.child(definition, target) or {}).get("x-kubernetes-patch-merge-key")
                merged[target] = _in_order(merged[target], _list(patch, name), original.get(target) or [], key)
    return merged


def _merge_field(merged: KubeObject, name: str, value: Any, definition: Definition | None) -> None:
    current = merged.get(name)
    result: Any
    if value is None:
        result = None
    elif isinstance(value, dict):
        result = _merge_objects(current if isinstance(current, dict) else {}, value, definition)
    elif isinstance(value, list):
        result = _merge_lists(current if isinstance(current, list) else [], value, definition or {})
    else:
        result = value
    if result is None:
        merged.pop(name, None)
    else:
        merged[name] = result


def _merge_lists(original: list[Any], patch: list[Any], definition: Definition) -> list[Any]:
    plain = [each for each in patch if not (isinstance(each, dict) and each.get("$patch") in ("replace", "delete"))]
    replaces = any(isinstance(each, dict) and each.get("$patch") == "replace" for each in patch)
    if replaces or "merge" not in definition.get("x-kubernetes-patch-strategy", "").split(","):
        return [_without_directives(each) for each in plain]
    key = definition.get("x-kubernetes-patch-merge-key")
    if key is None:
        added = [each for index, each in enumerate(plain) if each not in original + plain[:index]]
        return _in_order(original + added, plain, original, None)
    merged = list(original)
    for element in patch:
        if not isinstance(element, dict) or key not in element:
            raise MalformedPatch(f"an element of the list has no {key}, by which it is merged")
        at = next((index for index, each in enumerate(merged) if each.get(key) == element[key]), None)
        result = _merge_objects(merged[at] if at is not None else {}, element, schema.items(definition))
        if at is None:
            merged += [result] if result is not None else []
        elif result is None:
            del merged[at]
        else:
            merged[at] = result
    return _in_order(merged, plain, original, key)


def _in_order(merged: list[Any], order: list[Any], before: list[Any], key: str | None) -> list[Any]:
    """Sort the elements that `order` names as it says; the others keep their place among the elements of `before`."""

    def identity(element: Any) -> Any:
        return element.get(key) if key and isinstance(element, dict) else element

    wanted = [identity(each) for each in order]
    places = {repr(identity(each)): index for index, each in enumerate(before)}
    named = sorted((each for each in merged if identity(each) in wanted), key=lambda each: wanted.index(identity(each)))
    others = [each for each in merged if identity(each) not in wanted]
    result: list[Any] = []
    while named and others:
        left, right = (places.get(repr(identity(each[0]))) for each in (others, named))
        result.append((others if left is not None and right is not None and left < right else named).pop(0))
    return result + named + others


def _without_directives(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _without_directives(each)
            for name, each in value.items()
            if not name.startswith(("$patch", "$retainKeys", _ORDER, _DELETE)) and each is not None
        }
    if isinstance(value, list):
        return [_without_directives(each) for each in value]
    return value


def _list(patch: KubeObject, name: str) -> list[Any]:
    value = patch[name]
    if not isinstance(value, list):
        raise MalformedPatch(f"{name} must be a list")
    return value
