"""The folder of run bundles: where a new one goes, and which is the newest."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from gameday.errors import BadInput, GuardRefused


@contextlib.contextmanager
def alone(runs: Path) -> Iterator[None]:
    """Hold the folder of runs for one drill or one recovery; the kernel lets go of it however the process ends.

    Two drills at once would take each other's faults for their own. Raises GuardRefused where another holds it,
    BadInput where the folder cannot be made.
    """
    try:
        runs.mkdir(parents=True, exist_ok=True)
        lock = (runs / ".lock").open("w")
    except OSError as error:
        where, do = str(runs), "name another folder with --runs"
        raise BadInput(f"cannot be used for runs: {error.strerror}", where=where, do=do) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            what = "another drill or recovery is under way"
            raise GuardRefused(what, where=str(runs), do="wait for its end") from None
        yield


def new_root(runs: Path, stamp: str, drill: str) -> Path:
    """A folder for a new bundle that isn't there yet: `<stamp>-<drill>`, with a number where that is taken."""
    root = runs / f"{stamp}-{drill}"
    number = 2
    while root.exists():
        root = runs / f"{stamp}-{drill}-{number}"
        number += 1
    return root


def point_latest_at(root: Path, link: str = "latest") -> None:
    """Make `runs/latest`, or another link there, one to the folder at `root`."""
    latest = root.parent / link
    partial = root.parent / f".{link}-{root.name}"
    partial.symlink_to(root.name)
    try:
        partial.replace(latest)
    except OSError as error:
        partial.unlink()
        raise BadInput(f"cannot be made a link: {error.strerror}", where=str(latest), do="move it away") from None
