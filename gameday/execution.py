"""One drill, from its plan to a closed bundle: what is told meanwhile, and which error it ends with."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from gameday.drill import Drill
from gameday.errors import Aborted, Interrupted, RollbackIncomplete
from gameday.progress import ProgressView
from gameday.runs import point_latest_at

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from gameday.plan import DrillPlan


def execute(plan: DrillPlan, root: Path, console: Console, above: Text | None = None) -> bool:
    """Run the plan into the bundle at `root`, and make it `runs/latest`. True where a signal came while it was ending.

    above: what a terminal shows over the progress. Raises RollbackIncomplete, Aborted, Interrupted, and what went
    wrong in the harness itself. Whoever calls it holds the folder of runs (`gameday.runs.alone`).
    """
    console.print(
        f"{plan.experiment.title}\n{', '.join(c.context for c in plan.clusters)} · {plan.host} · {root}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    with ProgressView(console, above) as view:
        drill = Drill(plan, root, view.show)
        outcome = drill.run()
    if outcome.remains:
        raise RollbackIncomplete("; ".join(outcome.remains), where=str(root), do=f"run `gameday recover {root}`")
    if outcome.outcome == "aborted":
        with contextlib.suppress(OSError):  # a full disk, say, which is the reason and is told
            point_latest_at(root)
        error = Interrupted if drill.interrupted else Aborted
        raise error(
            f"{outcome.reason}; load stopped, fault undone, bundle closed", where=str(root), do="nothing is left to do"
        )
    point_latest_at(root)
    return drill.interrupted
