from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.apiserver import selectors
from sandbox.apiserver.registry import Write
from sandbox.apiserver.status import Expired
from sandbox.apiserver.watch import INITIAL_EVENTS_END, Event, Watch, WatchRequest
from tests.sandbox.apiserver.bodies import CONFIG_MAP, POD, Region, config_map, pod

KEY = ("default", "web")


def request(version: int | str = "", **more: Any) -> WatchRequest:
    return WatchRequest(**{"kind": CONFIG_MAP, "namespace": "", "matching": None, "version": str(version), **more})


async def events_of(watch: Watch) -> list[Event]:
    """What the watch has to give now, without waiting for more."""
    watch.end()
    found = [event async for event in watch.events()]
    watch.close()
    return found


def shown(events: list[Event]) -> list[tuple[str, str]]:
    return [(event.type.value, event.object["metadata"].get("name", "")) for event in events]


async def test_a_watch_without_a_version_begins_with_what_there_is() -> None:
    region = Region()
    region.create(CONFIG_MAP, config_map("a"))
    watch = Watch(region.store, request())
    region.create(CONFIG_MAP, config_map("b"))
    assert shown(await events_of(watch)) == [("ADDED", "a"), ("ADDED", "b")]


async def test_a_watch_from_a_version_gives_only_what_came_after() -> None:
    region = Region()
    region.create(CONFIG_MAP, config_map("a"))
    watch = Watch(region.store, request(region.store.version))
    region.registry.patch(CONFIG_MAP, ("default", "a"), {"data": {"x": "1"}}, MERGE, "", Write())
    assert shown(await events_of(watch)) == [("MODIFIED", "a")]


MERGE = "application/merge-patch+json"


@given(st.lists(st.sampled_from("abc"), max_size=25), st.data())
def test_no_event_is_lost_or_doubled_however_often_a_watch_resumes(writes: list[str], data: st.DataObject) -> None:
    """Each write toggles an object; a client that resumes at arbitrary moments sees the same as one that never left."""
    cuts = data.draw(st.sets(st.integers(0, len(writes))))

    async def scenario() -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        region = Region()
        version = region.store.version
        steady, resuming = Watch(region.store, request(version)), Watch(region.store, request(version))
        seen: list[Event] = []
        for at, name in enumerate(writes):
            if at in cuts:
                seen += await events_of(resuming)
                version = int(seen[-1].object["metadata"]["resourceVersion"]) if seen else version
                resuming = Watch(region.store, request(version))
            key = ("default", name)
            if region.store.get(CONFIG_MAP, key):
                region.store.remove(CONFIG_MAP, key)
            else:
                region.create(CONFIG_MAP, config_map(name))
        return shown(await events_of(steady)), shown(seen + await events_of(resuming))

    steady, resumed = asyncio.run(scenario())
    assert resumed == steady
    assert len(steady) == len(writes)


async def test_an_object_that_begins_or_ceases_to_match_is_added_or_deleted() -> None:
    region = Region()
    matching = selectors.predicate(POD, "", "status.phase=Running")
    watch = Watch(region.store, request(region.store.version, kind=POD, matching=matching))
    region.create(POD, pod())
    for phase in ("Running", "Running", "Failed"):
        body = {"status": {"phase": phase, "message": str(region.store.version)}}
        region.registry.patch(POD, KEY, body, MERGE, "status", Write())
    events = await events_of(watch)
    assert [event.type.value for event in events] == ["ADDED", "MODIFIED", "DELETED"]
    assert events[-1].object["status"]["phase"] == "Running"
    assert events[-1].object["metadata"]["resourceVersion"] == str(region.store.version)


async def test_a_watch_of_one_namespace_hears_nothing_of_the_others() -> None:
    region = Region()
    watch = Watch(region.store, request(region.store.version, namespace="default"))
    region.create(CONFIG_MAP, config_map("far"), "kube-system")
    region.create(CONFIG_MAP, config_map("near"))
    assert shown(await events_of(watch)) == [("ADDED", "near")]


async def test_the_initial_events_end_with_a_bookmark_that_says_so() -> None:
    region = Region()
    region.create(CONFIG_MAP, config_map("a"))
    watch = Watch(region.store, request(initial_events=True, bookmarks=True))
    events = await events_of(watch)
    assert shown(events) == [("ADDED", "a"), ("BOOKMARK", "")]
    metadata = events[-1].object["metadata"]
    assert metadata == {
        "resourceVersion": str(region.store.version),
        "annotations": {INITIAL_EVENTS_END: "true"},
    }


async def test_a_quiet_watch_is_kept_resumable_by_bookmarks() -> None:
    """The version of a bookmark counts the writes of other kinds, so that a quiet watch does not expire."""
    region = Region()
    options = request(region.store.version, bookmarks=True, timeout_s=0.02)
    watch = Watch(region.store, options, bookmark_every_s=0.01)
    region.create(POD, pod())
    events = [event async for event in watch.events()]
    assert {event.type.value for event in events} == {"BOOKMARK"}
    assert {event.object["metadata"]["resourceVersion"] for event in events} == {str(region.store.version)}


async def test_a_watch_ends_when_its_time_is_up() -> None:
    watch = Watch(Region().store, request(timeout_s=0.01))
    assert [event async for event in watch.events()] == []


def test_a_version_out_of_the_window_has_expired() -> None:
    region = Region(window=2)
    version = region.store.version
    for name in "abcd":
        region.create(CONFIG_MAP, config_map(name))
    with pytest.raises(Expired):
        Watch(region.store, request(version))


async def test_a_client_that_falls_too_far_behind_is_cut_off_where_it_can_resume() -> None:
    region = Region()
    watch = Watch(region.store, request(region.store.version), backlog=3)
    for name in "abcde":
        region.create(CONFIG_MAP, config_map(name))
    events = [event async for event in watch.events()]
    watch.close()
    assert shown(events) == [("ADDED", "a"), ("ADDED", "b"), ("ADDED", "c")]
    resumed = Watch(region.store, request(events[-1].object["metadata"]["resourceVersion"]))
    assert shown(await events_of(resumed)) == [("ADDED", "d"), ("ADDED", "e")]
