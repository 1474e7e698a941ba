"""The mirror of a watched list: each change comes out once, whatever the connection does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.observe.reflector import Gone, Reflector


def pod(name: str, version: int, uid: str = "") -> dict[str, Any]:
    """A pod, just as much of it as matters here."""
    return {"metadata": {"name": name, "uid": uid or f"uid-{name}", "resourceVersion": str(version)}}


def message(kind: str, obj: dict[str, Any]) -> dict[str, Any]:
    """A watch message."""
    return {"type": kind, "object": obj}


def listed(*pods: dict[str, Any], version: int = 1) -> Reflector:
    """A reflector after its first list."""
    reflector = Reflector()
    reflector.replace(pods, str(version))
    return reflector


def seen(changes: list[Any]) -> list[tuple[str, str]]:
    """Changes as (event, uid)."""
    return sorted((change.event, change.obj["metadata"]["uid"]) for change in changes)


def test_the_first_list_says_what_was_there_before_anyone_looked() -> None:
    assert seen(Reflector().replace([pod("a", 1), pod("b", 1)], "1")) == [("present", "uid-a"), ("present", "uid-b")]


@pytest.mark.parametrize(
    ("kind", "obj", "event"),
    [
        ("ADDED", pod("b", 2), "added"),
        ("MODIFIED", pod("a", 2), "modified"),
        ("DELETED", pod("a", 2), "deleted"),
        ("ADDED", pod("a", 1), None),  # seen already, by the list
        ("MODIFIED", pod("a", 1), None),
        ("DELETED", pod("b", 2), None),  # was never known: nothing was lost
        ("BOOKMARK", pod("", 2), None),
    ],
)
def test_a_watch_message_is_a_change_only_where_it_is_news(kind: str, obj: dict[str, Any], event: str | None) -> None:
    change = listed(pod("a", 1)).apply(message(kind, obj))
    assert (change.event if change else None) == event


def test_every_message_moves_the_version_to_resume_from() -> None:
    reflector = listed(version=1)
    for version, kind in ((2, "ADDED"), (5, "BOOKMARK"), (6, "DELETED")):
        reflector.apply(message(kind, pod("a", version)))
        assert reflector.resource_version == str(version)


def test_after_410_gone_the_list_is_compared_with_what_was_known() -> None:
    reflector = listed(pod("same", 1), pod("changed", 1), pod("deleted", 1))
    changes = reflector.replace([pod("same", 1), pod("changed", 7), pod("new", 8)], "9")
    assert seen(changes) == [("added", "uid-new"), ("deleted", "uid-deleted"), ("modified", "uid-changed")]


def test_a_pod_that_came_back_under_its_name_is_another_pod() -> None:
    changes = listed(pod("a", 1, uid="first")).replace([pod("a", 7, uid="second")], "9")
    assert seen(changes) == [("added", "second"), ("deleted", "first")]


def test_gone_inside_the_stream_asks_for_a_new_list() -> None:
    with pytest.raises(Gone, match="too old"):
        listed().apply({"type": "ERROR", "object": {"code": 410, "message": "too old"}})


@pytest.mark.parametrize(
    "bad", [{"type": "ERROR", "object": {"code": 500, "message": "etcd"}}, {"type": "SURPRISE"}, {}]
)
def test_anything_else_the_server_may_say_is_an_error_and_not_silence(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="the watch"):
        listed().apply(bad)


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, dict[str, Any]]]:
    """A true history of a few objects: what a server would send, in order."""
    alive: dict[str, int] = {}
    history = []
    for version in range(2, draw(st.integers(2, 25))):
        name = draw(st.sampled_from("abc"))
        if name not in alive:
            alive[name] = version
            kind = "ADDED"
        else:
            kind = draw(st.sampled_from(["MODIFIED", "DELETED"]))
        uid = f"{name}{alive[name]}"
        if kind == "DELETED":
            del alive[name]
        history.append((kind, pod(name, version, uid)))
    return history


@given(histories(), st.data())
def test_a_watch_dropped_and_resumed_anywhere_loses_and_doubles_nothing(
    history: list[tuple[str, dict[str, Any]]], data: st.DataObject
) -> None:
    """Resuming may replay messages from the last version the client is sure of: each still comes out once."""
    reflector = listed(version=1)
    changes = []
    for index, (kind, obj) in enumerate(history):
        replayed = data.draw(st.integers(0, index)) if data.draw(st.booleans()) else index
        for again in range(max(replayed, index - 1), index):  # the message before may come twice
            change = reflector.apply(message(*history[again]))
            if change is not None:
                changes.append((change.event, change.obj["metadata"]["uid"]))
        change = reflector.apply(message(kind, obj))
        if change is not None:
            changes.append((change.event, change.obj["metadata"]["uid"]))
    told = [(kind.lower(), obj["metadata"]["uid"]) for kind, obj in history]
    assert [c for c in changes if c[0] != "modified"] == [t for t in told if t[0] != "modified"]
    assert changes == told
