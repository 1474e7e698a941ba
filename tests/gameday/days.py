"""Builders for game days: plans as text, verdicts, results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from bundle.manifest import Manifest
from gameday.agenda import Agenda, Item
from gameday.day import Result, Turn, judged
from scorer.verdict import Grade, Measure, Objective, ValidityCheck, Verdict

START_NS = 1_764_000_000_000_000_000


def item(name: str = "first", **changes: Any) -> dict[str, Any]:
    """A drill of a plan, as YAML has it."""
    return {
        "name": name,
        "experiment": "experiments/pod-kill.yaml",
        "profile": "loadprofiles/steady.py",
        **changes,
    }


def plan(*drills: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A plan, as YAML has it."""
    promise = {"target": 95, "threshold": 80, "stale_after_days": 14}
    return {"schema": 1, "title": "A game day", "pass_rate": promise, "drills": list(drills), **changes}


def write(folder: Path, document: Any, name: str = "weekly") -> Path:
    """Write a plan into a folder."""
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


def agenda(folder: Path, *drills: dict[str, Any], **changes: Any) -> Agenda:
    """A plan that was read from a file."""
    return Agenda.load(write(folder, plan(*drills, **changes)))


def turn(name: str = "first", repeat: int = 1, **changes: Any) -> Turn:
    """One run of a drill."""
    return Turn(Item(**item(name, **changes)), repeat)


def objective(grade: Grade = Grade.PASS, name: str = "failed-requests", **changes: Any) -> Objective:
    """A promise of no failed request, and what was measured."""
    count = 0 if grade is Grade.PASS else 3
    shown = Measure(
        name=name, value=count, low=count, high=count, unit="requests", n=100, method="a count", evidence=()
    )
    fields = {
        "name": name,
        "title": "Failed requests",
        "verdict": grade,
        "comparison": "at most",
        "target": 0,
        "threshold": 0,
        "measure": shown,
        "says": f"{count} requests",
    }
    return Objective(**{**fields, **changes})


def verdict(grade: Grade = Grade.PASS, run: str = "run-1", **changes: Any) -> Verdict:
    """A verdict on a pod-kill drill with one objective; an invalid one has a check that didn't hold."""
    fields: dict[str, Any] = {
        "schema": 1,
        "drill": "pod-kill",
        "title": "A killed pod",
        "run": run,
        "verdict": grade,
        "summary": f"it was {grade.value}",
        "validity": (ValidityCheck(name="load-rate", title="Load", ok=grade is not Grade.INVALID, says="5 of 9 sent"),),
        "objectives": (objective(grade),),
        "targets_sha256": "",
    }
    return Verdict(**{**fields, **changes})


def result(grade: Grade = Grade.PASS, name: str = "first", run: str = "run-1", **changes: Any) -> Result:
    """A drill that was judged."""
    return judged(turn(name, **changes), verdict(grade, run), START_NS, strict=False)


def kept(runs: Path, run: str, grade: Grade | None, at_ns: int = START_NS, **changes: Any) -> Path:
    """A bundle as far as the pass rate looks at it. grade: None where it was never judged."""
    root = runs / run
    root.mkdir(parents=True)
    manifest = Manifest(id=run, drill="pod-kill", clock_wall_ns=at_ns, clock_mono_ns=0)
    (root / "manifest.json").write_text(manifest.model_dump_json(), encoding="utf-8")
    if grade is not None:
        (root / "verdict.json").write_text(verdict(grade, run, **changes).to_json(), encoding="utf-8")
    return root
