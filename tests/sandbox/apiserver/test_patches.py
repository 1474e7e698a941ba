from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.apiserver import patches, schema

POD_SPEC = schema.resolve({"$ref": "core.v1.PodSpec"})
DEPLOYMENT_SPEC = schema.resolve({"$ref": "apps.v1.DeploymentSpec"})
METADATA = schema.resolve({"$ref": "meta.v1.ObjectMeta"})
A, B, C = ({"name": name, "image": f"{name}:1"} for name in "abc")

json_values = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=15,
)
json_objects = st.dictionaries(st.text(max_size=3), json_values, max_size=4)


def merge_diff(old: Any, new: Any) -> Any:
    """The merge patch that turns `old` into `new`."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    removed = {name: None for name in old if name not in new}
    return removed | {
        name: merge_diff(old.get(name), value) for name, value in new.items() if name not in old or old[name] != value
    }


@given(json_objects, json_objects)
def test_a_merge_patch_turns_one_object_into_the_other_and_leaves_the_first_alone(
    old: dict[str, Any], new: dict[str, Any]
) -> None:
    before = copy.deepcopy(old)
    assert patches.merge_patch(old, merge_diff(old, new)) == new
    assert old == before


@given(json_objects)
def test_an_empty_strategic_patch_changes_nothing(obj: dict[str, Any]) -> None:
    assert patches.strategic_merge(obj, {}, POD_SPEC) == obj


@given(st.lists(st.sampled_from("abcdef"), unique=True), st.lists(st.sampled_from("abcdef"), unique=True))
def test_a_merged_list_holds_the_elements_of_both_each_once(old: list[str], new: list[str]) -> None:
    """Every container of the patch is taken over, none of the others is lost, and none is doubled."""
    before = [{"name": name, "image": "old"} for name in old]
    patch = {"containers": [{"name": name, "image": "new"} for name in new]}
    merged = patches.strategic_merge({"containers": before}, patch, POD_SPEC)["containers"]
    assert sorted(each["name"] for each in merged) == sorted({*old, *new})
    assert {each["name"] for each in merged if each["image"] == "new"} == set(new)


@given(st.permutations("abcd"), st.permutations("abcd"))
def test_set_element_order_orders_the_list(old: list[str], new: list[str]) -> None:
    before = [{"name": name} for name in old]
    patch = {"$setElementOrder/containers": [{"name": name} for name in new]}
    merged = patches.strategic_merge({"containers": before}, patch, POD_SPEC)["containers"]
    assert [each["name"] for each in merged] == new


@pytest.mark.parametrize(
    ("original", "patch", "merged"),
    [
        # Elements are merged by key, and new ones come first, as the real server orders them.
        ([A, B], [{"name": "b", "image": "b:2"}], [A, {"name": "b", "image": "b:2"}]),
        ([A], [C], [C, A]),
        # A directive within an element deletes it; one beside the elements replaces the list.
        ([A, B], [{"name": "a", "$patch": "delete"}], [B]),
        ([A], [{"name": "x", "$patch": "delete"}], [A]),
        ([A, B], [{"$patch": "replace"}, C], [C]),
        ([A, B], [{"$patch": "replace"}], []),
    ],
)
def test_a_list_with_a_merge_key_is_merged(original: list[Any], patch: list[Any], merged: list[Any]) -> None:
    assert patches.strategic_merge({"containers": original}, {"containers": patch}, POD_SPEC) == {"containers": merged}


@pytest.mark.parametrize(
    ("original", "patch", "merged", "definition"),
    [
        ({"finalizers": ["a"]}, {"finalizers": ["b", "a"]}, {"finalizers": ["b", "a"]}, METADATA),
        ({"finalizers": ["a", "b"]}, {"$deleteFromPrimitiveList/finalizers": ["a"]}, {"finalizers": ["b"]}, METADATA),
        ({"labels": {"a": "1"}}, {"labels": {"b": "2", "a": None}}, {"labels": {"b": "2"}}, METADATA),
        ({"labels": {"a": "1"}}, {"labels": {"$patch": "replace", "b": "2"}}, {"labels": {"b": "2"}}, METADATA),
        ({"labels": {"a": "1"}}, {"labels": {"$patch": "delete"}}, {}, METADATA),
        (
            {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}},
            {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}},
            {"strategy": {"type": "Recreate"}},
            DEPLOYMENT_SPEC,
        ),
        # Lists without a merge strategy are replaced.
        ({"containers": [{**A, "command": ["x"]}]}, {"containers": [{"name": "a", "command": ["y", "z"]}]},
         {"containers": [{**A, "command": ["y", "z"]}]}, POD_SPEC),
        # Nulls in what is added mean nothing.
        ({}, {"containers": [{"name": "a", "image": None}]}, {"containers": [{"name": "a"}]}, POD_SPEC),
    ],
)  # fmt: skip
def test_a_strategic_patch_follows_its_directives(
    original: dict[str, Any], patch: dict[str, Any], merged: dict[str, Any], definition: dict[str, Any]
) -> None:
    assert patches.strategic_merge(original, patch, definition) == merged


def test_server_side_elements_keep_their_place_among_the_ordered_ones() -> None:
    patch = {"$setElementOrder/containers": [{"name": "c"}, {"name": "b"}], "containers": [C]}
    merged = patches.strategic_merge({"containers": [A, B]}, patch, POD_SPEC)["containers"]
    assert [each["name"] for each in merged] == ["c", "a", "b"]


@pytest.mark.parametrize(
    "patch",
    [
        {"containers": [{"image": "x"}]},
        {"dnsConfig": {"$patch": "turn"}},
        {"$retainKeys": "containers"},
        {"$setElementOrder/containers": {}},
    ],
)
def test_a_malformed_strategic_patch_is_refused(patch: Any) -> None:
    with pytest.raises(patches.MalformedPatch):
        patches.strategic_merge({"containers": [A]}, patch, POD_SPEC)


@pytest.mark.parametrize("patch_type", [patches.MERGE_PATCH, patches.STRATEGIC_PATCH])
def test_a_merge_patch_that_is_no_object_is_malformed(patch_type: str) -> None:
    with pytest.raises(patches.MalformedPatch, match="must be an object"):
        patches.apply({"a": 1}, [1], patch_type, "core.v1.PodSpec")


def test_a_json_patch_applies_all_its_operations_or_none() -> None:
    original = {"spec": {"replicas": 1}, "list": [1]}
    operations = [
        {"op": "test", "path": "/spec/replicas", "value": 1},
        {"op": "replace", "path": "/spec/replicas", "value": 2},
        {"op": "add", "path": "/list/-", "value": 2},
    ]
    assert patches.json_patch(original, operations) == {"spec": {"replicas": 2}, "list": [1, 2]}
    with pytest.raises(patches.PatchMismatch):
        patches.json_patch(original, [*operations[1:], {"op": "test", "path": "/spec/replicas", "value": 9}])
    assert original == {"spec": {"replicas": 1}, "list": [1]}


@pytest.mark.parametrize("operations", [{"op": "x"}, [1], [{"op": "jump", "path": "/a"}], [{"path": "/a"}], "text", 1])
def test_what_is_no_json_patch_is_malformed(operations: Any) -> None:
    with pytest.raises(patches.MalformedPatch):
        patches.json_patch({"a": 1}, operations)


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/nope"},
        {"op": "add", "path": "/a/b", "value": 1},
        {"op": "replace", "path": "", "value": []},
    ],
)
def test_a_json_patch_that_does_not_fit_is_a_mismatch(operation: dict[str, Any]) -> None:
    with pytest.raises(patches.PatchMismatch):
        patches.json_patch({"a": 1}, [operation])
