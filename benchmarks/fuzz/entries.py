"""Timelines that lack entries, hold nonsense, or contradict themselves."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.fuzz.mutant import Base, May, Mutant

_Rng = np.random.Generator
_Entry = dict[str, Any]
_NONSENSE: tuple[object, ...] = (None, True, -1, 0, 2**63, 10**30, 1.5, "", "x", [], ["a"], {}, {"a": 1}, [[1]])
_NEEDED = (
    ("fault", "begin"),
    ("hypothesis", "end"),
    ("pod", "deleted"),
    ("observer", "connected"),
)
_LINES = (b"{", b"null", b"[]", b"\xff\xfe\x00", b'{"kind": "pod"}', b"[" * 5000, b'{"kind":"fault","event":"begin"')


def _entries(base: Base) -> list[_Entry]:
    return [json.loads(line) for line in base.files["timeline.jsonl"].splitlines()]


def _mutant(name: str, may: May, entries: list[_Entry]) -> Mutant:
    text = "".join(json.dumps(entry) + "\n" for entry in entries)
    return Mutant(f"timeline: {name}", may, {"timeline.jsonl": text.encode()})


def _pick(entries: list[_Entry], rng: _Rng) -> _Entry:
    return entries[int(rng.integers(len(entries)))]


def without(base: Base, rng: _Rng) -> Mutant:
    """Without any entry of a kind that a pass needs."""
    kind, event = _NEEDED[int(rng.integers(len(_NEEDED)))]
    left = [entry for entry in _entries(base) if (entry["kind"], entry["event"]) != (kind, event)]
    return _mutant(f"no {kind} {event}", May.NO_PASS, left)


def one_less(base: Base, rng: _Rng) -> Mutant:
    """Without any one entry: not every one is needed."""
    entries = _entries(base)
    del entries[int(rng.integers(len(entries)))]
    return _mutant("an entry removed", May.PASS, entries)


def backwards(base: Base, rng: _Rng) -> Mutant:
    """An entry that happened at the earliest after it had happened at the latest."""
    entries = _entries(base)
    entry = _pick(entries, rng)
    entry["earliest_ns"] = entry["latest_ns"] + int(rng.choice([1, 10**9, 10**18]))
    return _mutant("earliest after latest", May.NO_PASS, entries)


def moved(base: Base, rng: _Rng) -> Mutant:
    """An entry at some other time: before everything, after everything, or beyond what a clock can say."""
    entries = _entries(base)
    entry = _pick(entries, rng)
    by_ns = int(rng.choice([-1, 1])) * 10 ** int(rng.integers(6, 30))
    entry["earliest_ns"], entry["latest_ns"] = entry["earliest_ns"] + by_ns, entry["latest_ns"] + by_ns
    return _mutant("an entry moved", May.PASS, entries)


def fault_outside(base: Base, rng: _Rng) -> Mutant:
    """A fault that begins before the drill or after it."""
    entries, by_ns = _entries(base), int(rng.choice([-1, 1])) * 3600 * 10**9
    for entry in entries:
        if (entry["kind"], entry["event"]) == ("fault", "begin"):
            entry["earliest_ns"], entry["latest_ns"] = entry["earliest_ns"] + by_ns, entry["latest_ns"] + by_ns
    return _mutant("fault outside of the drill", May.NO_PASS, entries)


def unproven(base: Base, rng: _Rng) -> Mutant:
    """The fault failed, took other pods, or its pods were gone before, or came back with the same UID."""
    entries, way = _entries(base), int(rng.integers(4))
    for entry in entries:
        what = (entry["kind"], entry["event"])
        if what == ("fault", "begin") and way == 0:
            entry["attributes"]["status"] = "failed"
        if what == ("fault", "begin") and way == 1:
            entry["attributes"]["output"] = '["another"]'
        if what == ("pod", "deleted") and way == 2:
            entry["earliest_ns"], entry["latest_ns"] = entry["earliest_ns"] - 2 * 10**9, entry["latest_ns"] - 2 * 10**9
        if entry["kind"] == "pod" and way == 3 and entry["uid"].startswith("new"):
            entry["uid"] = entry["uid"].replace("new", "old")
    return _mutant("fault not proven", May.NO_PASS, entries)


def nonsense(base: Base, rng: _Rng) -> Mutant:
    """A field or an attribute that is of another kind, or absurd."""
    entries = _entries(base)
    entry = _pick(entries, rng)
    inner = entry.get("attributes", {})
    where = inner if inner and rng.random() < 0.6 else entry
    where[str(rng.choice(sorted(where)))] = _NONSENSE[int(rng.integers(len(_NONSENSE)))]
    return _mutant("a field of nonsense", May.PASS, entries)


def garbage(base: Base, rng: _Rng) -> Mutant:
    """A line that is no entry."""
    lines = base.files["timeline.jsonl"].splitlines()
    lines.insert(int(rng.integers(len(lines) + 1)), _LINES[int(rng.integers(len(_LINES)))])
    return Mutant("timeline: a line of garbage", May.NO_PASS, {"timeline.jsonl": b"\n".join(lines) + b"\n"})


def doubled(base: Base, rng: _Rng) -> Mutant:
    """An entry that stands there twice says nothing new."""
    entries = _entries(base)
    number = int(rng.integers(len(entries)))
    return _mutant("an entry doubled", May.PASS, [*entries[: number + 1], *entries[number:]])


MUTATIONS: tuple[Callable[[Base, _Rng], Mutant], ...] = (
    without,
    one_less,
    backwards,
    moved,
    fault_outside,
    unproven,
    nonsense,
    garbage,
    doubled,
)
