"""Manifests and targets with fields that are missing, wrong, or too loose."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import yaml

from benchmarks.fuzz.mutant import Base, May, Mutant

_Rng = np.random.Generator
_NONSENSE: tuple[Any, ...] = (
    None, True, False, -1, 0, 1, 2**63, 10**40, 1.5, -1e300, float("nan"), float("inf"), "", "x", "\x00", "é" * 99,
    [], [1], ["x"], {}, {"x": 1}, [[]],
)  # fmt: skip
_ESSENTIAL = ("load", "effects", "watched", "phases", "clock_drift_ns", "outcome", "contexts")


def _places(tree: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to everything in a tree of mappings and lists."""
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in pairs:
        yield (*way, key)
        yield from _places(value, (*way, key))


def _at(tree: Any, way: tuple[Any, ...]) -> Any:
    for step in way:
        tree = tree[step]
    return tree


def _damaged(tree: Any, rng: _Rng) -> tuple[Any, str]:
    """The tree with something removed, replaced, added or renamed, and what was done."""
    places = list(_places(tree))
    way = places[int(rng.integers(len(places)))]
    around, last, done = _at(tree, way[:-1]), way[-1], int(rng.integers(4))
    if done == 0:
        del around[last]
        return tree, "removed"
    if done == 1:
        around[last] = _NONSENSE[int(rng.integers(len(_NONSENSE)))]
        return tree, "replaced"
    if done == 2 and isinstance(around, dict):
        around[f"{last}x"] = around.pop(last)
        return tree, "renamed"
    other = places[int(rng.integers(len(places)))]
    around[last] = json.loads(json.dumps(_at(tree, other)))
    return tree, "another's value"


def _manifest(base: Base) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base.files["manifest.json"])
    return found


def _of_manifest(name: str, may: May, tree: object) -> Mutant:
    return Mutant(f"manifest: {name}", may, {"manifest.json": json.dumps(tree).encode("utf-8", "replace")})


def manifest(base: Base, rng: _Rng) -> Mutant:
    """Anything in the manifest."""
    tree, done = _damaged(_manifest(base), rng)
    return _of_manifest(f"a field {done}", May.PASS, tree)


def without_essentials(base: Base, rng: _Rng) -> Mutant:
    """Without what a pass needs."""
    tree, field = _manifest(base), str(rng.choice(_ESSENTIAL))
    if rng.random() < 0.5:
        del tree[field]
    else:
        tree[field] = [] if isinstance(tree[field], list) else None
    # The effect names its context, so that one is left to be observed.
    return _of_manifest(f"without {field}", May.PASS if field == "contexts" else May.NO_PASS, tree)


def phases(base: Base, rng: _Rng) -> Mutant:
    """Phases in another order, twice, that end before they begin or never, or lie in another year."""
    tree, way = _manifest(base), int(rng.integers(6))
    listed = tree["phases"]
    number = int(rng.integers(len(listed)))
    if way == 0:
        listed.reverse()
    elif way == 1:
        listed.append(dict(listed[number]))
    elif way == 2:
        listed[number]["end_ns"] = listed[number]["start_ns"] - 1
    elif way == 3:
        listed[number]["end_ns"] = None
    elif way == 4:
        by_ns = int(rng.choice([-1, 1])) * 10 ** int(rng.integers(13, 25))
        for edge in ("start_ns", "end_ns"):
            listed[number][edge] += by_ns
    else:
        del listed[number]
    return _of_manifest("phases that contradict each other", May.NO_PASS, tree)


def load(base: Base, rng: _Rng) -> Mutant:
    """A load that wasn't the one recorded: another rate, no rate, no workers, clocks that nobody knows."""
    tree = _manifest(base)
    ways: tuple[dict[str, Any], ...] = (
        {"rate_per_s": float(rng.choice([0, -1, 110, 200, 1e9]))},
        {"rate_per_s": None},
        {"workers": []},
        {"workers": [{"name": "worker-1", "clock_uncertainty_ns": 10**10}]},
        {
            "workers": [
                {"name": "worker-1", "clock_offset_ns": int(rng.choice([-1, 1])) * 10 ** int(rng.integers(10, 18))}
            ]
        },
        {"curves": [{"points": [[0, 50], [10, 50]]}], "rate_per_s": None},
    )
    tree["load"] |= ways[int(rng.integers(len(ways)))]
    return _of_manifest("another load", May.NO_PASS, tree)


def slow_rate(base: Base, rng: _Rng) -> Mutant:
    """A rate that is recorded as lower than it was: rows that were lost could hide among those there are, which
    `docs/measurement.md` names as something that a verdict rests on."""
    tree = _manifest(base)
    tree["load"]["rate_per_s"] = float(rng.choice([1e-9, 1, 50, 90]))
    return _of_manifest("a rate recorded too low", May.PASS, tree)


def _targets(base: Base) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(base.targets)
    return found


def _of_targets(name: str, may: May, tree: object) -> Mutant:
    return Mutant(f"targets: {name}", may, targets=yaml.safe_dump(tree, allow_unicode=True).encode())


def targets(base: Base, rng: _Rng) -> Mutant:
    """Anything in the targets."""
    tree, done = _damaged(_targets(base), rng)
    return _of_targets(f"a field {done}", May.PASS, tree)


def refused_targets(base: Base, rng: _Rng) -> Mutant:
    """A target looser than its threshold, no unit, another unit, no number, a drill that isn't there."""
    tree, way = _targets(base), int(rng.integers(6))
    objective = tree["objectives"][str(rng.choice(sorted(tree["objectives"])))]
    side = "at_most" if "at_most" in objective else "at_least"
    limit = objective[side]
    if way == 0:
        limit["threshold"] = limit["target"] + (-1e-3 if side == "at_most" else 0.1)
    elif way == 1:
        del limit["unit"]
    elif way == 2:
        limit["unit"] = "days" if rng.random() < 0.5 else ("probes" if limit["unit"] != "probes" else "s")
    elif way == 3:
        limit["target"] = [float("nan"), float("inf"), -1, "1", None, True][int(rng.integers(6))]
    elif way == 4:
        tree["drills"] = {"another": tree["drills"].popitem()[1]}
    else:
        tree["validity"]["confidence"] = float(rng.choice([-1, 0, 0.1, 1, 2]))
    return _of_targets("that promise nothing", May.ERROR, tree)


def text(base: Base, rng: _Rng) -> Mutant:
    """Targets cut, or with bytes changed: a number may become another number."""
    data = bytearray(base.targets)
    if rng.random() < 0.5:
        return Mutant("targets: cut", May.PASS, targets=bytes(data[: int(rng.integers(1, len(data)))]))
    for place in rng.integers(0, len(data), int(rng.integers(1, 4))):
        data[place] = int(rng.integers(256))
    return Mutant("targets: bytes changed", May.PASS, targets=bytes(data))


MUTATIONS: tuple[Callable[[Base, _Rng], Mutant], ...] = (
    manifest,
    without_essentials,
    phases,
    load,
    slow_rate,
    targets,
    refused_targets,
    text,
)
