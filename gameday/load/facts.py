"""`python -m gameday.load.facts PROFILE ASKED FILE`: load a Locust file as Locust does; what it holds, as JSON.

A process of its own, because importing Locust patches the standard library of the one that does it.
"""

from __future__ import annotations

import json
import sys
import traceback
from pathlib import Path
from typing import Any, TypedDict

from gameday.load.arrivals import Spacing
from gameday.load.schedule import Asked, flaw, open_users, schedules
from gameday.load.sources import imported


class CurveFacts(TypedDict):
    """A `bundle.rates.RateCurve` as JSON."""

    points: list[tuple[float, float]]
    repeats: bool


class Facts(TypedDict, total=False):
    """What is written: an `error` with the `line` of the profile it comes from, or everything else."""

    error: str
    line: int
    model: str
    mixed: bool
    curves: list[CurveFacts]
    timeout_s: float | None
    spacing: str
    users: list[str]
    modules: dict[str, str]
    """The files that the profile imports, by the names of their modules."""


def read(path: str, asked: Asked) -> Facts:
    """The facts of the Locust file at `path`. A file that does not load is a fact too."""
    from locust.util.load_locustfile import load_locustfile

    import gameday.load.plugin  # noqa: F401  # as when it runs: a profile may rely on it

    try:
        users: dict[str, Any] = load_locustfile(path)[0]
    except (Exception, SystemExit) as error:  # whatever a person's file raises, they are told
        return {"error": f"{type(error).__name__}: {error}", "line": _line_of(error, path)}
    modules = {name: str(file) for name, file in imported(Path(path)).items()}
    opened = open_users(list(users.values()))
    for user in opened:
        if reason := flaw(user):
            return {"error": f"{user.__name__}: {reason}", "line": 0}
    if not opened or len(opened) < len(users):
        return {
            "model": "closed",
            "mixed": bool(opened),
            "curves": [],
            "timeout_s": None,
            "spacing": "",
            "users": sorted(users),
            "modules": modules,
        }
    try:
        found = schedules(opened, asked)
    except ValueError as error:
        return {"error": str(error), "line": 0}
    spacings = {schedule.spacing.value for schedule in found}
    return {
        "model": "open",
        "mixed": False,
        "curves": [{"points": list(s.curve.points), "repeats": s.curve.repeats} for s in found],
        "timeout_s": max(user.timeout_s for user in opened),
        # where the classes differ nothing may be concluded from it
        "spacing": spacings.pop() if len(spacings) == 1 else "",
        "users": sorted(users),
        "modules": modules,
    }


def _line_of(error: BaseException, path: str) -> int:
    lines = [frame.lineno or 0 for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    return lines[-1] if lines else 0


def _parse(text: str) -> Asked:
    found = json.loads(text)
    return Asked(**{**found, "spacing": Spacing(found["spacing"]) if found["spacing"] else None})


if __name__ == "__main__":
    Path(sys.argv[3]).write_text(json.dumps(read(sys.argv[1], _parse(sys.argv[2]))), encoding="utf-8")
