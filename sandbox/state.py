"""A sandbox's state directory: where everything of it lies, and the record of what was started."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import socket
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.periods import Periods

MARKER = "GAMEDAY_SANDBOX"
"""Environment variable of every process of a sandbox; its value is the state directory."""


@dataclass(frozen=True)
class Record:
    """What `up` started."""

    manner: str
    network: str
    supervisor_pid: int
    started_ns: int
    prometheus: bool = False
    periods: Periods = field(default_factory=Periods)


def default_directory(environment: Mapping[str, str]) -> Path:
    """$GAMEDAY_SANDBOX_DIR, else gameday/sandbox below the XDG state directory."""
    if given := environment.get("GAMEDAY_SANDBOX_DIR"):
        return Path(given)
    base = environment.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "gameday" / "sandbox"


class State:
    """The state directory; made by `create`, and removed as a whole by `remove`."""

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().resolve()
        self.kubeconfig = self.root / "kubeconfig"
        self.token = self.root / "token"
        self.certificate = self.root / "server.crt"
        self.key = self.root / "server.key"
        self.authority = self.root / "ca.crt"
        self.logs = self.root / "logs"
        self.pods = self.root / "regions"
        self._record = self.root / "sandbox.json"
        self._failure = self.root / "failure"

    def refuse_foreign(self) -> None:
        """`SandboxError` where something else lies in the directory: `down` removes it with all that is in it."""
        if self.root.exists() and not self.is_sandbox() and any(self.root.iterdir()):
            raise SandboxError("the directory is not empty", where=str(self.root), do="give --state a new one")

    def create(self) -> None:
        """Make the directory, readable by its owner only; `SandboxError` where something else lies there."""
        self.refuse_foreign()
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.root.chmod(0o700)
        self.logs.mkdir(mode=0o700)
        self.write_private(self._record, "{}")

    def is_sandbox(self) -> bool:
        """Whether the directory was made by `create`."""
        return self._record.is_file()

    def record(self) -> Record | None:
        """What was started here; None where nothing was, or only half."""
        try:
            told = json.loads(self._record.read_text())
            return Record(**{**told, "periods": Periods(**told.get("periods", {}))})
        except (FileNotFoundError, TypeError, ValueError):
            return None

    def write_record(self, record: Record) -> None:
        """Note what was started."""
        self.write_private(self._record, json.dumps(asdict(record)) + "\n")

    def failure(self) -> str:
        """Why the sandbox ended by itself; empty where it didn't."""
        return self._failure.read_text().strip() if self._failure.is_file() else ""

    def write_failure(self, why: str) -> None:
        """Note why the sandbox ended by itself."""
        self.write_private(self._failure, why + "\n")

    def write_private(self, path: Path, text: str) -> None:
        """Replace a file at once by one that only its owner can read."""
        beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        os.replace(beside, path)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other `up` and `down` commands off this directory; `SandboxError` where one is at work."""
        # A name in the abstract socket space: it leaves no file, and goes with the process that holds it.
        name = hashlib.sha256(str(self.root).encode()).hexdigest()[:32]
        with socket.socket(socket.AF_UNIX) as held:
            try:
                held.bind(f"\0gameday-sandbox-{name}")
            except OSError as error:
                raise SandboxError(
                    "another `up` or `down` is at work", where=str(self.root), do="wait until it is done"
                ) from error
            yield

    def remove(self) -> None:
        """Remove the directory, if it is a sandbox's."""
        if self.is_sandbox():
            shutil.rmtree(self.root)
