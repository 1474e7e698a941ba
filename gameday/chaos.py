"""The `chaos` process: an ordinary Chaos Toolkit run of the experiment, with our control and our rollback rules.

Its exit code says nothing that may be trusted (0 where nothing was injected, 0 where every action failed), so nobody
reads it: the scorer judges by the timeline and the journal.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from gameday.child import Child
from gameday.control import ABORT_FILE, BUNDLE_VARIABLE

CONTROLS = {"gameday": {"provider": {"type": "python", "module": "gameday.control"}}}


class ChaosProcess:
    """One `chaos run`, recorded into the bundle at `root`."""

    def __init__(self, experiment: Path, root: Path, environment: Mapping[str, str]) -> None:
        """Start it. The journal and the log come to lie in the bundle."""
        self._root = root
        logs = root / "logs"
        logs.mkdir(exist_ok=True)
        controls = logs / "controls.json"
        controls.write_text(json.dumps(CONTROLS), encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "chaostoolkit",
            "--no-version-check",
            "--log-file",
            str(logs / "chaostoolkit.log"),
            "run",
            "--rollback-strategy",
            "always",
            "--journal-path",
            str(root / "journal.json"),
            "--control-file",
            str(controls),
            str(experiment),
        ]
        self.child = Child(
            command,
            environment={**environment, BUNDLE_VARIABLE: str(root), "PYTHONWARNINGS": "ignore"},
            log=logs / "chaos.log",
        )

    def running(self) -> bool:
        """Whether it still runs."""
        return self.child.poll() is None

    def abort(self, timeout_s: float) -> bool:
        """End the method, let the rollbacks run, and after `timeout_s` end the process by force.

        True where it ended by itself, which is to say that its rollbacks ran.
        """
        (self._root / ABORT_FILE).touch()
        ended = self.child.stop(timeout_s)
        (self._root / ABORT_FILE).unlink()
        return ended
