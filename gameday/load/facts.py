"""`python -m gameday.load.facts PROFILE`: load a Locust file as Locust does and print what it holds, as one JSON line.

A process of its own, because importing Locust patches the standard library of the one that does it.
"""

from __future__ import annotations

import contextlib
import json
import sys
import traceback
from collections.abc import Iterable
from typing import TypedDict

from gameday.load.arrivals import Spacing


class Facts(TypedDict, total=False):
    """What is printed: an `error` with the `line` of the profile it comes from, or everything else."""

    error: str
    line: int
    model: str
    rate_per_s: float | None
    timeout_s: float | None
    spacing: str
    users: list[str]


def read(path: str) -> Facts:
    """The facts of the Locust file at `path`. A file that does not load is a fact too."""
    from locust.util.load_locustfile import load_locustfile

    from gameday.load.user import ArrivalUser, flaw

    try:
        users = load_locustfile(path)[0]
    except (Exception, SystemExit) as error:  # whatever a person's file raises, they are told
        return {"error": f"{type(error).__name__}: {error}", "line": _line_of(error, path)}
    opened = [user for user in users.values() if issubclass(user, ArrivalUser)]
    for user in opened:
        if reason := flaw(user):
            return {"error": f"{user.__name__}: {reason}", "line": 0}
    is_open = bool(opened) and len(opened) == len(users)
    return {
        "model": "open" if is_open else "closed",
        "rate_per_s": sum(user.rate for user in opened) if is_open else None,
        "timeout_s": max(user.timeout_s for user in opened) if is_open else None,
        "spacing": _one(user.spacing for user in opened) if is_open else "",
        "users": sorted(users),
    }


def _one(spacings: Iterable[str]) -> str:
    """The spacing of every class; "" where they differ, which is to say that nothing may be concluded from it."""
    different = {str(Spacing(spacing)) for spacing in spacings}
    return different.pop() if len(different) == 1 else ""


def _line_of(error: BaseException, path: str) -> int:
    lines = [frame.lineno or 0 for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    return lines[-1] if lines else 0


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):  # a profile may print
        facts = read(sys.argv[1])
    print(json.dumps(facts))
