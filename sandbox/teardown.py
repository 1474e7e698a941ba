"""`sandbox down`: end a sandbox and leave nothing of it, whatever state it is in."""

from __future__ import annotations

import psutil

from sandbox.remains import supervisor_of, sweep
from sandbox.state import State

# The supervisor gives each of its six parts 10 s at the most; whatever is left after that is killed.
GRACE_S = 65.0


def tear_down(state: State) -> bool:
    """Stop the supervisor, kill what it leaves, remove the directory; False where there was nothing to end."""
    supervisor = supervisor_of(state)
    if supervisor is not None:
        supervisor.terminate()
        psutil.wait_procs([supervisor], timeout=GRACE_S)
    existed = state.is_sandbox()
    return sweep(state) > 0 or existed
