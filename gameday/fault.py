"""The fault: what was there before is noted, Chaos Toolkit injects it, and it is undone whatever happens."""

from __future__ import annotations

import threading
from collections.abc import Callable

from bundle.clock import ENVIRONMENT_VARIABLE, Anchor
from bundle.writer import BundleWriter
from gameday.chaos import ChaosProcess
from gameday.healing import not_whole, rollbacks_owed
from gameday.phases import ROLLBACK_TIMEOUT_S
from gameday.plan import DrillPlan
from gameday.undo import Undo

WHOLE_TIMEOUT_S = 60.0
"""How long after an abort the deployments may take to come back before the undo counts as incomplete."""


class Fault:
    """The experiment of a plan while it runs, from the copy that the bundle keeps."""

    def __init__(self, writer: BundleWriter, plan: DrillPlan, anchor: Anchor, abort: threading.Event) -> None:
        """Begin it. abort: set where nobody wants to wait any longer."""
        self._root, self._plan, self._abort = writer.root, plan, abort
        self._clusters = {cluster.context: cluster for cluster in plan.clusters}
        self._undo = Undo.arm(writer.root, plan.clusters, plan.experiment.chaos, plan.experiment.effects)
        kept = writer.manifest.experiment
        assert kept is not None  # every drill keeps its inputs first
        environment = {ENVIRONMENT_VARIABLE: anchor.text(), **plan.environment}
        self._chaos = ChaosProcess(writer.root / kept.copy_as, writer.root, environment)

    def running(self) -> bool:
        """Whether Chaos Toolkit still runs."""
        return self._chaos.running()

    def trouble(self) -> str:
        """Why the experiment came to nothing, or ""."""
        return self._chaos.trouble()

    def roll_back(self) -> None:
        """End the experiment, which runs its rollbacks, and put back what it left. Harmless when called again."""
        self._chaos.abort(ROLLBACK_TIMEOUT_S)
        self._undo.restore(self._clusters)

    def undo(self, *, healed: bool, unwritable: Callable[[OSError], None]) -> tuple[str, ...]:
        """The experiment's rollbacks, then our own undo; what neither could do, a line each.

        healed: whether everything was seen to be whole again; else that is waited for. unwritable: called where the
        undo record can't be written; it stays `armed` then, and the next run is refused until `gameday recover`.
        """
        self.roll_back()
        remains = self._undo.restore(self._clusters)
        if not healed and not remains:
            self._abort.clear()  # whoever asks again now doesn't want to wait for the cluster to heal
            remains = not_whole(self._plan.clusters, WHOLE_TIMEOUT_S, self._abort.wait)
        remains += rollbacks_owed(self._root, self._plan.experiment.rollbacks)
        try:
            self._undo.finish(remains)
        except OSError as error:
            unwritable(error)
        return remains
