"""What must hold before a fault may be injected at all. A guard refuses with exit code 4, and nothing is started."""

from __future__ import annotations

from pathlib import Path

from gameday.errors import BadInput, GuardRefused
from gameday.undo import Undo


def refuse_over_unfinished_undo(runs: Path) -> None:
    """Raise GuardRefused where an earlier run under `runs` left something that has not been put back.

    A second fault on top of it would note the broken state as the one to restore.
    """
    for path in sorted(runs.glob("*/undo.json")):
        if path.parent.is_symlink():
            continue
        try:
            state = Undo.load(path.parent).record.state
        except BadInput as error:
            raise GuardRefused(
                error.what, where=str(path), do="compare the replicas by hand, then remove the file"
            ) from None
        if state != "undone":
            raise GuardRefused(
                f"an earlier run has not been undone ({state})",
                where=str(path.parent),
                do=f"run `gameday recover {path.parent}`",
            )
