"""Checking a load profile before anything is started."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bundle.manifest import LoadRecord, Worker
from bundle.rates import RateCurve, highest_per_s
from gameday.child import Child
from gameday.load.errors import BadProfile
from gameday.load.process import worker_names
from gameday.load.schedule import NOTHING_ASKED, Asked

if TYPE_CHECKING:
    from gameday.load.facts import Facts

LOADING_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class ProfileFacts:
    """What a profile says of itself. `open`: arrivals by schedule; `closed`: users wait for answers."""

    path: Path
    model: Literal["open", "closed"]
    curves: tuple[RateCurve, ...]
    """Its arrival rates over time, one curve for each class of users; they add up. None of a closed-loop profile."""
    timeout_s: float | None
    spacing: str
    users: tuple[str, ...]
    mixed: bool = False
    """Whether some of its users keep a schedule and others wait for answers."""
    modules: Mapping[str, Path] = field(default_factory=dict)
    """The files of its own that it imports, by the names of their modules."""


def check_profile(path: Path, asked: Asked = NOTHING_ASKED) -> ProfileFacts:
    """Load the Locust file at `path` in a process of its own, with what was asked for. Nothing is sent.

    Raises BadProfile, with the file and the line, where it is missing, does not parse or import, or has no user.
    """
    try:
        compile(path.read_bytes(), str(path), "exec")
    except OSError as error:
        reason = "no such load profile" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"
        raise BadProfile(reason, where=str(path), do="give a Locust file such as loadprofiles/steady.py") from None
    except (SyntaxError, ValueError) as error:  # ValueError: null bytes
        line = getattr(error, "lineno", None) or 1
        raise BadProfile(
            f"is not Python: {getattr(error, 'msg', error)}", where=f"{path}:{line}", do="correct the file"
        ) from None
    facts = _facts(path, asked)
    if "error" in facts:
        line = facts.get("line", 0)
        raise BadProfile(facts["error"], where=f"{path}:{line}" if line else str(path), do="correct the file")
    if not facts["users"]:
        raise BadProfile(
            "has no User class, so there is nothing to send",
            where=str(path),
            do="define one, as loadprofiles/steady.py does",
        )
    model: Literal["open", "closed"] = "open" if facts["model"] == "open" else "closed"
    curves = tuple(RateCurve(tuple((t, r) for t, r in c["points"]), c["repeats"]) for c in facts["curves"])
    return ProfileFacts(
        path,
        model,
        curves,
        facts["timeout_s"],
        facts["spacing"],
        tuple(facts["users"]),
        facts["mixed"],
        {name: Path(file) for name, file in facts["modules"].items()},
    )


def load_record(profile: ProfileFacts, host: str, workers: int) -> LoadRecord:
    """What the manifest says of a load that Locust makes by this profile, before it has begun."""
    constant = len(profile.curves) == 1 and not profile.curves[0].length_s
    return LoadRecord(
        model=profile.model,
        rate_per_s=highest_per_s(profile.curves) if constant else None,
        curves=() if constant else profile.curves,
        spacing=profile.spacing,
        host=host,
        timeout_s=profile.timeout_s,
        workers=tuple(Worker(name=name) for name in worker_names(workers)),
    )


def _facts(path: Path, asked: Asked) -> Facts:
    command = [sys.executable, "-m", "gameday.load.facts", str(path.resolve()), json.dumps(asdict(asked))]
    with tempfile.TemporaryDirectory(prefix="gameday-profile-") as folder:
        answer = Path(folder) / "facts.json"
        loading = Child([*command, str(answer)], environment={}, log=Path(folder) / "log")
        code = loading.wait(LOADING_TIMEOUT_S)
        loading.kill_group()  # whatever the profile started at import, too
        said, log = answer.read_bytes() if answer.exists() else b"", loading.log_lines()
    if code is None:
        raise BadProfile(
            f"did not load within {LOADING_TIMEOUT_S:g} s", where=str(path), do="take slow work out of its top level"
        )
    try:
        facts: Facts = json.loads(said)
    except ValueError:
        last = (log or ["without a word"])[-1]
        raise BadProfile(
            f"ended the process that loaded it, with code {code}: {last}",
            where=str(path),
            do="take that out of its top level",
        ) from None
    return facts
