"""What is left of a sandbox: its processes, found by the mark in their environment, and its directory."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from sandbox.errors import SandboxBroken
from sandbox.state import MARKER, State

SWEEP_TIMEOUT_S = 10.0
_PAUSE_S = 0.02


@dataclass(frozen=True)
class Member:
    """One process of a sandbox and what it is there for."""

    process: psutil.Process
    what: str

    @property
    def memory_bytes(self) -> int:
        """Its memory, each shared page counted by its share (PSS); 0 where it has just ended."""
        try:
            return int(self.process.memory_full_info().pss)
        except psutil.Error:
            return 0


def members(state: State) -> list[Member]:
    """All living processes that carry this sandbox's mark, but not the caller and those it descends from."""
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found = []
    for process in psutil.process_iter():
        try:
            if (
                process.pid not in own
                and process.status() != psutil.STATUS_ZOMBIE
                and process.environ().get(MARKER) == str(state.root)
            ):
                found.append(Member(process, _what(process.cmdline())))
        except psutil.Error:
            # Ended meanwhile, or another user's: not ours in either case.
            continue
    return found


def _what(command: list[str]) -> str:
    for part in command[1:]:
        if part in ("sandbox.supervisor", "sandbox.apiserver", "sandbox.manager"):
            return part.removeprefix("sandbox.")
    program = Path(command[0]).name if command else ""
    return program if program in ("envoy", "prometheus") else "pod"


def sweep(state: State) -> int:
    """Kill every process of the sandbox until a scan finds none, then remove its directory.

    Returns how many were killed; `SandboxBroken` where some are still there after `SWEEP_TIMEOUT_S`.
    """
    killed: dict[int, psutil.Process] = {}
    deadline_s = time.monotonic() + SWEEP_TIMEOUT_S
    # Again and again: a process may have started another between the scan and its own end.
    while left := [*members(state), *(Member(process, "ending") for process in killed.values() if _holds_on(process))]:
        if time.monotonic() > deadline_s:
            pids = ", ".join(str(member.process.pid) for member in left)
            raise SandboxBroken(f"processes {pids} can't be killed", where=str(state.root), do="look at them with ps")
        for member in left:
            kill(member.process)
            killed[member.process.pid] = member.process
        time.sleep(_PAUSE_S)
    state.remove()
    return len(killed)


def _holds_on(process: psutil.Process) -> bool:
    """Whether a killed process is still ending, and holds every socket until then.

    Its memory, and with it the mark by which it is found, goes before its files do; and its first thread may be a
    zombie already while the others are still ending.
    """
    try:
        return is_alive(process) or process.num_threads() > 1
    except psutil.Error:
        return False


def kill(process: psutil.Process) -> None:
    """SIGKILL; a process that has ended already is fine."""
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return


def is_alive(process: psutil.Process) -> bool:
    """Whether the process runs, and isn't just waiting for its parent to notice its end."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def supervisor_of(state: State) -> psutil.Process | None:
    """The living supervisor of this state directory."""
    record = state.record()
    if record is None:
        return None
    try:
        process = psutil.Process(record.supervisor_pid)
        # The number may belong to another process by now.
        ours = is_alive(process) and process.environ().get(MARKER) == str(state.root)
    except psutil.Error:
        return None
    return process if ours else None
