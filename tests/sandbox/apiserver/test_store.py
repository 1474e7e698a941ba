from __future__ import annotations

import pytest

from sandbox.apiserver.objects import KubeObject
from sandbox.apiserver.status import Expired
from sandbox.apiserver.store import Change, EventType, Store
from tests.sandbox.apiserver.bodies import CONFIG_MAP, POD


def named(name: str, **more: str) -> KubeObject:
    return {"metadata": {"name": name}, **more}


def test_every_write_of_any_kind_gets_the_next_version() -> None:
    store = Store(first_version=10)
    first = store.put(POD, ("a", "x"), named("x"))
    second = store.put(CONFIG_MAP, ("a", "x"), named("x"))
    last = store.remove(POD, ("a", "x"))
    assert [each["metadata"]["resourceVersion"] for each in (first, second, last)] == ["11", "12", "13"]
    assert store.version == 13


def test_a_write_leaves_what_was_stored_before_as_it_was() -> None:
    store = Store()
    before = store.put(POD, ("a", "x"), named("x", step="1"))
    after = store.put(POD, ("a", "x"), {**before, "step": "2"})
    assert before["step"] == "1"
    assert before["metadata"]["resourceVersion"] != after["metadata"]["resourceVersion"]


def test_a_list_is_in_the_order_of_namespace_and_name() -> None:
    store = Store()
    for namespace, name in (("b", "x"), ("a", "z"), ("a", "y")):
        store.put(POD, (namespace, name), named(name))
    assert [each["metadata"]["name"] for each in store.list(POD)] == ["y", "z", "x"]
    assert [each["metadata"]["name"] for each in store.list(POD, "a")] == ["y", "z"]


def test_the_changes_since_a_version_are_those_after_it_in_order() -> None:
    store = Store()
    first = store.put(POD, ("a", "x"), named("x"))
    store.put(CONFIG_MAP, ("a", "c"), named("c"))
    store.put(POD, ("a", "x"), named("x"))
    store.remove(POD, ("a", "x"))
    changes = list(store.changes_since(POD, int(first["metadata"]["resourceVersion"])))
    assert [each.type for each in changes] == [EventType.MODIFIED, EventType.DELETED]
    assert changes[0].previous is first


def test_changes_out_of_the_window_have_expired_and_those_within_have_not() -> None:
    store = Store(first_version=100, window=2)
    versions = [int(store.put(POD, ("a", n), named(n))["metadata"]["resourceVersion"]) for n in "wxyz"]
    assert [each.object["metadata"]["name"] for each in store.changes_since(POD, versions[1])] == ["y", "z"]
    with pytest.raises(Expired, match=rf"too old resource version: {versions[0]} \({versions[1]}\)"):
        store.changes_since(POD, versions[0])


def test_versions_of_an_earlier_process_have_expired() -> None:
    store = Store(first_version=5000)
    assert list(store.changes_since(POD, 5000)) == []
    with pytest.raises(Expired):
        store.changes_since(POD, 4999)


def test_a_listener_hears_every_later_change_of_its_kind_until_it_stops() -> None:
    store = Store()
    heard: list[Change] = []
    store.put(POD, ("a", "before"), named("before"))
    stop = store.listen(POD, heard.append)
    store.put(POD, ("a", "x"), named("x"))
    store.put(CONFIG_MAP, ("a", "c"), named("c"))
    stop()
    store.put(POD, ("a", "after"), named("after"))
    assert [each.object["metadata"]["name"] for each in heard] == ["x"]
