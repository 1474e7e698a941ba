"""The `chaos` process: an ordinary Chaos Toolkit run of the experiment, with our control and our rollback rules.

Its exit code says nothing that may be trusted (0 where nothing was injected, 0 where every action failed), so nobody
reads it: the scorer judges by the timeline and the journal.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from gameday.child import HARNESS_VARIABLE, Child
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
            environment={
                **environment,
                BUNDLE_VARIABLE: str(root),
                HARNESS_VARIABLE: str(os.getpid()),
                "PYTHONWARNINGS": "ignore",
            },
            log=logs / "chaos.log",
        )

    def running(self) -> bool:
        """Whether it still runs."""
        return self.child.poll() is None

    def trouble(self) -> str:
        """Why its end is not to be trusted, "" where it wrote a journal as it should."""
        if (self._root / "journal.json").exists():
            return ""
        return f"Chaos Toolkit ended with code {self.child.poll()} and without a journal: see {self.child.log}"

    def abort(self, timeout_s: float) -> bool:
        """End the method, let the rollbacks run, and after `timeout_s` end the process by force.

        True where it ended by itself, which is to say that its rollbacks ran.
        """
        if self.child.poll() is None:
            (self._root / ABORT_FILE).touch()
        deadline = time.monotonic() + timeout_s
        while self.child.poll() is None and time.monotonic() < deadline:
            self.child.terminate()  # again and again: inside a Python action Chaos Toolkit loses it
            self.child.wait(1.0)
        ended = self.child.poll() is not None
        self.child.kill_group()
        (self._root / ABORT_FILE).unlink(missing_ok=True)
        return ended
